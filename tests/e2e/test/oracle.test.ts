import { describe, expect, test } from "vitest";
import { type Begun, claimsOf, type News } from "../src/oracle/claims";
import { GRACE_MS, judge } from "../src/oracle/judge";
import { amountsOf, type Entry } from "../src/oracle/ledger";

const P = "premium_messages";
const S = "standard_messages";
const FRAME_MS = 20;
/** So late that neither milliseconds nor frames forgive anything any more. */
const LATE = GRACE_MS + 5 * FRAME_MS;

type Line = readonly [meter: string, used: number, held: number];

function entry(at: number, version: number, operation: string | null, ...lines: readonly Line[]) {
  return {
    version,
    kind: "any",
    cause: "any",
    operation,
    actor: null,
    at: new Date(at).toISOString(),
    lines: lines.map(([meter, used, held]) => ({ meter, used, held, granted: 0 })),
  } satisfies Entry;
}

const hold = (at: number, version: number, id: string) => entry(at, version, id, [P, 0, 1]);
const settle = (at: number, version: number, id: string) => entry(at, version, id, [P, 1, -1]);
const release = (at: number, version: number, id: string) => entry(at, version, id, [P, 0, -1]);

function begun(operation: string, at: number): Begun {
  return { operation, pressedAt: at, departedAt: at, predicted: { [P]: 1 } };
}

interface Case {
  readonly name: string;
  readonly entries?: readonly Entry[];
  readonly begun?: readonly Begun[];
  readonly news?: readonly News[];
  readonly limit?: number;
  /** [from, used premium, used standard, whether it is right]; each lasts until the next. */
  readonly shown: readonly (readonly [number, number, number, boolean])[];
}

