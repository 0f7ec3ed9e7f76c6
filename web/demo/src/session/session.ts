import { Store } from "../ui/store";

/** Who the page speaks for. */
export interface Visitor {
  readonly account: string;
  /** Signed out: the account is kept for later, but nothing is sent in its name. */
  readonly anonymous: boolean;
}

interface Token {
  readonly account: string;
  readonly token: string;
  readonly expiresAt: number;
}

const TOKEN_KEY = "trueup-demo.token";
const ANONYMOUS_KEY = "trueup-demo.anonymous";
/** A token with less life than this is renewed before it is used. */
const RENEW_MS = 60_000;

/** The visitor of this tab. A reload keeps it; `?account=` in the address names one. */
export class Sessions extends Store<Visitor> {
  static async open(): Promise<Sessions> {
    const wanted = new URLSearchParams(window.location.search).get("account");
    const kept = read();
    const token = kept && (!wanted || kept.account === wanted) ? kept : await request(wanted);
    return new Sessions(token, sessionStorage.getItem(ANONYMOUS_KEY) === "yes");
  }

  private constructor(
    private token: Token,
    anonymous: boolean,
  ) {
    super({ account: token.account, anonymous });
    this.keep(token);
  }

  /** What `createTrueup` asks before every request: null for an anonymous visitor. */
  readonly getToken = async (): Promise<string | null> =>
    this.getSnapshot().anonymous ? null : this.getOwnToken();

  /** The token for the page's own calls, which go on when the visitor is anonymous. */
  readonly getOwnToken = async (): Promise<string> => {
    if (this.token.expiresAt - Date.now() < RENEW_MS) {
      this.keep(await request(this.token.account));
    }
    return this.token.token;
  };

  async newVisitor(): Promise<void> {
    this.keep(await request(null));
    const address = new URL(window.location.href);
    address.searchParams.delete("account");
    window.history.replaceState(null, "", address);
    this.become({ account: this.token.account, anonymous: false });
  }

  setAnonymous(anonymous: boolean): void {
    this.become({ ...this.getSnapshot(), anonymous });
  }

  private become(visitor: Visitor): void {
    sessionStorage.setItem(ANONYMOUS_KEY, visitor.anonymous ? "yes" : "no");
    this.set(visitor);
  }

  private keep(token: Token): void {
    this.token = token;
    sessionStorage.setItem(TOKEN_KEY, JSON.stringify(token));
  }
}

async function request(account: string | null): Promise<Token> {
  const response = await fetch("/demo/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(account ? { account } : {}),
  });
  if (!response.ok) throw new Error(`the server opened no session (status ${response.status})`);
  const body = (await response.json()) as { token: string; account: string; expires_at: string };
  return { token: body.token, account: body.account, expiresAt: Date.parse(body.expires_at) };
}

function read(): Token | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(TOKEN_KEY) ?? "null") as Token | null) ?? undefined;
  } catch {
    return undefined;
  }
}
