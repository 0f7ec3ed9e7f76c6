/**
 * What a screen may show, told as courses. A course is one thing that takes units from a meter, in
 * steps: an operation takes its prediction when it begins and its actual charge once the server has
 * decided it. A client may have reached a step from `mayAt` on and must have reached it at `mustAt`.
 */

/** Units by meter. */
export type Units = Readonly<Record<string, number>>;

export interface Step {
  /** What the course takes from the meter from this step on. Negative units give. */
  readonly units: number;
  /** The earliest moment, in milliseconds of `performance.now()`, at which a client may show the step. */
  readonly mayAt: number;
  /** From this moment on an earlier step is wrong. */
  readonly mustAt: number;
}

export interface Course {
  readonly id: string;
  /** In order; before the first step a course takes nothing. */
  readonly steps: readonly Step[];
}

/** How the server ended an operation, and what it charged. */
export interface Decision {
  /** The server had not decided before this moment. */
  readonly notBefore: number;
  readonly charged: Units;
}

/** One user action of this page, as far as it is known. */
export interface Operation {
  readonly id: string;
  readonly begunAt: number;
  readonly predicted: Units;
  readonly decision?: Decision;
  /** By client: when the news of the decision reached it. */
  readonly newsAt: Readonly<Record<string, number>>;
}

/** A movement that no operation of this page explains: a grant, another tab, a new window. */
export interface Shift {
  readonly id: string;
  readonly notBefore: number;
  /** When the observer saw it. */
  readonly knownAt: number;
  readonly mustAt: number;
  readonly taken: Units;
}

/**
 * Within a tenth of a second people see a cause and its effect as one. So long after a begin or
 * after news a screen may still show the old number, for both clients alike. Only being late is
 * forgiven: what is shown too early, or shown and taken back, is wrong at once.
 */
export const PAINT_GRACE_MS = 100;

/** The course of an operation on one meter, for one client. */
export function courseOfOperation(operation: Operation, meter: string, client: string): Course {
  const { id, begunAt, predicted, decision, newsAt } = operation;
  const prediction = predicted[meter] ?? 0;
  const steps: Step[] = [];
  if (prediction !== 0) {
    steps.push({ units: prediction, mayAt: begunAt, mustAt: begunAt + PAINT_GRACE_MS });
  }
  const actual = decision?.charged[meter] ?? 0;
  if (decision && actual !== prediction) {
    const news = newsAt[client];
    steps.push({
      units: actual,
      mayAt: Math.max(begunAt, decision.notBefore),
      mustAt: news === undefined ? Number.POSITIVE_INFINITY : news + PAINT_GRACE_MS,
    });
  }
  return { id, steps };
}

/** The course of a movement from elsewhere on one meter; it is the same for every client. */
export function courseOfShift(shift: Shift, meter: string): Course {
  const units = shift.taken[meter] ?? 0;
  const steps = units === 0 ? [] : [{ units, mayAt: shift.notBefore, mustAt: shift.mustAt }];
  return { id: shift.id, steps };
}

/** What the server would say if it knew every operation that this page has begun. */
export function truth(
  margin: number,
  operations: readonly Operation[],
  shifts: readonly Shift[],
  meter: string,
): number {
  let taken = 0;
  for (const operation of operations) {
    const units = operation.decision ? operation.decision.charged : operation.predicted;
    taken += units[meter] ?? 0;
  }
  for (const shift of shifts) taken += shift.taken[meter] ?? 0;
  return Math.max(0, margin - taken);
}
