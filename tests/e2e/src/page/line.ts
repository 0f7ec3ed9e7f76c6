import type { Answer, Client, Departure } from "../record";

export interface LineListener {
  departed(departure: Omit<Departure, "pressedAt">): void;
  answered(answer: Answer): void;
}

/** Listens to what the page sends and is sent. Nothing is changed, and nothing is late. */
export function tapLine(listener: LineListener): void {
  // Calls out of WebAssembly are recognised by where they come from, which may be far down.
  Error.stackTraceLimit = 100;
  const original = window.fetch;
  window.fetch = (input, init) => {
    const stack = new Error().stack ?? "";
    const reply = original.call(window, input, init);
    const request = input instanceof Request ? input : undefined;
    const { pathname } = new URL(request?.url ?? `${input as string | URL}`, window.location.href);
    const headers = new Headers(init?.headers ?? request?.headers);
    const account = owner(headers);
    if (pathname === "/v1/chat/completions") {
      const operation = headers.get("trueup-operation") ?? "";
      const { model } = JSON.parse(`${init?.body}`) as { model: string };
      listener.departed({ at: Date.now(), account, operation, model });
    }
    const client = whoAsks(pathname, stack, init);
    if (client) {
      const note = async (response: Response) => {
        const version = await versionIn(response);
        const { status } = response;
        if (version !== undefined)
          listener.answered({ at: Date.now(), client, account, version, status });
      };
      reply.then(note).catch(() => undefined);
    }
    return reply;
  };
}

/** The client whose own question this is. The witness of the demo asks as well, for nobody. */
function whoAsks(
  pathname: string,
  stack: string,
  init: RequestInit | undefined,
): Client | undefined {
  if (/wasm:\/\/|wasm-function/.test(stack)) {
    return pathname === "/v1/usage" || pathname.endsWith("/fence") ? "ours" : undefined;
  }
  return pathname === "/v1/usage" && init?.cache === undefined ? "naive" : undefined;
}

async function versionIn(response: Response): Promise<number | undefined> {
  const tag = /-(\d+)"$/.exec(response.headers.get("etag") ?? "")?.[1];
  const version = tag ?? /"version":(\d+)/.exec(await response.clone().text())?.[1];
  return version === undefined ? undefined : Number(version);
}

/** The account that a call's token speaks for. */
function owner(headers: Headers): string | null {
  const payload = headers.get("authorization")?.split(".")[1];
  if (!payload) return null;
  const text = atob(payload.replace(/-/g, "+").replace(/_/g, "/"));
  const { sub, acct } = JSON.parse(text) as { sub: string; acct?: string };
  return acct ?? sub;
}
