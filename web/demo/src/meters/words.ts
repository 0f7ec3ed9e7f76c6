import type { Meter } from "../witness";

export const METER_NAMES: Readonly<Record<Meter, string>> = {
  premium_messages: "Premium",
  standard_messages: "Standard",
};

/** How a unit of a meter is spoken for. The words are those of the ledger. */
export type Kind = "settled" | "held" | "pending";

export interface Part {
  readonly kind: Kind;
  readonly units: number;
}

export const KINDS: Readonly<Record<Kind, string>> = {
  settled: "charged for good",
  held: "set aside by the server while a reply runs",
  pending: "estimated here, not confirmed yet",
};

/** A meter in one sentence, for those who do not see the bar. */
export function spoken(parts: readonly Part[], left: Left): string {
  const told = parts.filter(({ units }) => units > 0).map(({ kind, units }) => `${units} ${kind}`);
  return [spokenLeft(left), ...told].join(", ");
}

/** What is left of a meter; both are null where there is no limit. */
export interface Left {
  readonly limit: number | null;
  readonly remaining: number | null;
}

export function spokenLeft({ limit, remaining }: Left): string {
  return limit === null ? "unlimited" : `${remaining} of ${limit} remaining`;
}

/** When a window ends, as a day: "1 December". */
export function resetDay(resetsAt: string): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" }).format(
    new Date(resetsAt),
  );
}
