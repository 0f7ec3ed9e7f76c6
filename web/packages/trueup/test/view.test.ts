import { describe, expect, test } from "vitest";
import { LOADING_VIEW, type MeterView, replaceView, type UsageView } from "../src/view.js";

const meter = (used: number): MeterView => ({
  limit: 5,
  used,
  settled: used,
  held: 0,
  pending: 0,
  remaining: 5 - used,
  enforcement: "hard",
  resetting: false,
});

const view = (meters: Record<string, MeterView>, more: Partial<UsageView> = {}): UsageView => ({
  status: "live",
  account: "acct_7",
  version: 3,
  meters,
  ...more,
});

describe("replaceView", () => {
  const before = replaceView(LOADING_VIEW, view({ a: meter(1), b: meter(2) }));

  test("an equal view is the same object", () => {
    expect(replaceView(before, view({ a: meter(1), b: meter(2) }))).toBe(before);
  });

  test("a meter that did not move is the same object", () => {
    const after = replaceView(before, view({ a: meter(1), b: meter(3) }));
    expect(after).not.toBe(before);
    expect(after.meters.a).toBe(before.meters.a);
    expect(after.meters.b).toEqual(meter(3));
  });

  test("meters that did not move are one object under a new version", () => {
    const after = replaceView(before, view({ a: meter(1), b: meter(2) }, { version: 4 }));
    expect(after.version).toBe(4);
    expect(after.meters).toBe(before.meters);
  });

  test.each([
    ["a meter more", { a: meter(1), b: meter(2), c: meter(0) }],
    ["a meter less", { a: meter(1) }],
    ["another name", { a: meter(1), c: meter(2) }],
    ["no meters", {}],
  ])("%s is another view", (_, meters) => {
    expect(replaceView(before, view(meters)).meters).toEqual(meters);
  });

  test("every level is frozen", () => {
    const levels = [LOADING_VIEW, LOADING_VIEW.meters, before, before.meters, before.meters.a];
    for (const level of levels) expect(Object.isFrozen(level)).toBe(true);
  });
});
