// What both ways to load the package export, besides `createTrueup`.

export { TrueupError } from "./errors.js";
export type {
  Cause,
  Correction,
  Decision,
  Fault,
  Figures,
  Movement,
  OperationState,
  TrueupEvent,
  TrueupEvents,
} from "./events.js";
export type {
  Charge,
  Operation,
  OperationRequest,
  Refusal,
  Trueup,
  TrueupOptions,
} from "./types.js";
export type { Enforcement, MeterView, UsageStatus, UsageView } from "./view.js";
