import { OPERATION_HEADER } from "./operation.js";
import type { TrueupOptions } from "./types.js";

/** A request that is an operation, or will be. */
export interface ChatCall {
  /** The model that the body names; a call that is given its operation may name none. */
  readonly model: string | undefined;
  /** The request's own headers, to add to. */
  readonly headers: Headers;
  /** What identifies the same request when a client repeats it. */
  readonly key: string;
  /** Aborts the request. */
  readonly signal: AbortSignal | null;
}

/** Which origins may be tracked and see the token. */
export class Origins {
  readonly #known: ReadonlySet<string>;

  constructor({ baseUrl, origins = [] }: TrueupOptions) {
    const urls = [pageUrl(), baseUrl, ...origins];
    this.#known = new Set(urls.flatMap((url) => (url ? (originOf(url) ?? []) : [])));
  }

  has(url: string): boolean {
    const origin = originOf(url);
    return origin !== undefined && this.#known.has(origin);
  }
}

/**
 * Reads a request as far as tracking needs. `undefined`: it is none of ours. The answer is a
 * promise only where the body can only be had as one, so that an operation begun for a string body
 * is counted before `fetch` returns.
 */
export function readCall(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  origins: Origins,
): ChatCall | undefined | Promise<ChatCall | undefined> {
  const request = input instanceof Request ? input : undefined;
  const method = init?.method ?? request?.method ?? "GET";
  const url = request?.url ?? String(input);
  if (!origins.has(url)) return undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  const given = headers.get(OPERATION_HEADER);
  if (!given && method.toUpperCase() !== "POST") return undefined;

  const read = (body: unknown): ChatCall | undefined => {
    const model = modelOf(body);
    if (!given && model === undefined) return undefined;
    return {
      model,
      headers,
      key: `${url}\n${body}`,
      signal: init?.signal ?? request?.signal ?? null,
    };
  };
  // What is given its operation is followed to its end, whatever it asks for.
  if (given || init?.body != null) return read(init?.body);
  if (!request?.headers.get("content-type")?.includes("json") || request.bodyUsed) return undefined;
  return request.clone().text().then(read);
}

function modelOf(body: unknown): string | undefined {
  if (typeof body !== "string" || !body.includes('"model"')) return undefined;
  try {
    const model = (JSON.parse(body) as { model?: unknown } | null)?.model;
    return typeof model === "string" ? model : undefined;
  } catch {
    return undefined;
  }
}

function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

function originOf(url: string): string | undefined {
  try {
    return new URL(url, pageUrl()).origin;
  } catch {
    return undefined;
  }
}
