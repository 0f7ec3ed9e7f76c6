import type { Point } from "../witness";

/** A value that holds from one moment to another. */
export interface Step {
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

/** A line of points as steps within a range, in the time of `clock`. */
export function stepsWithin(
  points: readonly Point[],
  clock: (at: number) => number,
  [start, end]: readonly [number, number],
): readonly Step[] {
  return points.flatMap(({ at, value }, index) => {
    const next = points[index + 1];
    const from = Math.max(start, clock(at));
    const to = Math.min(end, next ? clock(next.at) : end);
    return to > from ? [{ from, to, value }] : [];
  });
}

/** Where two lines lie apart: for every common stretch of time both values. */
export function apart(
  left: readonly Step[],
  right: readonly Step[],
): readonly {
  readonly from: number;
  readonly to: number;
  readonly values: readonly [number, number];
}[] {
  return left.flatMap((one) =>
    right.flatMap((other) => {
      const from = Math.max(one.from, other.from);
      const to = Math.min(one.to, other.to);
      const values = [one.value, other.value] as const;
      return to > from && one.value !== other.value ? [{ from, to, values }] : [];
    }),
  );
}

/** The range of values to draw: all that occurs, some air, and never less than `least` units. */
export function valueRange(
  lines: readonly (readonly Step[])[],
  limit: number,
  least: number,
): readonly [number, number] {
  const values = lines.flat().map(({ value }) => value);
  let low = Math.max(0, Math.min(limit, ...values) - 1);
  let high = Math.min(limit, Math.max(0, ...values) + 1);
  if (high - low < least) {
    low = Math.max(0, Math.min(low, high - least));
    high = Math.min(limit, Math.max(high, low + least));
  }
  return [low, Math.max(high, low + 1)];
}

/** Moves labels apart so that neighbours keep a distance; order is kept. */
export function spread(
  places: readonly number[],
  distance: number,
  max: number,
): readonly number[] {
  const order = places.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place);
  const moved = [...places];
  let floor = Number.NEGATIVE_INFINITY;
  for (const { place, index } of order) {
    floor = Math.max(place, floor + distance);
    moved[index] = floor;
  }
  let ceiling = max;
  for (const { index } of order.reverse()) {
    ceiling = Math.min(moved[index] ?? 0, ceiling);
    moved[index] = ceiling;
    ceiling -= distance;
  }
  return moved;
}