/** The screen drawn every 20 ms; every stretch must be judged alike from its first frame to its last. */
function check({ entries = [], begun = [], news = [], limit = 20, shown }: Case): void {
  const limits = { [P]: limit, [S]: 200 };
  const frames = shown.flatMap(([from, premium, standard], index) => {
    const to = shown[index + 1]?.[0] ?? from + 5 * FRAME_MS;
    const figures = (limit: number, used: number) => ({
      limit,
      used,
      remaining: Math.max(0, limit - used),
    });
    const meters = { [P]: figures(limit, premium), [S]: figures(200, standard) };
    return Array.from({ length: Math.ceil((to - from) / FRAME_MS) }, (_, frame) => ({
      at: from + frame * FRAME_MS,
      meters,
    }));
  });
  const facts = { entries, begun, news, start: amountsOf([]), limits };
  const wrong = new Set(judge(frames, claimsOf(facts), facts).wrong.map(({ at }) => at));
  const verdicts = shown.map(([from, premium, standard], index) => {
    const to = shown[index + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    const own = frames.filter(({ at }) => at >= from && at < to).map(({ at }) => !wrong.has(at));
    const alike = own.every((right) => right === own[0]);
    return [from, premium, standard, alike ? own[0] : "partly"];
  });
  expect(verdicts).toEqual(shown);
}

const CASES: readonly Case[] = [
  {
    name: "without operations only what was there is right",
    shown: [
      [0, 0, 0, true],
      [100, 1, 0, false],
      [200, 0, 0, true],
    ],
  },
  {
    name: "a prediction may not be shown before the button was pressed",
    begun: [begun("a", 1000)],
    shown: [
      [900, 1, 0, false],
      [1000, 1, 0, true],
    ],
  },
  {
    name: "a prediction that is left out is wrong once there was time to draw it",
    begun: [begun("a", 1000)],
    shown: [
      [980, 0, 0, true],
      [1000 + GRACE_MS, 0, 0, false],
    ],
  },
  {
    name: "a prediction that was shown may not vanish, not even in the time to draw",
    begun: [begun("a", 1000)],
    shown: [
      [1000, 1, 0, true],
      [1020, 0, 0, false],
      [1040, 1, 0, true],
    ],
  },
  {
    name: "hold and settle of what was predicted change nothing",
    begun: [begun("a", 1000)],
    entries: [hold(1100, 1, "a"), settle(1500, 2, "a")],
    news: [{ at: 1600, version: 2 }],
    shown: [
      [1000, 1, 0, true],
      [1200, 0, 0, false],
      [1300, 1, 0, true],
      [1600 + LATE, 2, 0, false],
    ],
  },
  {
    name: "a release may be shown when the ledger has it, and must be after the news of it",
    begun: [begun("a", 1000)],
    entries: [hold(1100, 1, "a"), release(1500, 2, "a")],
    news: [{ at: 1800, version: 2 }],
    shown: [
      [1000, 1, 0, true],
      [1400, 0, 0, false],
      [1500, 1, 0, true],
      [1800 + GRACE_MS, 1, 0, false],
      [2200, 0, 0, true],
    ],
  },
  {
    name: "nobody goes back from the actual to the prediction",
    begun: [begun("a", 1000)],
    entries: [hold(1100, 1, "a"), release(1500, 2, "a")],
    shown: [
      [1000, 1, 0, true],
      [1500, 0, 0, true],
      [1600, 1, 0, false],
      [1700, 0, 0, true],
    ],
  },
  {
    name: "a client that was told nothing may keep the prediction",
    begun: [begun("a", 1000)],
    entries: [hold(1100, 1, "a"), release(1500, 2, "a")],
    news: [{ at: 1600, version: 2, operation: "b" }],
    shown: [
      [1000, 1, 0, true],
      [9000, 1, 0, true],
    ],
  },
  {
    name: "a fallback moves both meters in one frame",
    begun: [begun("a", 1000)],
    entries: [
      hold(1100, 1, "a"),
      entry(1200, 2, "a", [P, 0, -1], [S, 0, 1]),
      entry(1500, 3, "a", [S, 1, -1]),
    ],
    shown: [
      [1000, 1, 0, true],
      [1300, 1, 1, false],
      [1400, 0, 0, false],
      [1500, 0, 1, true],
    ],
  },
  {
    name: "an overwrite that forgets a message under way is wrong",
    begun: [begun("a", 1000), begun("b", 1200)],
    entries: [hold(1050, 1, "a"), hold(1250, 2, "b"), settle(1400, 3, "a"), settle(1900, 4, "b")],
    shown: [
      [1000, 1, 0, true],
      [1200, 2, 0, true],
      [1500, 1, 0, false],
      [1700, 2, 0, true],
    ],
  },
  {
    name: "use elsewhere may be shown from its entry on, and must be after the news of it",
    entries: [settle(1000, 1, "elsewhere")].map((one) => ({ ...one, lines: hold(0, 1, "").lines })),
    news: [{ at: 2000, version: 5 }],
    shown: [
      [900, 1, 0, false],
      [1000, 0, 0, true],
      [2000 + GRACE_MS, 0, 0, false],
      [2300, 1, 0, true],
    ],
  },
  {
    name: "where there is no room the page may foresee the refusal or wait for it",
    limit: 1,
    begun: [begun("a", 1000), begun("b", 1200)],
    entries: [hold(1050, 1, "a"), entry(1300, 2, "b")],
    news: [{ at: 1400, version: 2 }],
    shown: [
      [1000, 1, 0, true],
      [1200, 2, 0, true],
      [1400, 1, 0, true],
      [1700, 2, 0, false],
    ],
  },
  {
    name: "where there is room a message counts at once",
    limit: 2,
    begun: [begun("a", 1000), begun("b", 1200)],
    shown: [
      [1000, 1, 0, true],
      [1200 + GRACE_MS, 1, 0, false],
      [1500, 2, 0, true],
    ],
  },
];

describe("the judge of the screen", () => {
  for (const one of CASES) test(one.name, () => check(one));

  test("a grant raises the limit and what remains together", () => {
    const grant = entry(1000, 1, "grant", [P, 0, 0]);
    const entries = [{ ...grant, lines: [{ meter: P, used: 0, held: 0, granted: 5 }] }];
    const facts = { entries, begun: [], news: [], start: amountsOf([]), limits: { [P]: 20 } };
    const frame = (at: number, limit: number, remaining: number) => ({
      at,
      meters: { [P]: { limit, used: 0, remaining } },
    });
    const frames = [frame(900, 20, 20), frame(1000, 25, 20), frame(1020, 25, 25)];
    const { wrong } = judge(frames, claimsOf(facts), facts);
    expect(wrong.map(({ at }) => at)).toEqual([1000]);
  });

  test("a machine that is too busy to draw has three frames to follow, however long they take", () => {
    const facts = {
      entries: [],
      begun: [begun("a", 1000)],
      news: [],
      start: amountsOf([]),
      limits: { [P]: 20 },
    };
    const frames = [900, 1500, 2000, 2500, 3000].map((at) => ({
      at,
      meters: { [P]: { used: 0, remaining: 20 } },
    }));
    const { wrong } = judge(frames, claimsOf(facts), facts);
    expect(wrong.map(({ at }) => at)).toEqual([3000]);
  });
});
