// A real HTTP server on a free port that speaks the part of the protocol which a browser sees.
// What a chat call meets is scripted by the test.

import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Ledger } from "./ledger.js";

/** A chat call as the script of a test sees it. */
export class Call {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly operation: string;
  readonly #ledger: Ledger;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, body: string, response: ServerResponse, ledger: Ledger) {
    this.headers = request.headers;
    this.body = body;
    this.operation = String(request.headers["trueup-operation"] ?? "");
    this.#response = response;
    this.#ledger = ledger;
  }

  /** The snapshot that belongs into this call's reply. */
  get snapshot(): object {
    const since = this.headers["trueup-since"];
    return this.#ledger.snapshot(since === undefined ? undefined : Number(since), [this.operation]);
  }

  json(status: number, body: object): void {
    this.#response.writeHead(status, { "Content-Type": "application/json" });
    this.#response.end(JSON.stringify(body));
  }

  /** Writes into the event stream, and opens it first if it is not open. */
  write(text: string | Uint8Array): void {
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, { "Content-Type": "text/event-stream" });
    }
    this.#response.write(text);
  }

  chunk(content: string): void {
    this.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
  }

  /** The chunk with the snapshot, and the end. */
  last(): void {
    this.write(`data: ${JSON.stringify({ choices: [], trueup: this.snapshot })}\n\n`);
    this.write("data: [DONE]\n\n");
    this.#response.end();
  }

  /** Ends the stream without the chunk that carries the snapshot. */
  end(): void {
    this.#response.end();
  }

  /** Loses the connection. */
  cut(): void {
    this.#response.destroy();
  }

  /** Resolves when the client has gone. */
  async closed(): Promise<void> {
    if (!this.#response.closed) await once(this.#response, "close");
  }
}

/** An open stream of `GET /v1/usage/events`. */
export class PushStream {
  readonly token: string | undefined;
  readonly response: ServerResponse;
  readonly #ledger: Ledger;
  /** The version that the reader has. */
  since: number | undefined;

  constructor(request: IncomingMessage, url: URL, response: ServerResponse, ledger: Ledger) {
    this.token = request.headers.authorization;
    this.response = response;
    this.#ledger = ledger;
    const since = url.searchParams.get("since");
    this.since = since === null ? undefined : Number(since);
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(":\n\n");
  }

  /** Sends what the reader does not have. */
  push(): void {
    const snapshot = JSON.stringify(this.#ledger.snapshot(this.since));
    this.since = this.#ledger.version;
    this.response.write(`event: usage\nid: ${this.since}\ndata: ${snapshot}\n\n`);
  }

  /** Resolves when the client has gone. */
  async closed(): Promise<void> {
    if (!this.response.closed) await once(this.response, "close");
  }
}

/** What a chat call meets. */
export type Script = (call: Call, ledger: Ledger) => void | Promise<void>;

/** A chat that goes well. */
export const answer: Script = (call, ledger) => {
  ledger.hold(call.operation);
  call.chunk("Hel");
  call.chunk("lo");
  ledger.settle(call.operation);
  call.last();
};

/** The server; `close` it after the test. */
export class TestServer {
  readonly ledger: Ledger = new Ledger("acct_7");
  /** `GET /v1/usage` and the like, in their order. */
  readonly requests: string[] = [];
  /** The chat calls that arrived. */
  readonly calls: Call[] = [];
  /** Whether there is `GET /v1/usage/events`. */
  pushes = true;
  /** How often the catalog was asked for. */
  get catalogs(): number {
    return this.requests.filter((request) => request === "GET /v1/catalog").length;
  }

  /** Whether everything but chat calls is answered with 503. */
  down = false;
  readonly #scripts: Script[] = [];
  readonly #streams: PushStream[] = [];
  readonly #opened = new EventEmitter();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#handle(request, response);
    });
  }

  static async start(): Promise<TestServer> {
    const server = new TestServer();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Scripts the next chat calls, one each; further ones go well. */
  next(...scripts: Script[]): void {
    this.#scripts.push(...scripts);
  }

  /** The oldest push stream that has not been taken yet. */
  async nextStream(): Promise<PushStream> {
    for (;;) {
      const stream = this.#streams.shift();
      if (stream) return stream;
      await once(this.#opened, "stream");
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.url);
    const body = await text(request);
    this.requests.push(`${request.method} ${url.pathname}`);
    if (url.pathname === "/v1/chat/completions" || url.pathname === "/elsewhere") {
      const call = new Call(request, body, response, this.ledger);
      this.calls.push(call);
      await (this.#scripts.shift() ?? answer)(call, this.ledger);
      return;
    }
    if (url.pathname === "/v1/usage/events" && this.pushes && !this.down) {
      this.#streams.push(new PushStream(request, url, response, this.ledger));
      this.#opened.emit("stream");
      return;
    }
    const [status, reply] = this.down ? [503, {}] : this.#answer(url, body);
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(reply));
  }

  #answer(url: URL, body: string): [number, object] {
    const fenced = /^\/v1\/operations\/([\w-]+)\/fence$/.exec(url.pathname)?.[1];
    if (fenced) {
      this.ledger.fence(fenced);
      return [200, this.ledger.snapshot((JSON.parse(body) as { since?: number }).since, [fenced])];
    }
    switch (url.pathname) {
      case "/v1/usage": {
        const since = url.searchParams.get("since");
        const ask = url.searchParams.get("ask")?.split(",");
        return [200, this.ledger.snapshot(since === null ? undefined : Number(since), ask)];
      }
      case "/v1/catalog":
        return [
          200,
          {
            models: { "gpt-5": { charge: { premium_messages: 1 }, fallback: [] } },
            meters: ["premium_messages"],
          },
        ];
      default:
        return [404, { error: { code: "not_found", message: "", type: "", param: null } }];
    }
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
