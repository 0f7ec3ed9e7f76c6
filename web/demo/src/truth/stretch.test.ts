import { describe, expect, test } from "vitest";
import { extend, type Stretch, wrongMs } from "./stretch";

function fold(frames: readonly (readonly [number, boolean])[]): readonly Stretch[] {
  return frames.reduce<readonly Stretch[]>((all, [at, right]) => extend(all, at, right), []);
}

describe("wrong stretches", () => {
  test("right frames make none", () => {
    expect(
      fold([
        [0, true],
        [10, true],
      ]),
    ).toEqual([]);
  });

  test("neighbouring wrong frames are one stretch, ended by the next right one", () => {
    expect(
      fold([
        [0, true],
        [10, false],
        [20, false],
        [30, true],
        [40, false],
      ]),
    ).toEqual([{ from: 10, to: 30 }, { from: 40 }]);
  });

  test("a stretch that lasts is counted until now", () => {
    expect(wrongMs([{ from: 10, to: 30 }, { from: 40 }], 100)).toBe(80);
  });
});
