import { expect, test } from "vitest";
import { guardExports } from "../src/guard.js";

// (module
//   (func (export "trap") unreachable)
//   (func (export "seven") (result i32) i32.const 7)
//   (memory (export "memory") 1))
const MODULE = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f, 3, 3, 2, 0, 1, 5, 3, 1, 0,
  1, 7, 0x19, 3, 4, 0x74, 0x72, 0x61, 0x70, 0, 0, 5, 0x73, 0x65, 0x76, 0x65, 0x6e, 0, 1, 6, 0x6d,
  0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 0x0a, 0x0a, 2, 3, 0, 0, 0x0b, 4, 0, 0x41, 7, 0x0b,
]);

function guarded(): { exports: Record<string, () => unknown>; traps: Error[] } {
  const traps: Error[] = [];
  const instance = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  const exports = guardExports(instance.exports, (trap) => traps.push(trap));
  return { exports: exports as Record<string, () => unknown>, traps };
}

test("calls and other exports pass through", () => {
  const { exports, traps } = guarded();
  expect(exports.seven?.()).toBe(7);
  expect(exports.memory).toBeInstanceOf(WebAssembly.Memory);
  expect(traps).toEqual([]);
});

test("a trap is told, thrown on, and silences the instance", () => {
  const { exports, traps } = guarded();
  expect(exports.trap).toThrow(WebAssembly.RuntimeError);
  expect(traps).toHaveLength(1);
  expect(exports.seven?.()).toBeUndefined();
  expect(exports.trap?.()).toBeUndefined();
  expect(traps).toHaveLength(1);
});
