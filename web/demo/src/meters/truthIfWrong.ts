import type { Client, Evidence, Meter } from "../witness";

/**
 * What the server says about a meter, if what the client shows right now is wrong. The verdict
 * comes a moment after the figure, so one that was put right meanwhile is left in peace.
 */
export function truthIfWrong(
  { lines }: Evidence,
  client: Client,
  meter: Meter,
  shown: number | null,
): number | undefined {
  const { truth, wrong } = lines[meter];
  const stretch = wrong[client].at(-1);
  const value = truth.at(-1)?.value;
  return stretch && stretch.to === undefined && value !== shown ? value : undefined;
}
