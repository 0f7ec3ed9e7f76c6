import type { Stretch } from "../truth";
import { CLIENTS, type Client, METERS, type Meter } from "./clients";
import type { Court, Score } from "./court";
import type { Docket } from "./docket";
import type { Frame } from "./recorder";

/** A value that holds from a moment on. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** What remained of a meter over time: by the server, and as each client showed it. */
export interface Lines {
  readonly limit: number | undefined;
  readonly truth: readonly Point[];
  readonly shown: Readonly<Record<Client, readonly Point[]>>;
  readonly wrong: Readonly<Record<Client, readonly Stretch[]>>;
}

/** Stretches of time in which the observer looked; between them nothing moved. */
export interface Span {
  readonly from: number;
  readonly to?: number;
}

/** All that the page shows of what the witness knows. Replaced as a whole, never changed. */
export interface Evidence {
  readonly now: number;
  readonly awake: boolean;
  readonly spans: readonly Span[];
  readonly score: Readonly<Record<Client, Score>>;
  readonly wrong: Readonly<Record<Client, readonly Stretch[]>>;
  readonly lines: Readonly<Record<Meter, Lines>>;
}

/** What the evidence is made from. */
export interface Findings {
  readonly docket: Docket;
  readonly court: Court;
  readonly frames: readonly Frame[];
  readonly spans: readonly Span[];
  readonly limits: Readonly<Record<string, number>>;
}

export function gather(findings: Findings, now: number): Evidence {
  const { court, spans } = findings;
  return {
    now,
    awake: spans.length > 0 && spans.at(-1)?.to === undefined,
    spans,
    score: byClient((client) => court.score(client, now)),
    wrong: byClient((client) => court.stretches(client)),
    lines: Object.fromEntries(
      METERS.map((meter) => [meter, lines(findings, meter)]),
    ) as Evidence["lines"],
  };
}

function lines({ docket, court, frames, limits }: Findings, meter: Meter): Lines {
  return {
    limit: limits[meter],
    truth: truthPoints(docket, meter),
    shown: byClient((client) => shownPoints(frames, client, meter)),
    wrong: byClient((client) => court.stretches(client, meter)),
  };
}

/** Every step of the truth, at the moment when it was first known on this page. */
export function truthPoints(docket: Docket, meter: string): readonly Point[] {
  const margin = docket.margins?.[meter];
  if (margin === undefined) return [];
  const steps: { at: number; units: number }[] = [];
  for (const { begunAt, predicted, words } of docket.operations) {
    let current = predicted[meter] ?? 0;
    steps.push({ at: begunAt, units: current });
    for (const { taken, knownAt } of words) {
      const units = taken[meter] ?? 0;
      steps.push({ at: knownAt, units: units - current });
      current = units;
    }
  }
  for (const { knownAt, taken } of docket.shifts) {
    steps.push({ at: knownAt, units: taken[meter] ?? 0 });
  }
  let left = margin;
  const points: Point[] = [{ at: Number.NEGATIVE_INFINITY, value: Math.max(0, left) }];
  for (const { at, units } of steps
    .filter(({ units }) => units !== 0)
    .sort((a, b) => a.at - b.at)) {
    left -= units;
    points.push({ at, value: Math.max(0, left) });
  }
  return points;
}

function shownPoints(frames: readonly Frame[], client: Client, meter: Meter): readonly Point[] {
  const points: Point[] = [];
  for (const frame of frames) {
    const value = frame[client][meter]?.remaining;
    if (value !== undefined && value !== points.at(-1)?.value) points.push({ at: frame.at, value });
  }
  return points;
}

function byClient<T>(of: (client: Client) => T): Record<Client, T> {
  return Object.fromEntries(CLIENTS.map((client) => [client, of(client)])) as Record<Client, T>;
}
