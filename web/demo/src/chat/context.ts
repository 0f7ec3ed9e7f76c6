import type { Message } from "./message";

/** A reply sees this many of the messages before it. */
const MEMORY = 12;
/** And no more text than this, so that what was accepted once does not make the next one too long. */
const MEMORY_CHARACTERS = 50_000;

export interface Said {
  readonly role: Message["role"];
  readonly content: string;
}

/**
 * What a new message is sent with: what was said before it. A message that was refused, or whose
 * reply failed, is left out: sent along, it might make the next one fail in the same way.
 */
export function contextOf(messages: readonly Message[], text: string): readonly Said[] {
  const said = messages.filter(
    (message, index) =>
      message.state === "done" || (message.state === "sent" && !isLost(messages[index + 1])),
  );
  let room = MEMORY_CHARACTERS;
  const fits = (one: Message) => {
    room -= one.text.length;
    return room >= 0;
  };
  const newest = said.slice(-MEMORY).reverse();
  const end = newest.findIndex((one) => !fits(one));
  const before = (end < 0 ? newest : newest.slice(0, end)).reverse();
  return [
    ...before.map(({ role, text }) => ({ role, content: text })),
    { role: "user", content: text },
  ];
}

/** Whether what follows a message is its reply, and there is none. */
function isLost(reply: Message | undefined): boolean {
  return reply?.role === "assistant" && (reply.state === "failed" || reply.state === "refused");
}
