import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type CheckLimits, type NaiveUsage, USAGE_KEY } from "./usage";

const CHECK_INTERVAL_MS = 30_000;

/** Periodically validates usage consistency; `onCorrected` shows the usual toast. */
export function useUsageConsistencyCheck(
  checkLimits: CheckLimits,
  isAuthenticated: boolean,
  onCorrected: (text: string) => void,
): void {
  const queryClient = useQueryClient();

  useEffect(() => {
    if (!isAuthenticated) return;

    const interval = setInterval(async () => {
      try {
        const serverUsage = await checkLimits();
        const cachedUsage = queryClient.getQueryData<NaiveUsage>(USAGE_KEY);

        if (serverUsage && cachedUsage) {
          const hasDiscrepancy =
            serverUsage.usage.premiumMessages !== cachedUsage.usage.premiumMessages ||
            serverUsage.usage.nonPremiumMessages !== cachedUsage.usage.nonPremiumMessages;

          if (hasDiscrepancy) {
            // Sync with server version
            queryClient.setQueryData(USAGE_KEY, serverUsage);

            // Optional: Notify user of correction
            onCorrected("Usage quota updated to match server records");
          }
        }
      } catch {
        // Usage consistency check failed: so does the number, until the next one.
      }
    }, CHECK_INTERVAL_MS); // Check every 30 seconds

    return () => clearInterval(interval);
  }, [checkLimits, isAuthenticated, onCorrected, queryClient]);
}
