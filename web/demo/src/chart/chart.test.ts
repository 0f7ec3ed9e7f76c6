import { expect, test } from "vitest";
import { activeTime, seams } from "./activeTime";
import { apart, spread, stepsWithin, valueRange } from "./steps";

const same = (at: number) => at;

test("quiet time takes no room", () => {
  const spans = [{ from: 100, to: 200 }, { from: 1_000 }];
  const active = activeTime(spans, 1_050);
  expect([50, 150, 200, 600, 1_000, 1_020, 9_999].map(active)).toEqual([
    0, 50, 100, 100, 100, 120, 150,
  ]);
  expect(seams(spans, active)).toEqual([100]);
});

test("a line becomes steps that are cut to the range", () => {
  const points = [
    { at: Number.NEGATIVE_INFINITY, value: 5 },
    { at: 10, value: 4 },
    { at: 30, value: 3 },
  ];
  expect(stepsWithin(points, same, [20, 40])).toEqual([
    { from: 20, to: 30, value: 4 },
    { from: 30, to: 40, value: 3 },
  ]);
});

test("two lines lie apart only where their values differ", () => {
  const left = [{ from: 0, to: 10, value: 5 }];
  const right = [
    { from: 0, to: 4, value: 5 },
    { from: 4, to: 10, value: 6 },
  ];
  expect(apart(left, right)).toEqual([{ from: 4, to: 10, values: [5, 6] }]);
});

test.each([
  { name: "some air around what occurs", values: [10, 15], range: [9, 16] },
  { name: "never less than the least", values: [10], range: [7, 11] },
  { name: "not above the limit", values: [20], range: [16, 20] },
  { name: "not below zero", values: [0], range: [0, 4] },
])("the range of values: $name", ({ values, range }) => {
  const lines = [values.map((value, index) => ({ from: index, to: index + 1, value }))];
  expect(valueRange(lines, 20, 4)).toEqual(range);
});

test("labels keep their distance and stay inside", () => {
  expect(spread([50, 50, 20], 10, 100)).toEqual([50, 60, 20]);
  expect(spread([98, 98], 10, 100)).toEqual([90, 100]);
});
