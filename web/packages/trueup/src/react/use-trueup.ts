import { useContext } from "react";
import type { Trueup } from "../types.js";
import { TrueupContext } from "./context.js";

/**
 * The Trueup of the nearest {@link TrueupProvider}. Always there, also while it loads: its `fetch`
 * then waits and its `begin` throws `loading`.
 */
export function useTrueup(): Trueup {
  const usage = useContext(TrueupContext);
  if (!usage) throw new TypeError("useTrueup needs a <TrueupProvider> above it");
  return usage;
}
