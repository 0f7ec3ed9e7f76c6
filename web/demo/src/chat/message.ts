/**
 * `sent` is what the user wrote. A reply is `waiting` for its first word, `streaming`, and then
 * `done`, `stopped` by the user, `failed`, or `refused` because nothing was left.
 */
export type MessageState =
  | "sent"
  | "waiting"
  | "streaming"
  | "done"
  | "stopped"
  | "failed"
  | "refused";

export interface Message {
  readonly key: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly state: MessageState;
  /** The model that was asked. */
  readonly model: string;
  /** The model that answered. */
  readonly answeredBy?: string | undefined;
  /** Why there is no answer, or only half of one. */
  readonly problem?: string | undefined;
  readonly operationId?: string | undefined;
  /** The server's word on the operation. */
  readonly outcome?: Outcome | undefined;
}

export interface Outcome {
  readonly state: string;
  readonly cause: string;
}

export function isInFlight({ state }: Message): boolean {
  return state === "waiting" || state === "streaming";
}
