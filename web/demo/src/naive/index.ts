export { Naive } from "./naive";
export { type CheckLimits, checkLimitsOver, type NaiveUsage, usageQueryOptions } from "./usage";
export { useUsageConsistencyCheck } from "./useUsageConsistencyCheck";
