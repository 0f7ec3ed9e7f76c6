import type { Span } from "../witness";

/**
 * Time that counts only while somebody watched: quiet hours take no room in the chart. Returns the
 * watched milliseconds before a moment.
 */
export function activeTime(spans: readonly Span[], now: number): (at: number) => number {
  return (at) =>
    spans.reduce((sum, { from, to = now }) => sum + Math.max(0, Math.min(at, to) - from), 0);
}

/** The watched moments at which quiet time was left out. */
export function seams(spans: readonly Span[], active: (at: number) => number): readonly number[] {
  return spans.slice(1).map(({ from }) => active(from));
}
