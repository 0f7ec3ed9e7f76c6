import type { Claim } from "./claims";
import { type Amounts, NOTHING } from "./ledger";

/** What one client showed in one frame. A meter that is missing was not to be seen, which is wrong. */
export interface Shown {
  readonly at: number;
  readonly meters: Readonly<Record<string, ShownMeter>>;
}

/** A client without a limit of its own is not asked about it. Null is unlimited. */
export interface ShownMeter {
  readonly limit?: number | null;
  readonly used: number;
  readonly remaining: number | null;
}

/** What was taken, and what the limits were, before any claim. */
export interface Start {
  readonly start: Amounts;
  readonly limits: Readonly<Record<string, number>>;
}

export interface Verdict {
  /** Frames in which the client showed figures. */
  readonly judged: number;
  readonly wrong: readonly WrongFrame[];
}

export interface WrongFrame {
  readonly at: number;
  readonly shown: Shown["meters"];
  /** What would have been right. */
  readonly allowed: readonly Shown["meters"][];
}

/**
 * Within a tenth of a second people see a cause and its effect as one. A screen may be so late,
 * and three frames on a machine that is too busy to draw; it may never be early, and never go back.
 */
export const GRACE_MS = 100;
export const GRACE_FRAMES = 3;

/** For each claim how many of its stages the screen has reached. */
type Position = readonly number[];

/**
 * Judges every frame of one client. A frame is right when one position explains all its meters at
 * once, and lies nowhere behind a position that explains the frames before it.
 */
export function judge(frames: readonly Shown[], claims: readonly Claim[], start: Start): Verdict {
  const due = claims.map(({ stages }) => stages.map(({ mustFrom }) => dueFrame(frames, mustFrom)));
  let positions: readonly Position[] = [claims.map(() => 0)];
  const wrong: WrongFrame[] = [];
  for (const [index, frame] of frames.entries()) {
    const ranges = claims.map(({ stages }, claim) => ({
      least: count(due[claim] ?? [], (first) => first <= index),
      most: count(stages, ({ mayFrom }) => mayFrom <= frame.at),
    }));
    const reachable = advance(positions, ranges);
    const fitting = reachable.filter((position) => explains(position, claims, start, frame));
    if (fitting.length === 0) {
      const allowed = reachable.map((position) => screenOf(position, claims, start));
      wrong.push({ at: frame.at, shown: frame.meters, allowed: distinct(allowed) });
    }
    // A wrong frame tells nothing about where the client stands.
    positions = fitting.length > 0 ? fitting : reachable;
  }
  return { judged: frames.length, wrong };
}

/** The first frame in which something that had to be on its way at `mustFrom` may not be missing. */
function dueFrame(frames: readonly Shown[], mustFrom: number): number {
  const late = frames.findIndex(({ at }) => at >= mustFrom + GRACE_MS);
  const next = frames.findIndex(({ at }) => at > mustFrom);
  return late < 0 ? Number.POSITIVE_INFINITY : Math.max(late, next + GRACE_FRAMES);
}

/** How many of the items are reached: the place of the last one that is. */
function count<Item>(items: readonly Item[], reached: (item: Item) => boolean): number {
  return items.findLastIndex(reached) + 1;
}

interface Range {
  readonly least: number;
  readonly most: number;
}

function advance(from: readonly Position[], ranges: readonly Range[]): readonly Position[] {
  let reachable: readonly Position[] = from;
  for (const [claim, { least, most }] of ranges.entries()) {
    reachable = reachable.flatMap((position) => {
      const first = Math.max(position[claim] ?? 0, least);
      const steps = Math.max(first, most) - first + 1;
      return Array.from({ length: steps }, (_, step) => position.with(claim, first + step));
    });
  }
  return distinct(reachable);
}

function explains(position: Position, claims: readonly Claim[], start: Start, frame: Shown) {
  const right = screenOf(position, claims, start);
  return Object.entries(right).every(([meter, { limit, used, remaining }]) => {
    const shown = frame.meters[meter];
    const fits = shown?.used === used && shown.remaining === remaining;
    return fits && (shown.limit === undefined || shown.limit === limit);
  });
}

/** What a screen at this position shows. */
function screenOf(
  position: Position,
  claims: readonly Claim[],
  { start, limits }: Start,
): Shown["meters"] {
  const reached = claims.map(
    ({ stages }, claim) => stages[(position[claim] ?? 0) - 1]?.amounts ?? NOTHING,
  );
  const all = [start, ...reached];
  const figures = Object.entries(limits).map(([meter, plan]) => {
    const used = all.reduce((sum, { taken }) => sum + (taken[meter] ?? 0), 0);
    const granted = all.reduce((sum, one) => sum + (one.granted[meter] ?? 0), 0);
    const limit = plan + granted;
    return Number.isFinite(limit)
      ? ([meter, { limit, used, remaining: Math.max(0, limit - used) }] as const)
      : ([meter, { limit: null, used, remaining: null }] as const);
  });
  return Object.fromEntries(figures);
}

function distinct<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
