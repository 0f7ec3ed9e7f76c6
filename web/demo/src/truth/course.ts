/**
 * What a screen may show, told as courses. A course is one thing that takes units from a meter, in
 * steps: an operation takes its prediction when it begins and what the server says once the server
 * has decided otherwise. A client may have reached a step from `mayAt` on and must have reached it at `mustAt`.
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

/** What the server said about an operation at one version: set aside otherwise, charged, given back. */
export interface Word {
  readonly version: number;
  /** What the operation takes by this word. */
  readonly taken: Units;
  /** Whether the operation has ended with it. */
  readonly final: boolean;
  /** The server had not said it before this moment. */
  readonly notBefore: number;
  /** When anybody on this page first knew it. */
  readonly knownAt: number;
  /** By client: when the news of it arrived there. */
  readonly newsAt: Readonly<Record<string, number>>;
}

/** One user action of this page, as far as it is known. */
export interface Operation {
  readonly id: string;
  readonly begunAt: number;
  readonly predicted: Units;
  /** What the server has said so far, by version. */
  readonly words: readonly Word[];
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
  const { id, begunAt, predicted, words } = operation;
  const steps: Step[] = [];
  let current = predicted[meter] ?? 0;
  if (current !== 0) {
    steps.push({ units: current, mayAt: begunAt, mustAt: begunAt + PAINT_GRACE_MS });
  }
  for (const { taken, notBefore, newsAt } of words) {
    const units = taken[meter] ?? 0;
    if (units === current) continue;
    const news = newsAt[client] ?? Number.POSITIVE_INFINITY;
    steps.push({ units, mayAt: Math.max(begunAt, notBefore), mustAt: news + PAINT_GRACE_MS });
    current = units;
  }
  return { id, steps };
}

/** The course of a movement from elsewhere on one meter; it is the same for every client. */
export function courseOfShift(shift: Shift, meter: string): Course {
  const units = shift.taken[meter] ?? 0;
  const steps = units === 0 ? [] : [{ units, mayAt: shift.notBefore, mustAt: shift.mustAt }];
  return { id: shift.id, steps };
}
