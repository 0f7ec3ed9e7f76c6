import { useSyncExternalStore } from "react";
import type { MeterView } from "../view.js";
import { useTrueup } from "./use-trueup.js";

const noMeter = (): undefined => undefined;

/**
 * One meter, or `undefined` while loading and for a meter that the plan does not have. Renders
 * again only when that meter changes.
 */
export function useMeter(name: string): MeterView | undefined {
  const { subscribe, getSnapshot } = useTrueup();
  return useSyncExternalStore(subscribe, () => ownMeter(getSnapshot().meters, name), noMeter);
}

function ownMeter(
  meters: Readonly<Record<string, MeterView>>,
  name: string,
): MeterView | undefined {
  return Object.hasOwn(meters, name) ? meters[name] : undefined;
}
