export { CLIENTS, type Client, METERS, type Meter } from "./clients";
export type { Score } from "./court";
export type { Evidence, Lines, Point, Span } from "./evidence";
export type { Frame, Shown } from "./recorder";
export { Witness } from "./witness";
