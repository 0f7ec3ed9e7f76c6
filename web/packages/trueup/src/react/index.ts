"use client";

/**
 * React bindings: a provider, one hook for each question, and a meter.
 *
 * @packageDocumentation
 */

export { TrueupProvider, type TrueupProviderProps } from "./trueup-provider.js";
export { UsageMeter, type UsageMeterLabels, type UsageMeterProps } from "./usage-meter.js";
export { useMeter } from "./use-meter.js";
export { type OperationTracker, useOperation } from "./use-operation.js";
export { useTrueup } from "./use-trueup.js";
export { useUsage } from "./use-usage.js";
