// One account's usage as a server would keep it, to answer the module under test with.

/** A charge of one premium message, which every operation here asks for. */
const ONE = { premium_messages: 1 };

interface Outcome {
  id: string;
  version: number;
  state: string;
  cause: string;
  requested: Record<string, number>;
  held?: Record<string, number>;
  charged?: Record<string, number>;
}

/** An account with one meter. Every transition raises the version. */
export class Ledger {
  version = 1;
  used = 0;
  readonly limit: number;
  readonly account: string;
  readonly operations: Map<string, Outcome> = new Map();

  constructor(account: string, limit = 5) {
    this.account = account;
    this.limit = limit;
  }

  /** Admits the operation if there is room, as the gateway does before a stream. */
  hold(id: string): boolean {
    const room = this.used + this.#held() < this.limit;
    if (room) this.#become(id, "held", "admitted", { held: ONE });
    else this.#become(id, "refused", "limit_reached", {});
    return room;
  }

  settle(id: string): void {
    this.used += 1;
    this.#become(id, "settled", "finished", { charged: ONE });
  }

  release(id: string, cause = "provider_failed"): void {
    this.#become(id, "released", cause, {});
  }

  /** Makes an operation that never arrived impossible; leaves any other as it is. */
  fence(id: string): void {
    if (!this.operations.has(id)) this.#become(id, "fenced", "never_arrived", {});
  }

  /** Something on another device: moves the figures with no operation of ours. */
  useElsewhere(units: number): void {
    this.used += units;
    this.version += 1;
    this.#elsewhere.push({
      version: this.version,
      cause: "other_device",
      meter: "premium_messages",
      units,
    });
  }

  snapshot(since: number | undefined, ask: readonly string[] = []): object {
    const from = since ?? this.version;
    return {
      account: this.account,
      epoch: "epoch-1",
      since: from,
      version: this.version,
      as_of: new Date().toISOString(),
      reset: false,
      meters: {
        premium_messages: {
          limit: this.limit,
          used: this.used,
          held: this.#held(),
          enforcement: "hard",
          window: { start: "2020-01-01T00:00:00Z", end: "2100-01-01T00:00:00Z" },
        },
      },
      operations: [...this.operations.values()].filter(
        ({ id, version }) => version > from || ask.includes(id),
      ),
      changes: this.#elsewhere.filter(({ version }) => version > from),
    };
  }

  readonly #elsewhere: { version: number; cause: string; meter: string; units: number }[] = [];

  #become(id: string, state: string, cause: string, units: Partial<Outcome>): void {
    this.version += 1;
    this.operations.set(id, {
      id,
      version: this.version,
      state,
      cause,
      requested: ONE,
      ...units,
    });
  }

  #held(): number {
    return [...this.operations.values()].filter(({ state }) => state === "held").length;
  }
}
