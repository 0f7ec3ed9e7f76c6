/** How an operation ended. */
export type OperationState =
  /** Charged with what was really used. */
  | "settled"
  /** Given back. */
  | "released"
  /** Given back because its holder vanished. */
  | "expired"
  /** Denied at admission. */
  | "refused"
  /** Made impossible before it ever arrived. */
  | "fenced";

/**
 * Why a figure moved or an operation ended. New words may appear.
 *
 * `admitted`, `finished`, `fallback` (another model answered), `metered` (the provider reported
 * another use), `aborted`, `provider_failed`, `cancelled`, `shutdown`, `hold_expired`,
 * `limit_reached`, `never_arrived`, `other_device`, `grant`, `plan_changed`, `window_reset`,
 * `reset`.
 */
export type Cause =
  | "admitted"
  | "finished"
  | "fallback"
  | "metered"
  | "aborted"
  | "provider_failed"
  | "cancelled"
  | "shutdown"
  | "hold_expired"
  | "limit_reached"
  | "never_arrived"
  | "other_device"
  | "grant"
  | "plan_changed"
  | "window_reset"
  | "reset"
  | (string & {});

/** A meter's figures at one moment, in whole units. */
export interface Figures {
  /** What was not available any more. */
  readonly used: number;
  /** The limit; `null` is unlimited. */
  readonly limit: number | null;
  /** What was left; `null` is unlimited. */
  readonly remaining: number | null;
}

/** How one meter moved. */
export interface Movement {
  /** Which meter. */
  readonly meter: string;
  /** Its figures until then. */
  readonly before: Figures;
  /** Its figures from then on. */
  readonly after: Figures;
}

/**
 * The view moved in a way that was not predicted here. It is told after the view has changed, so
 * `getSnapshot()` within the listener already agrees with `after`.
 */
export interface Correction extends Movement {
  /** Which kind of event it is. */
  readonly type: "correction";
  /** Why it moved. */
  readonly cause: Cause;
  /** The operation that explains it, when one does. */
  readonly opId?: string;
  /** Every meter that moved for this cause; `meter`, `before` and `after` repeat the main one. */
  readonly movements: readonly Movement[];
  /** A sentence to show: "Answered by a standard model: your premium message was returned." */
  readonly text: string;
}

/** The server's word on an operation that was begun here. Told once for each. */
export interface Decision {
  /** Which kind of event it is. */
  readonly type: "decided";
  /** The operation. */
  readonly opId: string;
  /** How it ended. */
  readonly state: OperationState;
  /** Why it ended so. */
  readonly cause: Cause;
}

/**
 * Something went wrong that heals by itself: a fetch that failed and will be repeated, a model that
 * the catalog does not know. For logs; nothing needs to be done.
 */
export interface Fault {
  /** Which kind of event it is. */
  readonly type: "error";
  /** A stable word; `TrueupError` lists them. */
  readonly code: string;
  /** What happened, for people. */
  readonly message: string;
}

/** What can be listened to with `usage.on`, by name. */
export interface TrueupEvents {
  /** The view moved in a way that was not predicted here. */
  readonly correction: Correction;
  /** An operation that was begun here has ended. */
  readonly decided: Decision;
  /** Something failed and will be tried again. */
  readonly error: Fault;
}

/** Any of the events. */
export type TrueupEvent = TrueupEvents[keyof TrueupEvents];
