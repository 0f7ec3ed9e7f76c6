import type { Evidence, Meter } from "../witness";
import { activeTime, seams } from "./activeTime";
import { apart, type Step, stepsWithin, valueRange } from "./steps";

/** How much watched time the chart shows. */
export const WINDOW_MS = 40_000;
const LEAST_UNITS = 4;

export const LANE_HEIGHT = 10;
export const LEFT = 30;
const TOP = 12;
const LANES = 46;
const AXIS = 22;

/** The room there is, in CSS pixels; `margin` at the right is for the figures at the line ends. */
export interface Room {
  readonly width: number;
  readonly height: number;
  readonly margin: number;
}

export type LineName = "truth" | "ours" | "naive";

/** Everything that the chart draws, in pixels. */
export interface ChartLayout {
  /** Where the lines end. */
  readonly right: number;
  /** Where the scale of values ends. */
  readonly bottom: number;
  readonly paths: Readonly<Record<LineName, string>>;
  /** The value and height of each line at the right edge. */
  readonly ends: Readonly<
    Record<LineName, { readonly value: number; readonly y: number } | undefined>
  >;
  readonly grid: readonly { readonly value: number; readonly y: number }[];
  readonly times: readonly { readonly label: string; readonly x: number }[];
  readonly seams: readonly number[];
  /** Areas between the truth and a wrong line. */
  readonly wrongAreas: readonly Box[];
  /** Areas between the truth and our line while the news is on its way, where both are right. */
  readonly newsAreas: readonly Box[];
  readonly lanes: readonly Lane[];
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Lane {
  readonly client: "ours" | "naive";
  readonly y: number;
  readonly wrong: readonly { readonly x: number; readonly width: number }[];
}

export function layOut(evidence: Evidence, meter: Meter, room: Room): ChartLayout {
  const { spans, now, lines, wrong } = evidence;
  const { limit = 0, truth, shown, wrong: wrongHere } = lines[meter];
  const active = activeTime(spans, now);
  const end = active(now);
  const start = end - WINDOW_MS;
  const range = [Math.max(0, start), end] as const;
  const right = room.width - room.margin;
  const bottom = room.height - LANES - AXIS;

  const x = (time: number) => LEFT + ((time - start) / WINDOW_MS) * (right - LEFT);
  const steps: Record<LineName, readonly Step[]> = {
    truth: stepsWithin(truth, active, range),
    ours: stepsWithin(shown.ours, active, range),
    naive: stepsWithin(shown.naive, active, range),
  };
  const [low, high] = valueRange(Object.values(steps), limit, LEAST_UNITS);
  const y = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - TOP);

  const within = (stretches: Evidence["wrong"]["ours"]) =>
    stretches.flatMap(({ from, to = now }) => {
      const [left, until] = [Math.max(start, active(from)), active(to)];
      return until > left ? [{ from: left, to: until }] : [];
    });
  const boxes = (left: readonly Step[], right: readonly Step[]): readonly Box[] =>
    apart(left, right).map(({ from, to, values }) => ({
      x: x(from),
      width: x(to) - x(from),
      y: y(Math.max(...values)),
      height: y(Math.min(...values)) - y(Math.max(...values)),
    }));
  const wrongAreas = (["ours", "naive"] as const).flatMap((client) =>
    within(wrongHere[client]).flatMap(({ from, to }) =>
      boxes(cut(steps.truth, from, to), steps[client]),
    ),
  );
  return {
    right,
    bottom,
    paths: mapValues(steps, (line) => path(line, x, y)),
    ends: mapValues(steps, (line) => {
      const last = line.at(-1);
      return last && { value: last.value, y: y(last.value) };
    }),
    grid: ticks(low, high).map((value) => ({ value, y: y(value) })),
    times: [0, 10_000, 20_000, 30_000].map((ago) => ({
      label: ago === 0 ? "now" : `${ago / 1000} s`,
      x: x(end - ago),
    })),
    seams: seams(spans, active)
      .filter((time) => time > start)
      .map(x),
    wrongAreas,
    newsAreas: boxes(steps.truth, steps.ours),
    lanes: (["ours", "naive"] as const).map((client, index) => ({
      client,
      y: bottom + AXIS + 8 + index * 18,
      wrong: within(wrong[client]).map(({ from, to }) => ({
        x: x(from),
        // A single wrong frame must not be invisible.
        width: Math.max(2, x(to) - x(from)),
      })),
    })),
  };
}

function path(steps: readonly Step[], x: (time: number) => number, y: (value: number) => number) {
  return steps
    .map(({ from, to, value }, index) => {
      const height = y(value).toFixed(1);
      const begin = index === 0 ? `M${x(from).toFixed(1)} ${height}` : `V${height}`;
      return `${begin}H${x(to).toFixed(1)}`;
    })
    .join("");
}

function cut(steps: readonly Step[], from: number, to: number): readonly Step[] {
  return steps.flatMap((step) => {
    const part = { ...step, from: Math.max(from, step.from), to: Math.min(to, step.to) };
    return part.to > part.from ? [part] : [];
  });
}

function ticks(low: number, high: number): readonly number[] {
  const stride = Math.max(1, Math.ceil((high - low) / 5));
  const first = Math.ceil(low / stride) * stride;
  const count = Math.floor((high - first) / stride) + 1;
  return Array.from({ length: count }, (_, index) => first + index * stride);
}

function mapValues<T, U>(record: Readonly<Record<LineName, T>>, map: (value: T) => U) {
  return { truth: map(record.truth), ours: map(record.ours), naive: map(record.naive) };
}
