import type { Kind, Part } from "./words";

/** Up to this limit every unit has a cell of its own. */
const MAX_CELLS = 40;

export type Cell = Kind | "remaining";

/** The cells of a bar from left to right, or undefined when the units are too many to be told apart. */
export function cells(parts: readonly Part[], limit: number): readonly Cell[] | undefined {
  if (limit > MAX_CELLS) return undefined;
  const taken = parts.flatMap(({ kind, units }) => Array.from({ length: units }, () => kind));
  return Array.from({ length: limit }, (_, index): Cell => taken[index] ?? "remaining");
}

/** Where each part of a continuous bar begins and how wide it is, as shares of the limit. */
export function spans(
  parts: readonly Part[],
  limit: number,
): readonly { readonly kind: Kind; readonly from: number; readonly width: number }[] {
  let from = 0;
  return parts.map(({ kind, units }) => {
    const width = Math.min(units / Math.max(1, limit), 1 - from);
    const span = { kind, from, width };
    from += width;
    return span;
  });
}
