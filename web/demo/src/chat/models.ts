/** The models of the demo's catalog. */
export interface Model {
  readonly id: string;
  readonly kind: "premium" | "standard";
  /** What a message costs. */
  readonly charge: Readonly<Record<string, number>>;
}

export const MODELS: readonly Model[] = [
  { id: "gpt-5", kind: "premium", charge: { premium_messages: 1 } },
  { id: "gpt-5-mini", kind: "standard", charge: { standard_messages: 1 } },
];

export const PREMIUM = "gpt-5";

export function modelOf(id: string | undefined): Model | undefined {
  return MODELS.find((model) => model.id === id);
}
