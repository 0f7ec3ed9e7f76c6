import { memo } from "react";
import { Swatch } from "../meters/Swatch";
import { charge } from "./charge";
import styles from "./MessageItem.module.css";
import { isInFlight, type Message } from "./message";

export interface MessageItemProps {
  readonly message: Message;
  readonly onStop: (key: string) => void;
}

/** Drawn anew only when it has changed: a conversation may be long, and every word changes one. */
export const MessageItem = memo(function MessageItem({ message, onStop }: MessageItemProps) {
  const { role, state, text } = message;
  const looks = [styles.item, styles[role], styles[state]].filter(Boolean).join(" ");
  return (
    <li className={looks} data-testid="message" data-role={role} data-state={state}>
      {role === "user" ? (
        <div className={styles.bubble}>{text}</div>
      ) : (
        <Reply message={message} onStop={onStop} />
      )}
    </li>
  );
});

function Reply({ message, onStop }: MessageItemProps) {
  const { key, state, text, model, answeredBy, problem } = message;
  const { kind, words } = charge(message);
  return (
    <>
      {(text || isInFlight(message)) && (
        <div className={styles.reply}>{text || <Waiting model={model} />}</div>
      )}
      {problem && (
        <p className={styles.problem}>
          {failure(message)}: {problem}
        </p>
      )}
      <div className={styles.meta}>
        <span>
          {answeredBy && answeredBy !== model ? `${answeredBy}, in place of ${model}` : model}
          {state === "stopped" && ", stopped"}
        </span>
        <span className={styles.charge}>
          {kind ? <Swatch kind={kind} /> : <span className={styles.none} aria-hidden="true" />}
          {words}
        </span>
        {isInFlight(message) && (
          <button type="button" className={styles.stop} onClick={() => onStop(key)}>
            stop this one
          </button>
        )}
      </div>
    </>
  );
}

function failure({ state, text }: Message): string {
  if (state === "refused") return "Not sent";
  return text ? "Not finished" : "Not answered";
}

function Waiting({ model }: { readonly model: string }) {
  return (
    <span className={styles.dots} role="img" aria-label={`Waiting for ${model}`}>
      <i />
      <i />
      <i />
    </span>
  );
}
