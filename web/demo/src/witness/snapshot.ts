import type { Units } from "../truth";

/** The part of the server's snapshot that this page reads; it travels in every reply. */
export interface Snapshot {
  readonly account: string;
  readonly epoch: string;
  readonly since: number;
  readonly version: number;
  readonly reset: boolean;
  readonly meters: Readonly<Record<string, MeterFigures>>;
  readonly operations: readonly OperationRecord[];
}

export interface MeterFigures {
  /** Missing or null is unlimited. */
  readonly limit?: number | null;
  readonly used: number;
  readonly held: number;
}

export interface OperationRecord {
  readonly id: string;
  readonly version: number;
  readonly state: "held" | "settled" | "released" | "expired" | "refused" | "fenced";
  readonly cause?: string;
  readonly requested?: Units;
  /** What is set aside, when that is not what was requested: another model has stepped in. */
  readonly held?: Units;
  readonly charged?: Units;
}

/** The snapshot inside a parsed reply: bare, as `trueup` of a chunk, or as `usage` of an error. */
export function findSnapshot(body: unknown): Snapshot | undefined {
  if (!isObject(body)) return undefined;
  for (const candidate of [body, body.trueup, body.usage]) {
    if (
      isObject(candidate) &&
      isObject(candidate.meters) &&
      typeof candidate.version === "number"
    ) {
      return candidate as unknown as Snapshot;
    }
  }
  return undefined;
}

/** What an operation takes from `used + held` on the server, by its record. */
export function takenBy(record: OperationRecord): Units {
  const { state, requested, held, charged } = record;
  return (state === "held" ? (held ?? requested) : charged) ?? {};
}

/** The limit of every meter that has one. */
export function limitsOf(snapshot: Snapshot): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [meter, { limit }] of Object.entries(snapshot.meters)) {
    if (limit !== null && limit !== undefined) result[meter] = limit;
  }
  return result;
}

/** What remains of every limited meter before it is clamped at zero. */
export function margins(snapshot: Snapshot): Record<string, number> {
  const result = limitsOf(snapshot);
  for (const meter of Object.keys(result)) {
    const { used = 0, held = 0 } = snapshot.meters[meter] ?? {};
    result[meter] = (result[meter] ?? 0) - used - held;
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
