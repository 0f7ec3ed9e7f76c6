import type { Message } from "./message";

/** The one conversation that a visitor of the demo has. */
export const CONVERSATION = "demo";

interface SavedMessage {
  readonly operation: string;
  readonly role: string;
  readonly content: string;
  readonly model?: string | null;
}

/** What the server has saved of the conversation; nothing for a visitor who is new. */
export async function readSaved(token: string): Promise<readonly Message[]> {
  const response = await fetch(`/v1/conversations/${CONVERSATION}/messages`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) return [];
  const { messages } = (await response.json()) as { messages: readonly SavedMessage[] };
  return messages.flatMap(toMessage);
}

/** An answer is saved in the transaction that charges it, so one that is here is settled. */
function toMessage(saved: SavedMessage, index: number): readonly Message[] {
  const { operation: operationId, role, content: text } = saved;
  const model = saved.model ?? "";
  const key = `saved-${index}`;
  if (role === "user") return [{ key, role, text, state: "sent", model, operationId }];
  if (role !== "assistant") return [];
  const outcome = { state: "settled", cause: "finished" };
  return [{ key, role, text, state: "done", model, answeredBy: model, operationId, outcome }];
}
