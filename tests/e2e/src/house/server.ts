import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const BINARY = process.env.TRUEUP_BIN ?? join(ROOT, "target/debug/trueup");
const START_MS = 20_000;

export const API_KEY = "backend-key-of-the-browser-tests";
const JWT_SECRET = "secret-of-the-browser-tests-01234567";

export interface ServerOptions {
  /** Settings as the environment gives them: `{ HOLD_TTL_S: "2" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The API of another server that answers the chats, in place of the simulation. */
  readonly upstream?: { readonly url: string; readonly account: string };
}

/** The real binary on a port and a database file of its own, with the settings of the repository. */
export class Server {
  private process: ChildProcess | undefined;
  private address = "127.0.0.1:0";
  private log = "";

  private constructor(
    private readonly folder: string,
    private readonly options: ServerOptions,
  ) {}

  static async start(options: ServerOptions = {}): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "trueup-e2e-"));
    const server = new Server(folder, options);
    await writeFile(server.config, await settings(options.upstream));
    await server.launch();
    return server;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  /** What the server has written to its log, for a failure's message. */
  get lastWords(): string {
    return this.log.slice(-4000);
  }

  /** Ends it without a warning, as a crash would. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  /** Starts it again on the same port and the same file. */
  async restart(): Promise<void> {
    await this.launch();
  }

  /** Asks it to stop, and removes what it has written. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
    await rm(this.folder, { recursive: true, force: true });
  }

  private get config(): string {
    return join(this.folder, "trueup.toml");
  }

  private async launch(): Promise<void> {
    const database = `sqlite:${join(this.folder, "trueup.db")}`;
    const child = spawn(
      BINARY,
      ["serve", "--demo", "--config", this.config, "--listen", this.address],
      { env: environment(database, this.options), stdio: ["ignore", "pipe", "pipe"] },
    );
    this.process = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    this.address = await this.listening(child);
  }

  /** The address, once the server says that it listens. */
  private async listening(child: ChildProcess): Promise<string> {
    const overdue = AbortSignal.timeout(START_MS);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const failed = once(child, "error", { signal: overdue }).then(([error]) => {
      throw new Error(`${BINARY} cannot be run (${error}); build it with the feature "demo"`);
    });
    const said = new Promise<string>((resolve, reject) => {
      lines.on("line", (line) => {
        this.log += `${line}\n`;
        const address = /listens on http:\/\/([\d.:]+)/.exec(line)?.[1];
        if (address) resolve(address);
      });
      lines.on("close", () => reject(new Error(`the server stopped at once:\n${this.lastWords}`)));
    });
    return Promise.race([said, failed]);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}

/** The repository's own settings; only who answers may be another. */
async function settings(upstream: ServerOptions["upstream"]): Promise<string> {
  const text = await readFile(join(ROOT, "trueup.toml"), "utf8");
  if (!upstream) return text;
  const provider = [
    'kind = "openai"',
    `base_url = "${upstream.url}/v1"`,
    `api_key = "${API_KEY}"`,
    `headers = { "Trueup-Account" = "${upstream.account}" }`,
  ].join("\n");
  const changed = text.replace(/^kind = "simulated".*$/m, provider);
  if (changed === text) throw new Error("trueup.toml names no simulated provider to replace");
  return changed;
}

function environment(database: string, { settings = {} }: ServerOptions): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("TRUEUP_"));
  const given = Object.entries(settings).map(([name, value]) => [`TRUEUP_${name}`, value]);
  return {
    ...Object.fromEntries([...inherited, ...given]),
    TRUEUP_DATABASE_URL: database,
    TRUEUP_JWT_SECRET: JWT_SECRET,
    TRUEUP_API_KEY: API_KEY,
    // A stop must not wait for the replies that a test has left open.
    TRUEUP_SHUTDOWN_GRACE_S: "0",
  };
}
