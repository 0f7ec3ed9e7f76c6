import { beforeEach, describe, expect, test } from "vitest";
import { Docket } from "./docket";
import { truthPoints } from "./evidence";
import type { OperationRecord, Snapshot } from "./snapshot";

const METER = "premium_messages";

function snapshot(
  version: number,
  used: number,
  held: number,
  rest: Partial<Snapshot> = {},
): Snapshot {
  return {
    account: "acct",
    epoch: "epoch",
    since: version,
    version,
    reset: false,
    meters: { [METER]: { limit: 20, used, held } },
    operations: [],
    ...rest,
  };
}

const held: OperationRecord = { id: "op", version: 2, state: "held", requested: { [METER]: 1 } };
const settled: OperationRecord = {
  id: "op",
  version: 3,
  state: "settled",
  charged: { [METER]: 1 },
};
const released: OperationRecord = { id: "op", version: 3, state: "released", charged: {} };

describe("the docket", () => {
  let docket: Docket;

  beforeEach(() => {
    docket = new Docket();
    docket.observe(snapshot(1, 4, 0), 0, 5);
  });

  function remaining(): number | undefined {
    return truthPoints(docket, METER).at(-1)?.value;
  }

  function beginAndSend(): void {
    docket.sent(docket.begin({ [METER]: 1 }, 100), "op");
  }

  test("an operation counts from its begin, through its hold, to its settlement", () => {
    expect(remaining()).toBe(16);
    beginAndSend();
    expect(remaining()).toBe(15);
    docket.observe(snapshot(2, 4, 1, { since: 1, operations: [held] }), 150, 155);
    expect(remaining()).toBe(15);
    docket.observe(snapshot(3, 5, 0, { since: 2, operations: [settled] }), 300, 305);
    expect(remaining()).toBe(15);
    expect(docket.shifts).toEqual([]);
    expect(docket.undecided).toEqual([]);
  });

  test("a decision cannot be older than the poll before the one that brought it", () => {
    beginAndSend();
    docket.observe(snapshot(2, 4, 1, { since: 1, operations: [held] }), 150, 155);
    docket.observe(snapshot(3, 4, 0, { since: 2, operations: [released] }), 300, 305);
    const words = docket.operations[0]?.words;
    expect(words?.at(-1)).toMatchObject({ notBefore: 150, knownAt: 305, taken: {}, final: true });
    expect(remaining()).toBe(16);
  });

  test("a hold that another model takes over moves to its meter and is no shift", () => {
    const meters = {
      [METER]: { limit: 20, used: 4, held: 0 },
      standard_messages: { limit: 200, used: 0, held: 1 },
    };
    const moved: OperationRecord = { ...held, held: { standard_messages: 1 } };
    docket = new Docket();
    const standard = { limit: 200, used: 0, held: 0 };
    const before = { [METER]: { limit: 20, used: 4, held: 0 }, standard_messages: standard };
    docket.observe(snapshot(1, 4, 0, { meters: before }), 0, 5);
    beginAndSend();
    docket.observe(snapshot(2, 4, 0, { since: 1, meters, operations: [moved] }), 150, 155);
    expect(docket.shifts).toEqual([]);
    expect(remaining()).toBe(16);
    expect(docket.undecided).toHaveLength(1);
  });

  test("a withdrawn action leaves no trace", () => {
    docket.withdraw(docket.begin({ [METER]: 1 }, 100));
    expect(remaining()).toBe(16);
  });

  test("an id that the server refuses takes nothing, and is asked for no more", () => {
    beginAndSend();
    docket.newsUpTo("naive", 1, 130);
    docket.refused("op", undefined, 150);
    expect(remaining()).toBe(16);
    expect(docket.undecided).toEqual([]);
    expect(docket.operations[0]?.words[0]?.newsAt).toEqual({});
    docket.refused("op", "ours", 180);
    docket.observe(snapshot(1, 4, 0), 200, 205);
    expect(docket.operations[0]?.words).toMatchObject([{ final: true, newsAt: { ours: 180 } }]);
    expect(docket.shifts).toEqual([]);
    expect(remaining()).toBe(16);
  });

  test("units taken elsewhere become a shift", () => {
    docket.observe(snapshot(2, 7, 0, { since: 1 }), 150, 155);
    expect(docket.shifts).toMatchObject([{ notBefore: 0, taken: { [METER]: 3 } }]);
    expect(remaining()).toBe(13);
  });

  test("news counts from its first arrival, even when the decision is observed later", () => {
    beginAndSend();
    docket.news("ours", [settled], 250);
    docket.news("ours", [settled], 290);
    docket.newsUpTo("naive", 3, 280);
    docket.observe(snapshot(3, 5, 0, { since: 1, operations: [settled] }), 300, 305);
    expect(docket.operations[0]?.words).toMatchObject([
      { knownAt: 250, newsAt: { ours: 250, naive: 280 } },
    ]);
  });

  test("a total that is older than the decision is no news of it", () => {
    beginAndSend();
    docket.newsUpTo("naive", 2, 280);
    docket.observe(snapshot(3, 5, 0, { since: 1, operations: [settled] }), 300, 305);
    expect(docket.operations[0]?.words[0]?.newsAt).toEqual({});
  });

  test("an operation restored after a reload is not counted twice", () => {
    const reloaded = new Docket();
    reloaded.begin({ [METER]: 1 }, 0, "op");
    reloaded.observe(snapshot(2, 4, 1, { operations: [held] }), 10, 15);
    expect(reloaded.margins).toEqual({ [METER]: 16 });
    reloaded.observe(snapshot(3, 4, 0, { since: 2, operations: [released] }), 20, 25);
    expect(reloaded.shifts).toEqual([]);
  });

  test("another epoch starts the docket over and keeps what is undecided", () => {
    beginAndSend();
    expect(docket.observe(snapshot(2, 0, 0, { epoch: "other" }), 150, 155)).toBe(false);
    expect(docket.margins).toBeUndefined();
    expect(docket.undecided).toHaveLength(1);
    docket.observe(snapshot(2, 0, 0, { epoch: "other" }), 160, 165);
    expect(remaining()).toBe(20 - 1);
  });
});
