import { queryOptions } from "@tanstack/react-query";

/** What the naive client keeps in its cache and overwrites. */
export interface NaiveUsage {
  usage: { premiumMessages: number; nonPremiumMessages: number };
  remainingQuota: { premiumMessages: number; nonPremiumMessages: number };
}

/** Asks the server what is used and what remains; the stand-in for `trpc.usage.checkLimits`. */
export type CheckLimits = () => Promise<NaiveUsage>;

export const USAGE_KEY = ["usage"] as const;

export function usageQueryOptions(checkLimits: CheckLimits) {
  return queryOptions({ queryKey: USAGE_KEY, queryFn: checkLimits });
}

/** `checkLimits` over a plain `GET /v1/usage`: no version, no operations, only the totals. */
export function checkLimitsOver(
  fetch: typeof globalThis.fetch,
  getToken: () => Promise<string>,
): CheckLimits {
  return async () => {
    const headers = { authorization: `Bearer ${await getToken()}` };
    const response = await fetch("/v1/usage", { headers });
    if (!response.ok) throw new Error(`usage could not be read (status ${response.status})`);
    const { meters } = (await response.json()) as { meters: Record<string, Totals> };
    const premium = totals(meters.premium_messages);
    const standard = totals(meters.standard_messages);
    return {
      usage: { premiumMessages: premium.used, nonPremiumMessages: standard.used },
      remainingQuota: { premiumMessages: premium.left, nonPremiumMessages: standard.left },
    };
  };
}

interface Totals {
  readonly used: number;
  readonly limit?: number | null;
}

function totals(meter: Totals | undefined): { used: number; left: number } {
  const used = meter?.used ?? 0;
  const limit = meter?.limit ?? Number.POSITIVE_INFINITY;
  return { used, left: Math.max(0, limit - used) };
}
