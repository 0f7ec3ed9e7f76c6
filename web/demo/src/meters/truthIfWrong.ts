import type { Client, Evidence, Meter } from "../witness";

/** What the server says about a meter, if the client shows something wrong right now. */
export function truthIfWrong(
  { lines }: Evidence,
  client: Client,
  meter: Meter,
): number | undefined {
  const { truth, wrong } = lines[meter];
  const last = wrong[client].at(-1);
  return last && last.to === undefined ? truth.at(-1)?.value : undefined;
}
