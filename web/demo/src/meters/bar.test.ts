import { expect, test } from "vitest";
import { cells, spans } from "./bar";
import { spoken } from "./words";

const parts = [
  { kind: "settled", units: 2 },
  { kind: "held", units: 1 },
  { kind: "pending", units: 1 },
] as const;

test("every unit has a cell, in the order of certainty", () => {
  expect(cells(parts, 6)).toEqual([
    "settled",
    "settled",
    "held",
    "pending",
    "remaining",
    "remaining",
  ]);
});

test("units above the limit have no cell", () => {
  expect(cells(parts, 3)).toEqual(["settled", "settled", "held"]);
});

test("many units become a continuous bar that never leaves its frame", () => {
  expect(cells(parts, 200)).toBeUndefined();
  expect(spans(parts, 4).map(({ from, width }) => [from, width])).toEqual([
    [0, 0.5],
    [0.5, 0.25],
    [0.75, 0.25],
  ]);
  expect(spans([{ kind: "settled", units: 9 }], 4)).toEqual([
    { kind: "settled", from: 0, width: 1 },
  ]);
});

test("the sentence names what is there and nothing else", () => {
  expect(spoken(parts, { remaining: 2, limit: 6 })).toBe(
    "2 of 6 remaining, 2 settled, 1 held, 1 pending",
  );
  expect(spoken([{ kind: "settled", units: 0 }], { remaining: 6, limit: 6 })).toBe(
    "6 of 6 remaining",
  );
  expect(spoken(parts, { remaining: null, limit: null })).toBe(
    "unlimited, 2 settled, 1 held, 1 pending",
  );
});
