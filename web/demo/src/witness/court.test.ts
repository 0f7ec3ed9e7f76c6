import { beforeEach, describe, expect, test } from "vitest";
import { PAINT_GRACE_MS } from "../truth";
import { Court } from "./court";
import { Docket } from "./docket";
import { truthPoints } from "./evidence";
import type { Frame } from "./recorder";
import type { OperationRecord, Snapshot } from "./snapshot";

const METER = "premium_messages";

function snapshot(version: number, used: number, held: number, operations: OperationRecord[] = []) {
  const meters = { [METER]: { limit: 20, used, held } };
  const since = version - 1;
  return { account: "a", epoch: "e", since, version, reset: false, meters, operations } as Snapshot;
}

function frame(at: number, ours: number, naive: number): Frame {
  const shown = (remaining: number) => ({ [METER]: { used: 20 - remaining, remaining } });
  return { at, ours: shown(ours), naive: shown(naive) };
}

const held: OperationRecord = { id: "op", version: 2, state: "held", requested: { [METER]: 1 } };
const released: OperationRecord = { id: "op", version: 3, state: "released", charged: {} };

describe("the court", () => {
  let docket: Docket;
  let court: Court;
  const fromTheStart = { ours: 0, naive: 0 };

  beforeEach(() => {
    court = new Court();
    docket = new Docket();
    docket.observe(snapshot(1, 0, 0), 0, 5);
    docket.sent(docket.begin({ [METER]: 1 }, 100), "op");
    docket.observe(snapshot(2, 0, 1, [held]), 200, 205);
  });

  test("judges both clients by the same truth", () => {
    docket.news("ours", [released], 400);
    docket.news("naive", [released], 400);
    docket.observe(snapshot(3, 0, 0, [released]), 450, 455);
    docket.observe(snapshot(3, 0, 0), 1_000, 1_005);
    const late = 400 + PAINT_GRACE_MS;
    const frames = [frame(50, 20, 20), frame(150, 19, 19), frame(410, 20, 19), frame(late, 20, 19)];
    court.hear(frames, docket, fromTheStart);
    expect(court.score("ours", 1_000)).toMatchObject({ judged: 4, wrongFrames: 0, moments: 0 });
    expect(court.score("naive", 1_000)).toMatchObject({
      judged: 4,
      wrongFrames: 1,
      moments: 1,
      wrongMs: 1_000 - late,
      wrongNow: true,
    });
    expect(court.stretches("naive", METER)).toEqual([{ from: late }]);
  });

  test("waits with a verdict until the server was heard", () => {
    court.hear([frame(150, 19, 19), frame(300, 20, 20)], docket, fromTheStart);
    expect(court.score("ours", 300).judged).toBe(1);
  });

  test("judges a client from its first answer on, and never without one", () => {
    court.hear([frame(120, 20, 20), frame(150, 19, 20)], docket, { ours: 150 });
    expect(court.score("ours", 200)).toMatchObject({ judged: 1, wrongFrames: 0 });
    expect(court.score("naive", 200).judged).toBe(0);
  });

  test("the line of the truth steps at begin and at the first word of the decision", () => {
    docket.news("ours", [released], 400);
    docket.observe(snapshot(3, 0, 0, [released]), 450, 455);
    expect(truthPoints(docket, METER)).toEqual([
      { at: Number.NEGATIVE_INFINITY, value: 20 },
      { at: 100, value: 19 },
      { at: 400, value: 20 },
    ]);
  });
});
