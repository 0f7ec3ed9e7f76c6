import { useSyncExternalStore } from "react";
import { LOADING_VIEW, type UsageView } from "../view.js";
import { useTrueup } from "./use-trueup.js";

const loadingView = (): UsageView => LOADING_VIEW;

/**
 * The whole view. Renders again whenever a figure changes; {@link useMeter} is narrower. While
 * rendering on a server, and until the page is hydrated, it is the loading view.
 */
export function useUsage(): UsageView {
  const { subscribe, getSnapshot } = useTrueup();
  return useSyncExternalStore(subscribe, getSnapshot, loadingView);
}
