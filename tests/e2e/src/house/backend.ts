import { randomBytes } from "node:crypto";
import type { Entry } from "../oracle/ledger";
import { API_KEY } from "./server";

/** The figures of a meter, as the server has them. */
export interface ServerMeter {
  readonly limit: number | null;
  readonly used: number;
  readonly held: number;
}

export interface ServerUsage {
  readonly version: number;
  readonly meters: Readonly<Record<string, ServerMeter>>;
}

export interface SavedMessage {
  readonly operation: string;
  readonly role: string;
  readonly content: string;
  readonly model: string | null;
}

export interface FaultSet {
  readonly settle_fails: number;
  readonly fallback: boolean;
  readonly fail_before_token: boolean;
  readonly fail_after_token: boolean;
  readonly lose_reply: boolean;
  readonly slow_ms: number;
  readonly offline: boolean;
}

/** The server as a backend and an operator see it: with an API key, past the page. */
export class Backend {
  constructor(private readonly url: string) {}

  async usage(account: string): Promise<ServerUsage> {
    return this.get<ServerUsage>("/v1/usage", { "trueup-account": account });
  }

  /** The limits of an account, by meter. */
  async limits(account: string): Promise<Readonly<Record<string, number>>> {
    const { meters } = await this.usage(account);
    const limits = Object.entries(meters).map(([meter, { limit }]) => [meter, limit ?? Infinity]);
    return Object.fromEntries(limits);
  }

  /** What a conversation has saved; nothing when there is none. */
  async messages(account: string, conversation = "demo"): Promise<readonly SavedMessage[]> {
    const path = `/v1/conversations/${conversation}/messages`;
    const response = await this.call("GET", path, { "trueup-account": account });
    if (response.status === 404) return [];
    const { messages } = await read<{ messages: readonly SavedMessage[] }>(response);
    return messages;
  }

  /** The whole ledger of an account, oldest first. */
  async entries(account: string): Promise<readonly Entry[]> {
    const all: Entry[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const path: string = `/v1/accounts/${account}/entries?after=${after}`;
      const page: { entries: readonly Entry[]; next_after: number | null } = await this.get(path);
      all.push(...page.entries);
      after = page.next_after;
    }
    return all;
  }

  /** Gives an account limits of its own. */
  async limit(account: string, overrides: Readonly<Record<string, number | null>>): Promise<void> {
    await read(await this.call("PUT", `/v1/accounts/${account}`, {}, { overrides }));
  }

  /** Somebody else of the account uses a model, past the page. */
  async useElsewhere(account: string, model: string): Promise<void> {
    await this.operate({ account, model }, { actor: "somebody_else" }, {});
  }

  /** The account has talked before; the page finds so many messages and replies of it. */
  async talk(account: string, replies: number): Promise<void> {
    for (let reply = 0; reply < replies; reply += 1) {
      const model = "gpt-5-mini";
      const messages = ["user", "assistant"].map((role) => ({
        conversation: "demo",
        role,
        content: `${role} ${reply}`,
        model,
      }));
      await this.operate({ account, model }, {}, { messages });
    }
  }

  /** Sets what goes wrong for an account, and nothing else. */
  async fault(account: string, faults: Partial<FaultSet>): Promise<void> {
    const headers = await this.asVisitor(account);
    await read(await this.call("PUT", "/demo/faults", headers, faults));
  }

  async faults(account: string): Promise<FaultSet> {
    return this.get("/demo/faults", await this.asVisitor(account));
  }

  /** A whole operation: what it takes is held, then charged. */
  private async operate(charged: object, holding: object, settling: object): Promise<void> {
    const id = newOperation();
    const hold = { op_id: id, ...charged, ...holding };
    await read(await this.call("POST", "/v1/operations", {}, hold));
    const settle = { ...charged, ...settling };
    await read(await this.call("POST", `/v1/operations/${id}/settle`, {}, settle));
  }

  private async asVisitor(account: string): Promise<Record<string, string>> {
    const session = await this.call("POST", "/demo/session", {}, { account });
    const { token } = await read<{ token: string }>(session);
    return { authorization: `Bearer ${token}` };
  }

  private async get<Body>(path: string, headers: Record<string, string> = {}): Promise<Body> {
    return read<Body>(await this.call("GET", path, headers));
  }

  private call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        "content-type": "application/json",
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}

async function read<Body>(response: Response): Promise<Body> {
  if (!response.ok) {
    throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  }
  return (await response.json()) as Body;
}

/** A UUIDv7 of this moment. */
function newOperation(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
