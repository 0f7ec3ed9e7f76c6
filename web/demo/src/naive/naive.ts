import { QueryClient } from "@tanstack/react-query";
import { produce } from "immer";
import { type CheckLimits, type NaiveUsage, USAGE_KEY } from "./usage";

const RECONCILE_DELAY_MS = 1000;

/**
 * The reconciler that many chat apps have: count at once in the query cache, fetch some time after
 * the stream, overwrite the cache when it differs. Every step is the usual one; what goes wrong
 * with it goes wrong by design.
 */
export class Naive {
  readonly queryClient = new QueryClient();
  private generation = 0;
  private authenticated = false;

  constructor(readonly checkLimits: CheckLimits) {}

  /** Optimistically updates the usage limits, when a message is sent. */
  messageSent(isPremium: boolean): void {
    this.queryClient.setQueryData<NaiveUsage>(USAGE_KEY, (oldUsageData) => {
      if (!oldUsageData) return oldUsageData;
      return produce(oldUsageData, (draft) => {
        if (isPremium) {
          draft.usage.premiumMessages = (draft.usage.premiumMessages || 0) + 1;
          draft.remainingQuota.premiumMessages = Math.max(
            0,
            draft.remainingQuota.premiumMessages - 1,
          );
        } else {
          draft.usage.nonPremiumMessages = (draft.usage.nonPremiumMessages || 0) + 1;
          draft.remainingQuota.nonPremiumMessages = Math.max(
            0,
            draft.remainingQuota.nonPremiumMessages - 1,
          );
        }
      });
    });
  }

  /** Reconciles with the backend, after an assistant message is complete. */
  newAssistantMessage(): void {
    if (!this.authenticated) return;
    const generation = this.generation;
    setTimeout(async () => {
      if (generation !== this.generation) return;
      try {
        const serverUsage = await this.checkLimits();
        const cachedUsage = this.queryClient.getQueryData<NaiveUsage>(USAGE_KEY);

        if (serverUsage && cachedUsage && generation === this.generation) {
          // Check for discrepancies
          const premiumDiff = Math.abs(
            serverUsage.usage.premiumMessages - cachedUsage.usage.premiumMessages,
          );

          if (premiumDiff > 0) {
            // Update cache to match server
            this.queryClient.setQueryData(USAGE_KEY, serverUsage);
          }
        }
      } catch {
        // Failed to reconcile usage: the next check will see to it.
      }
    }, RECONCILE_DELAY_MS); // Give backend time to process usage tracking
  }

  /** Another visitor: timers of the one before end, and the cache is emptied. */
  restart(authenticated: boolean): void {
    this.generation += 1;
    this.authenticated = authenticated;
    this.queryClient.clear();
  }
}
