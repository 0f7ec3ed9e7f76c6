import { describe, expect, test } from "vitest";
import {
  courseOfOperation,
  courseOfShift,
  type Operation,
  PAINT_GRACE_MS,
  type Shift,
  type Word,
} from "./course";
import { judge, START } from "./judge";

const METER = "premium_messages";
const STANDARD = "standard_messages";
/** Past the grace of anything that happened on the second before. */
const LATER = PAINT_GRACE_MS + 1;

function operation(id: string, begunAt: number, rest: Partial<Operation> = {}): Operation {
  return { id, begunAt, predicted: { [METER]: 1 }, words: [], ...rest };
}

interface Case {
  readonly name: string;
  readonly operations: readonly Operation[];
  readonly shifts?: readonly Shift[];
  readonly meter?: string;
  readonly margin?: number;
  /** [moment, number on the screen, whether it is right] */
  readonly frames: readonly (readonly [number, number, boolean])[];
}

function check({ operations, shifts = [], meter = METER, margin = 10, frames }: Case) {
  let standing = START;
  const verdicts = frames.map(([at, shown]) => {
    const courses = [
      ...operations.map((one) => courseOfOperation(one, meter, "ours")),
      ...shifts.map((one) => courseOfShift(one, meter)),
    ];
    const judgement = judge(standing, courses, margin, at, shown);
    standing = judgement.standing;
    return [at, shown, judgement.right] as const;
  });
  expect(verdicts).toEqual(frames);
}

/** The server's word at a moment, and when a client heard it. */
function word(notBefore: number, taken: Word["taken"], newsAt: Word["newsAt"] = {}): Word {
  return { version: notBefore, final: true, notBefore, knownAt: notBefore, taken, newsAt };
}

const released = (at: number, newsAt?: Word["newsAt"]) => word(at, {}, newsAt);
const fellBack = (at: number, newsAt?: Word["newsAt"]) => word(at, { [STANDARD]: 1 }, newsAt);
const settled = (at: number, newsAt?: Word["newsAt"]) => word(at, { [METER]: 1 }, newsAt);

const CASES: readonly Case[] = [
  {
    name: "without operations only the margin is right",
    operations: [],
    frames: [
      [0, 10, true],
      [1, 9, false],
      [2, 10, true],
    ],
  },
  {
    name: "a prediction counts from its begin",
    operations: [operation("a", 100)],
    frames: [
      [50, 9, false],
      [101, 9, true],
      [5_000, 9, true],
    ],
  },
  {
    name: "a prediction that the screen leaves out is wrong once it had time to paint",
    operations: [operation("a", 100)],
    frames: [
      [100 + PAINT_GRACE_MS - 1, 10, true],
      [100 + PAINT_GRACE_MS, 10, false],
    ],
  },
  {
    name: "a prediction once shown may not vanish, not even within the grace",
    operations: [operation("a", 100)],
    frames: [
      [110, 9, true],
      [120, 10, false],
      [130, 9, true],
    ],
  },
  {
    name: "an actual that equals the prediction changes nothing",
    operations: [operation("a", 100, { words: [settled(200, { ours: 300 })] })],
    frames: [
      [150, 9, true],
      [250, 9, true],
      [300 + LATER, 9, true],
      [300 + LATER, 10, false],
    ],
  },
  {
    name: "a release cannot be shown before the server decided",
    operations: [operation("a", 100, { words: [released(500)] })],
    frames: [
      [499, 10, false],
      [500, 10, true],
    ],
  },
  {
    name: "between decision and news either is right",
    operations: [operation("a", 100, { words: [released(500, { ours: 900 })] })],
    frames: [
      [499, 9, true],
      [600, 9, true],
      [700, 10, true],
      [900 + LATER, 10, true],
    ],
  },
  {
    name: "never back from the actual to the prediction",
    operations: [operation("a", 100, { words: [released(500, { ours: 900 })] })],
    frames: [
      [600, 10, true],
      [700, 9, false],
      [800, 9, false],
      [850, 10, true],
    ],
  },
  {
    name: "after the news the prediction is wrong",
    operations: [operation("a", 100, { words: [released(500, { ours: 900 })] })],
    frames: [
      [899, 9, true],
      [900 + PAINT_GRACE_MS, 9, false],
    ],
  },
  {
    name: "news that reached another client does not count",
    operations: [operation("a", 100, { words: [released(500, { naive: 900 })] })],
    frames: [[5_000, 9, true]],
  },
  {
    name: "a fallback charges the other meter from the decision on",
    meter: STANDARD,
    operations: [operation("a", 100, { words: [fellBack(500, { ours: 900 })] })],
    frames: [
      [200, 10, true],
      [499, 9, false],
      [600, 9, true],
      [700, 10, false],
      [900 + LATER, 9, true],
    ],
  },
  {
    name: "a hold that moves to another meter is a word as well, and may be missed",
    operations: [operation("a", 100, { words: [fellBack(500), released(700, { ours: 900 })] })],
    frames: [
      [499, 9, true],
      [600, 10, true],
      [650, 9, false],
      [700, 10, true],
      [900 + LATER, 10, true],
    ],
  },
  {
    name: "an overwrite that forgets an operation still in flight is wrong",
    operations: [
      operation("a", 100, { words: [settled(400, { ours: 400 })] }),
      operation("b", 300),
    ],
    frames: [
      [200, 9, true],
      [350, 8, true],
      [500, 9, false],
      [700, 8, true],
    ],
  },
  {
    name: "two undecided releases are told apart by their sum only",
    operations: [
      operation("a", 100, { words: [released(400)] }),
      operation("b", 100, { words: [released(600)] }),
    ],
    frames: [
      [300, 8, true],
      [500, 9, true],
      [650, 8, false],
      [700, 10, true],
      [750, 9, false],
    ],
  },
  {
    name: "a sum that two operations explain keeps both explanations",
    operations: [
      operation("a", 100, { words: [released(400, { ours: 800 })] }),
      operation("b", 100, { words: [released(400)] }),
    ],
    frames: [
      [500, 9, true],
      [800 + LATER, 9, true],
    ],
  },
  {
    name: "remaining never falls below zero",
    margin: 1,
    operations: [operation("a", 100), operation("b", 100), operation("c", 100)],
    frames: [
      [200, 0, true],
      [201, 1, false],
    ],
  },
  {
    name: "a grant is right from the moment it may have happened until it must be known",
    operations: [],
    shifts: [{ id: "grant", notBefore: 100, knownAt: 200, mustAt: 1_000, taken: { [METER]: -5 } }],
    frames: [
      [99, 15, false],
      [500, 10, true],
      [600, 15, true],
      [700, 10, false],
      [1_000, 15, true],
    ],
  },
];

describe("a number on the screen", () => {
  for (const one of CASES) test(one.name, () => check(one));
});
