// What a reader's compiler has to accept, and to refuse.
import { type Correction, createTrueup, TrueupError, type UsageView } from "trueup";
import type { useMeter } from "trueup/react";
import { createTrueup as createSlim } from "trueup/slim";

const usage = await createTrueup({ baseUrl: "/", getToken: async () => null });
const view: UsageView = usage.getSnapshot();
export const left: number | null | undefined = view.meters.messages?.remaining;
export const meter: ReturnType<typeof useMeter> = view.meters.messages;
export const leave: () => void = usage.on("correction", (correction: Correction) => {
  const sentence: string = correction.text;
  console.log(sentence);
});
export const code = (error: unknown): string | undefined =>
  error instanceof TrueupError ? error.code : undefined;
export const slim = createSlim({
  wasm: new URL("https://example.com/a.wasm"),
  getToken: () => null,
});

// @ts-expect-error: the way to the token is not optional
createTrueup({ baseUrl: "/" });
// @ts-expect-error: an operation needs a model or a charge
usage.begin({});
// @ts-expect-error: the slim entry has no module inside
createSlim({ getToken: () => null });
// @ts-expect-error: a view is never written
view.meters = {};
