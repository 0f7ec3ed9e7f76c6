/** How the limit of a meter is kept: `hard` stops at it, `soft` counts on. */
export type Enforcement = "hard" | "soft";

/**
 * One meter as the user should see it now. All figures are whole units, 0 to 2^53 - 1.
 */
export interface MeterView {
  /** Units that the plan and grants allow in the window; `null` is unlimited. */
  readonly limit: number | null;
  /** `settled + held + pending`: what is not available any more. */
  readonly used: number;
  /** Charged for good. */
  readonly settled: number;
  /** Set aside by the server for operations that still run. */
  readonly held: number;
  /** Estimated here, for operations of which the server has not told yet. */
  readonly pending: number;
  /** What is left of the limit, never below 0; `null` is unlimited. */
  readonly remaining: number | null;
  /** What happens at the limit. */
  readonly enforcement: Enforcement;
  /** When the window ends, RFC 3339; left out when the server has not told. */
  readonly resetsAt?: string;
  /** The window has ended and the figures of the next one are on their way. */
  readonly resetting: boolean;
}

/**
 * Where the figures come from.
 *
 * - `loading`: nothing is known yet; `meters` is empty
 * - `anonymous`: nobody is signed in; counted locally against the local limits
 * - `live`: the server's figures, and what was sent since
 * - `offline`: the server's last known figures, and what was sent since
 */
export type UsageStatus = "loading" | "anonymous" | "live" | "offline";

/**
 * What the user should see: the server's last figures plus the operations that it has not decided
 * yet. Frozen, derived, never stored. The object is replaced when a figure changes and only then,
 * and so is each meter in it, so both can be compared by identity.
 */
export interface UsageView {
  /** Where the figures come from. */
  readonly status: UsageStatus;
  /** Whose usage it is; left out while loading and for anonymous visitors. */
  readonly account?: string;
  /** The account's version that the figures are built on. It never falls within a session. */
  readonly version?: number;
  /** Every meter of the account's plan, by its name. */
  readonly meters: Readonly<Record<string, MeterView>>;
}

/**
 * The view before anything is known.
 *
 * @internal
 */
export const LOADING_VIEW: UsageView = Object.freeze({
  status: "loading",
  meters: Object.freeze({}),
});

/**
 * The next view, frozen, in which every part that equals the previous one IS the previous one.
 *
 * @internal
 */
export function replaceView(previous: UsageView, next: UsageView): UsageView {
  const meters: Record<string, MeterView> = {};
  for (const [name, meter] of Object.entries(next.meters)) {
    const known = previous.meters[name];
    meters[name] = known && sameFields(known, meter) ? known : Object.freeze({ ...meter });
  }
  const view = {
    ...next,
    meters: sameFields(previous.meters, meters) ? previous.meters : Object.freeze(meters),
  };
  return sameFields(previous, view) ? previous : Object.freeze(view);
}

function sameFields(left: object, right: object): boolean {
  const names = Object.keys(left) as (keyof typeof left)[];
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.is(left[name], right[name]))
  );
}
