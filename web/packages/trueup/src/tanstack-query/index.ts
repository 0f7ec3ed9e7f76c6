/**
 * Usage in TanStack Query, one way: our store writes a query, and nothing is ever read back from
 * it. A figure in the cache that somebody else wrote, optimistically or from an older reply, is
 * overwritten by the next change and never becomes part of what is shown elsewhere.
 *
 * @packageDocumentation
 */

import type { Trueup } from "../types.js";
import type { UsageView } from "../view.js";

/** The query key that is used when none is given. */
export const usageQueryKey: readonly ["trueup", "usage"] = ["trueup", "usage"];

/** What is needed of a TanStack `QueryClient`. */
export interface QueryWriter {
  /** Writes a query's data into the cache. */
  setQueryData(queryKey: readonly unknown[], data: UsageView): unknown;
}

/**
 * Writes the view into the query now and after every change, until the returned function is
 * called.
 *
 * ```ts
 * const stop = writeUsageQuery(usage, queryClient);
 * ```
 */
export function writeUsageQuery(
  usage: Trueup,
  queryClient: QueryWriter,
  queryKey: readonly unknown[] = usageQueryKey,
): () => void {
  const write = (): void => {
    queryClient.setQueryData(queryKey, usage.getSnapshot());
  };
  const leave = usage.subscribe(write);
  write();
  return leave;
}

/** Options for `useQuery`, from {@link usageQueryOptions}. */
export interface UsageQueryOptions {
  /** The query that {@link writeUsageQuery} writes. */
  readonly queryKey: readonly unknown[];
  /** Gives the current view; asks nobody. */
  readonly queryFn: () => UsageView;
  /** The current view, so that there is data from the first render on. */
  readonly initialData: () => UsageView;
  /** For ever: the store says when it changes. */
  readonly staleTime: number;
  /** For ever: what is written must find its place. */
  readonly gcTime: number;
  /** Nothing is fetched, so being offline is no reason to wait. */
  readonly networkMode: "always";
}

/**
 * Options for `useQuery` on the query that {@link writeUsageQuery} writes. Fetching it asks nobody:
 * it gives the current view, which the store keeps true by itself.
 *
 * ```ts
 * const { data } = useQuery(usageQueryOptions(usage));
 * ```
 */
export function usageQueryOptions(
  usage: Trueup,
  queryKey: readonly unknown[] = usageQueryKey,
): UsageQueryOptions {
  return {
    queryKey,
    queryFn: () => usage.getSnapshot(),
    initialData: () => usage.getSnapshot(),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    networkMode: "always",
  };
}
