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
  const { conversations = [] } = await read<Conversations>("/v1/conversations", token);
  if (!conversations.some(({ id }) => id === CONVERSATION)) return [];
  const path = `/v1/conversations/${CONVERSATION}/messages`;
  const { messages = [] } = await read<Messages>(path, token);
  return messages.flatMap(toMessage);
}

interface Conversations {
  readonly conversations: readonly { readonly id: string }[];
}

interface Messages {
  readonly messages: readonly SavedMessage[];
}

async function read<T>(path: string, token: string): Promise<Partial<T>> {
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
  return response.ok ? ((await response.json()) as T) : {};
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
