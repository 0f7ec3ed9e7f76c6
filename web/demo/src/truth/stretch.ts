/** A stretch of time during which a client showed a wrong number. */
export interface Stretch {
  readonly from: number;
  /** Missing while it lasts. */
  readonly to?: number;
}

/** Adds the verdict on one frame to the stretches of a client; frames come in order of time. */
export function extend(
  stretches: readonly Stretch[],
  at: number,
  right: boolean,
): readonly Stretch[] {
  const last = stretches.at(-1);
  const open = last !== undefined && last.to === undefined;
  if (right && open) return [...stretches.slice(0, -1), { from: last.from, to: at }];
  if (!right && !open) return [...stretches, { from: at }];
  return stretches;
}

/** How long all stretches last together, in milliseconds; an open one lasts until `now`. */
export function wrongMs(stretches: readonly Stretch[], now: number): number {
  return stretches.reduce((sum, { from, to }) => sum + Math.max(0, (to ?? now) - from), 0);
}
