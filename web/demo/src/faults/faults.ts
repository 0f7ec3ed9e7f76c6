import { Store } from "../ui/store";

/** What goes wrong on the server for this visitor, and nobody else. Nothing by default. */
export interface FaultSet {
  /** So many settle transactions fail before one succeeds; counts down as they fail. */
  readonly settle_fails: number;
  readonly fallback: boolean;
  readonly fail_before_token: boolean;
  readonly fail_after_token: boolean;
  readonly lose_reply: boolean;
  /** How late every answer is. */
  readonly slow_ms: number;
  readonly offline: boolean;
}

export type FaultName = keyof FaultSet;

export const NO_FAULTS: FaultSet = {
  settle_fails: 0,
  fallback: false,
  fail_before_token: false,
  fail_after_token: false,
  lose_reply: false,
  slow_ms: 0,
  offline: false,
};

export const SETTLE_FAILS = 6;
const SLOW_MS = 1200;

/** What a switch means when it is on. */
const ON: FaultSet = {
  settle_fails: SETTLE_FAILS,
  fallback: true,
  fail_before_token: true,
  fail_after_token: true,
  lose_reply: true,
  slow_ms: SLOW_MS,
  offline: true,
};

export interface FaultsOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly getToken: () => Promise<string>;
}

/** The faults of this visitor, as the server has them. */
export class Faults extends Store<FaultSet> {
  constructor(private readonly options: FaultsOptions) {
    super(NO_FAULTS);
  }

  /** Reads them from the server, which uses some of them up. */
  async load(): Promise<void> {
    const faults = await this.call("GET");
    if (faults) this.set(faults);
  }

  async toggle(name: FaultName, on: boolean): Promise<void> {
    await this.change({ [name]: on ? ON[name] : NO_FAULTS[name] });
  }

  /** Changes some faults and leaves the others as they are. */
  async change(change: Partial<FaultSet>): Promise<void> {
    const before = this.getSnapshot();
    const wanted = { ...before, ...change };
    this.set(wanted);
    const done = await this.call("PUT", wanted);
    if (!done) this.set(before);
  }

  private async call(method: "GET" | "PUT", body?: FaultSet): Promise<FaultSet | undefined> {
    const { fetch, getToken } = this.options;
    try {
      const response = await fetch("/demo/faults", {
        method,
        headers: {
          authorization: `Bearer ${await getToken()}`,
          "content-type": "application/json",
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      if (!response.ok) return undefined;
      const answer = response.status === 204 ? body : ((await response.json()) as FaultSet);
      return { ...NO_FAULTS, ...answer };
    } catch {
      return undefined;
    }
  }
}
