import { useLayoutEffect, useRef } from "react";
import { Hidden } from "../ui/Hidden";
import { MessageItem } from "./MessageItem";
import { isInFlight, type Message } from "./message";
import styles from "./Transcript.module.css";

/** Nearer than this to the end, the reader follows the conversation. */
const FOLLOW_PX = 80;

export interface TranscriptProps {
  readonly messages: readonly Message[];
  readonly onStop: (key: string) => void;
}

export function Transcript({ messages, onStop }: TranscriptProps) {
  const scroller = useRef<HTMLElement>(null);
  const follows = useRef(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every new word may move the end
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && follows.current) element.scrollTop = element.scrollHeight;
  }, [messages]);

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    const left = element.scrollHeight - element.clientHeight - element.scrollTop;
    follows.current = left < FOLLOW_PX;
  }

  return (
    <>
      <section
        ref={scroller}
        className={styles.transcript}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
        tabIndex={0}
        aria-label="Conversation"
      >
        {messages.length === 0 ? (
          <p className={styles.empty}>
            <strong>Every message counts once.</strong>
            Send some, more than one at a time if you like. Both meters see exactly the same
            traffic.
          </p>
        ) : (
          <ol className={styles.list}>
            {messages.map((message) => (
              <MessageItem key={message.key} message={message} onStop={onStop} />
            ))}
          </ol>
        )}
      </section>
      <Announcer messages={messages} />
    </>
  );
}

/** Tells a screen reader how the newest reply ended, and not every word of it. */
function Announcer({ messages }: { readonly messages: readonly Message[] }) {
  const last = messages.findLast((message) => message.role === "assistant" && !isInFlight(message));
  return (
    <div role="status">
      <Hidden>{last ? announcement(last) : ""}</Hidden>
    </div>
  );
}

function announcement({ state, text, answeredBy, problem }: Message): string {
  if (state === "done") return `${answeredBy} answered: ${text}`;
  if (state === "stopped") return "Reply stopped.";
  return `No full reply: ${problem?.replace(/\.$/, "")}.`;
}
