/** The two that count on the same traffic. */
export const CLIENTS = ["ours", "naive"] as const;
export type Client = (typeof CLIENTS)[number];

/** The meters of the demo's plan. */
export const METERS = ["premium_messages", "standard_messages"] as const;
export type Meter = (typeof METERS)[number];
