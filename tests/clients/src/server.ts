import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BINARY = process.env.TRUEUP_BIN ?? join(ROOT, "target/debug/trueup");
const START_MS = 20_000;

export const API_KEY = "backend-key-of-the-client-tests-0123";
export const PREMIUM_LIMIT = 5;

const catalog = (premiumLimit: number) => `
jwt_secret = "secret-of-the-client-tests-012345678"
api_key = "${API_KEY}"
default_plan = "free"
models."gpt-5" = { charge = { premium_messages = 1 }, fallback = ["gpt-5-mini"] }
models."gpt-5-mini" = { charge = { standard_messages = 1 } }
plans.free.meters.premium_messages = { limit = ${premiumLimit}, window = "month" }
plans.free.meters.standard_messages = { limit = 50, window = "month" }
`;

export interface ServerOptions {
  /** How many premium messages an account has. */
  readonly premiumLimit?: number;
  /** What answers in the simulation's place: another server, and the account it charges. */
  readonly upstream?: { readonly server: Server; readonly account: string };
}

/** The figures of one meter in a snapshot. */
export interface Meter {
  readonly limit: number | null;
  readonly used: number;
  readonly held: number;
}

/** What the tests read of a snapshot. */
export interface Snapshot {
  readonly account: string;
  readonly version: number;
  readonly meters: Readonly<Record<string, Meter>>;
  readonly operations: readonly {
    readonly id: string;
    readonly state: string;
    readonly cause: string;
    readonly charged?: Readonly<Record<string, number>>;
  }[];
}

/** A message that the gateway saved. */
export interface SavedMessage {
  readonly role: string;
  readonly content: string;
  readonly model: string | null;
}

/** The real binary on a port and a database of its own. */
export class Server {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(options: ServerOptions = {}): Promise<Server> {
    const { premiumLimit = PREMIUM_LIMIT, upstream } = options;
    const folder = await mkdtemp(join(tmpdir(), "trueup-clients-"));
    const config = join(folder, "trueup.toml");
    await writeFile(config, `${catalog(premiumLimit)}\n${provider(upstream)}\n`);
    const database = `sqlite:${join(folder, "trueup.db")}`;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TRUEUP_"));
    const child = spawn(
      BINARY,
      [
        "serve",
        "--demo",
        "--config",
        config,
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        database,
      ],
      { env: Object.fromEntries(inherited), stdio: ["ignore", "pipe", "ignore"] },
    );
    return new Server(await address(child), child, folder);
  }

  async stop(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A browser's token for an account. */
  async token(account: string): Promise<string> {
    const session = await this.call("/demo/session", { method: "POST", body: { account } });
    return (session as { token: string }).token;
  }

  /** Switches faults on for an account; those that are not named are switched off. */
  async setFaults(token: string, faults: Record<string, boolean | number>): Promise<void> {
    await this.call("/demo/faults", { method: "PUT", token, body: faults });
  }

  /** The account's snapshot, with the operations that changed since a version. */
  async usage(token: string, since?: number): Promise<Snapshot> {
    const query = since === undefined ? "" : `?since=${since}`;
    return (await this.call(`/v1/usage${query}`, { token })) as Snapshot;
  }

  async messages(token: string, conversation: string): Promise<readonly SavedMessage[]> {
    const path = `/v1/conversations/${conversation}/messages`;
    return ((await this.call(path, { token })) as { messages: SavedMessage[] }).messages;
  }

  private async call(
    path: string,
    { method = "GET", token, body }: { method?: string; token?: string; body?: unknown },
  ): Promise<unknown> {
    const headers = new Headers({ "content-type": "application/json" });
    if (token) headers.set("authorization", `Bearer ${token}`);
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${this.url}${path}`, init);
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.json();
  }
}

function provider(upstream: ServerOptions["upstream"]): string {
  if (!upstream) {
    return '[[providers]]\nkind = "simulated"\nfirst_token_ms = 5\ntokens_per_second = 100';
  }
  return [
    "[[providers]]",
    'kind = "openai"',
    `base_url = "${upstream.server.url}/v1"`,
    `api_key = "${API_KEY}"`,
    `headers = { "Trueup-Account" = "${upstream.account}" }`,
  ].join("\n");
}

/** Where the server listens, once it says so. */
async function address(child: ChildProcess): Promise<string> {
  const overdue = AbortSignal.timeout(START_MS);
  const failed = once(child, "error", { signal: overdue }).then(([error]) => {
    throw new Error(`${BINARY} cannot be run: ${error}`);
  });
  const said = new Promise<string>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => {
      const found = /listens on (http:\/\/[\d.:]+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
    lines.on("close", () => reject(new Error("the server stopped before it listened")));
  });
  return Promise.race([said, failed]);
}
