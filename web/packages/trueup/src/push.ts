import type { Driver } from "./driver.js";
import type { TrueupOptions } from "./types.js";

/** A stream that says nothing for so long is dead: a server that lives sends signs of life. */
const SILENCE_MS = 60_000;
/** When there is reason to look whether it should be open. */
const EVENTS = ["visibilitychange", "online"];
/** What is pushed belongs to no operation. */
const PUSHED = "";

/** What keeps a push stream open. */
export interface Push {
  /** Opens it, anew if it is open. */
  open(): void;
  /** Closes it until it is opened, or the page is shown again. */
  close(): void;
  /** Closes it for good. */
  stop(): void;
}

/**
 * Listens to what the server pushes while the page can be seen: a browser has few connections to
 * one server, and a hidden page needs none. Without push nothing is wrong, only later: the module
 * asks by itself all the same.
 */
export function followPush(
  driver: Driver,
  getToken: TrueupOptions["getToken"],
  baseUrl: string,
): Push {
  let stream: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let stopped = false;

  const close = (): void => {
    clearTimeout(timer);
    stream?.abort();
    stream = undefined;
  };
  const openIn = (delayMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(open, delayMs);
  };

  async function open(): Promise<void> {
    close();
    if (stopped || globalThis.document?.hidden) return;
    const opened = new AbortController();
    stream = opened;
    openIn(SILENCE_MS);
    // Whatever is thrown, and whenever: it is tried again.
    const pauseMs = await follow(opened.signal).catch(() => 0);
    if (stream !== opened) return;
    if (pauseMs === undefined) return close();
    failures += 1;
    openIn(pauseMs + Math.random() * 1000 * 2 ** Math.min(failures + 1, 6));
  }

  /** Resolves when the stream is over: after how long to come back, if there is a reason to. */
  async function follow(signal: AbortSignal): Promise<number | undefined> {
    const token = await getToken();
    if (!token) return undefined;
    const isOurs = (): boolean | undefined => driver.client?.isFor(token);
    if (!isOurs()) {
      // Somebody else has signed in, and the app did not say so.
      driver.tell((client) => client.refresh());
      return 0;
    }
    const since = driver.client?.sinceHeader();
    const response = await fetch(`${baseUrl}/v1/usage/events${since ? `?since=${since}` : ""}`, {
      headers: { Authorization: `Bearer ${token}` },
      cache: "no-store",
      signal,
    });
    const { body, headers, ok, status } = response;
    if (!body || !ok || !headers.get("content-type")?.includes("event-stream")) {
      // A server without push, or a page in its place, will have none in a minute either.
      return ok || status === 404 ? undefined : Number(headers.get("retry-after")) * 1000 || 0;
    }
    driver.tell((client) => client.end(PUSHED, true));
    for (const reader = body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done || !isOurs()) return 0;
      failures = 0;
      openIn(SILENCE_MS);
      driver.tell((client) => client.feed(PUSHED, value));
    }
  }
  // The first reaches the window from its document; a host without such events shows everything.
  for (const name of EVENTS) globalThis.addEventListener?.(name, open);
  void open();
  return {
    open,
    close,
    stop() {
      stopped = true;
      for (const name of EVENTS) globalThis.removeEventListener?.(name, open);
      close();
    },
  };
}
