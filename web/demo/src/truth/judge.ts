import type { Course } from "./course";

/** For every course the step that a client has reached; -1 is "before the first". */
type Position = Readonly<Record<string, number>>;

/** Every combination of steps that explains what a client has shown so far. */
export interface Standing {
  readonly positions: readonly Position[];
}

export interface Judgement {
  readonly right: boolean;
  readonly standing: Standing;
}

export const START: Standing = { positions: [{}] };

/** More combinations than these are not told apart; a chat never comes near it. */
const MAX_POSITIONS = 4096;

/**
 * Judges one number on a screen. It is right when some combination of allowed steps adds up to it
 * and no course of that combination lies behind where the client already was: a client that has
 * shown the actual may never go back to the prediction.
 *
 * `margin` is what remained before any course; `shown` is the number of units that remain by the
 * screen. A wrong number teaches nothing, so the next one is judged by what was allowed here.
 */
export function judge(
  standing: Standing,
  courses: readonly Course[],
  margin: number,
  at: number,
  shown: number,
): Judgement {
  const allowed = advance(standing, courses, at);
  const fitting = allowed.filter((position) => remaining(position, courses, margin) === shown);
  return fitting.length > 0
    ? { right: true, standing: { positions: fitting } }
    : { right: false, standing: { positions: allowed } };
}

/** Every position that a client at `standing` may have at the moment `at`. */
function advance(standing: Standing, courses: readonly Course[], at: number): Position[] {
  let positions: Position[] = [...standing.positions];
  for (const course of courses) {
    const must = lastReached(course, (step) => step.mustAt <= at);
    const may = lastReached(course, (step) => step.mayAt <= at);
    positions = positions.flatMap((position) => {
      const from = Math.max(position[course.id] ?? -1, must);
      return range(from, Math.max(from, may)).map((step) => ({ ...position, [course.id]: step }));
    });
    if (positions.length > MAX_POSITIONS) positions = positions.slice(-MAX_POSITIONS);
  }
  return distinct(positions);
}

function lastReached(course: Course, reached: (step: Course["steps"][number]) => boolean): number {
  return course.steps.findLastIndex(reached);
}

function remaining(position: Position, courses: readonly Course[], margin: number): number {
  let taken = 0;
  for (const course of courses) taken += course.steps[position[course.id] ?? -1]?.units ?? 0;
  return Math.max(0, margin - taken);
}

function distinct(positions: readonly Position[]): Position[] {
  if (positions.length < 2) return [...positions];
  const byKey = new Map(positions.map((position) => [JSON.stringify(position), position]));
  return [...byKey.values()];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
