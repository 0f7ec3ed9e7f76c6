import type { Kind } from "../meters/words";
import { isInFlight, type Message } from "./message";
import { modelOf } from "./models";

/** What a message cost, or may cost, and how certain that is. */
export interface ChargeNote {
  readonly kind: Kind | undefined;
  readonly words: string;
}

export function charge(message: Message): ChargeNote {
  const { state, model, answeredBy, outcome, operationId } = message;
  if (outcome?.state === "settled") {
    const kind = modelOf(answeredBy ?? model)?.kind;
    return { kind: "settled", words: `1 ${kind} charged` };
  }
  if (outcome || state === "refused") return { kind: undefined, words: "nothing charged" };
  const kind = modelOf(model)?.kind;
  if (isInFlight(message)) {
    return { kind: state === "streaming" ? "held" : "pending", words: `1 ${kind} set aside` };
  }
  if (operationId) return { kind: "pending", words: `1 ${kind} waits for the server’s word` };
  return { kind: undefined, words: "counted here only" };
}
