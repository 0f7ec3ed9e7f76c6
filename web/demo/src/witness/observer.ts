import type { Snapshot } from "./snapshot";

export interface ObserverOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly getToken: () => Promise<string>;
  /** The version to ask for changes since, if an answer is there to build on. */
  readonly version: () => number | undefined;
  /** Ids whose records a first answer must name. */
  readonly ask: () => readonly string[];
  readonly onSnapshot: (snapshot: Snapshot, requestedAt: number, answeredAt: number) => void;
  /** How long to wait before the next look, or undefined to sleep until woken. */
  readonly pause: () => number | undefined;
}

const FAILED_PAUSE_MS = 500;

/** A plain reader of `GET /v1/usage` that sees the truth as soon as anybody can. For this page only. */
export class Observer {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking = false;
  private stopped = false;

  constructor(private readonly options: ObserverOptions) {
    document.addEventListener("visibilitychange", this.wake);
  }

  /** Looks at once, unless it is looking already. */
  readonly wake = (): void => {
    if (this.looking || this.stopped || document.hidden) return;
    clearTimeout(this.timer);
    void this.look();
  };

  /** Looks at once if it sleeps; else it looks again soon anyway. */
  wakeUnlessAwake(): void {
    if (this.timer === undefined) this.wake();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
  }

  private async look(): Promise<void> {
    this.looking = true;
    const answered = await this.ask();
    this.looking = false;
    this.timer = undefined;
    if (this.stopped || document.hidden) return;
    const pause = answered ? this.options.pause() : FAILED_PAUSE_MS;
    if (pause !== undefined) this.timer = setTimeout(this.wake, pause);
  }

  private async ask(): Promise<boolean> {
    const { fetch, getToken, version, ask, onSnapshot } = this.options;
    const since = version();
    const ids = ask();
    const query = new URLSearchParams();
    if (since !== undefined) query.set("since", `${since}`);
    else if (ids.length > 0) query.set("ask", ids.join(","));
    try {
      const token = await getToken();
      const requestedAt = performance.now();
      const response = await fetch(`/v1/usage?${query}`, {
        headers: { authorization: `Bearer ${token}` },
        cache: "no-store",
      });
      if (!response.ok) return false;
      const snapshot = (await response.json()) as Snapshot;
      if (!this.stopped) onSnapshot(snapshot, requestedAt, performance.now());
      return true;
    } catch {
      return false; // Offline: the truth is out of sight, and verdicts wait for it.
    }
  }
}
