import { type Context, createContext } from "react";
import type { Trueup } from "../types.js";

/** The Trueup of the nearest provider. */
export const TrueupContext: Context<Trueup | undefined> = createContext<Trueup | undefined>(
  undefined,
);
TrueupContext.displayName = "Trueup";
