import { findSnapshot, type Snapshot } from "./snapshot";

/** What was seen crossing between this page and the server; moments are `performance.now()`. */
export interface WireListener {
  /** A chat request left the page under an operation id. */
  chatLeft(operationId: string, body: string): void;
  /**
   * The server takes no operation with this id and keeps no record of it. A client that is named has
   * nothing more to ask.
   */
  operationRefused(operationId: string, client: string | undefined, at: number): void;
  /** The reply to an operation brought a snapshot. */
  replyArrived(operationId: string, snapshot: Snapshot, at: number): void;
  /** A client's own question about usage was answered; without a snapshot nothing was new. */
  usageArrived(client: string, snapshot: Snapshot | undefined, at: number): void;
}

type Fetch = typeof globalThis.fetch;

/** Chromium gives these a body all the same, and lets no response be made with it. */
const WITHOUT_BODY = [204, 205, 304];
const FENCE = /^\/v1\/operations\/([^/]+)\/fence$/;

export interface Wire {
  /** The fetch of the browser, which nobody watches. */
  readonly unwatched: Fetch;
  /** A fetch whose answers about usage are noted under the client's name. */
  watched(client: string): Fetch;
}

/**
 * Listens on the page's own line. `trueup` uses `window.fetch` as it would in any page, so this
 * replaces it by one that passes everything through and takes note. Nothing is changed or delayed.
 */
export function tapWire(listener: WireListener, client: string): Wire {
  const unwatched: Fetch = window.fetch.bind(window);

  function watched(name: string): Fetch {
    return async (input, init) => {
      const path = pathOf(input);
      const operationId = headerOf(input, init, "trueup-operation");
      if (path === "/v1/chat/completions" && operationId !== null) {
        listener.chatLeft(operationId, bodyOf(init));
        const reply = await unwatched(input, init);
        if (reply.status === 400) {
          listener.operationRefused(operationId, undefined, performance.now());
        }
        return listenTo(reply, (snapshot, at) => listener.replyArrived(operationId, snapshot, at));
      }
      const response = await unwatched(input, init);
      const fenced = FENCE.exec(path)?.[1];
      if (fenced && response.status === 400) {
        listener.operationRefused(fenced, name, performance.now());
      }
      if (path !== "/v1/usage") return response;
      if (response.status === 304) listener.usageArrived(name, undefined, performance.now());
      return listenTo(response, (snapshot, at) => listener.usageArrived(name, snapshot, at));
    };
  }

  window.fetch = watched(client);
  return { unwatched, watched };
}

/** The same reply, chunk by chunk; every snapshot in it is noted as it passes. */
function listenTo(response: Response, note: (snapshot: Snapshot, at: number) => void): Response {
  if (!response.body || WITHOUT_BODY.includes(response.status)) return response;
  const decoder = new TextDecoder();
  const stream = response.headers.get("content-type")?.includes("text/event-stream") ?? false;
  let text = "";
  const take = (line: string) => {
    const snapshot = findSnapshot(parse(line.replace(/^data:\s*/, "")));
    if (snapshot) note(snapshot, performance.now());
  };
  const ear = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      text += decoder.decode(chunk, { stream: true });
      if (!stream) return;
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line.includes('"trueup"')) take(line);
    },
    flush() {
      take(text + decoder.decode());
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(ear), { status, statusText, headers });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pathOf(input: RequestInfo | URL): string {
  const url = input instanceof Request ? input.url : `${input}`;
  return new URL(url, window.location.href).pathname;
}

function headerOf(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  name: string,
): string | null {
  const headers = init?.headers ?? (input instanceof Request ? input.headers : undefined);
  return new Headers(headers).get(name);
}

function bodyOf(init: RequestInit | undefined): string {
  return typeof init?.body === "string" ? init.body : "";
}
