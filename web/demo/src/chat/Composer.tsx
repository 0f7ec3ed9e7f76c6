import { type KeyboardEvent, useRef, useState } from "react";
import { Button } from "../ui/Button";
import { Hidden } from "../ui/Hidden";
import styles from "./Composer.module.css";

export interface ComposerProps {
  readonly inFlight: number;
  readonly onSend: (text: string) => void;
  readonly onSendThree: (text: string) => void;
  readonly onStop: () => void;
}

/** Where messages are written. It never waits for a reply: several may be under way. */
export function Composer({ inFlight, onSend, onSendThree, onStop }: ComposerProps) {
  const [text, setText] = useState("");
  const input = useRef<HTMLTextAreaElement>(null);

  function submit() {
    const message = text.trim();
    if (!message) return;
    setText("");
    onSend(message);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }

  function stop() {
    onStop();
    // The button goes away: without this the focus would be lost with it.
    input.current?.focus();
  }

  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label>
        <Hidden>Message</Hidden>
        <textarea
          ref={input}
          className={styles.input}
          rows={1}
          value={text}
          placeholder="Write a message"
          data-testid="message-input"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      <div className={styles.actions}>
        <Button
          className={styles.push}
          data-testid="send-three"
          onClick={() => {
            setText("");
            onSendThree(text.trim());
          }}
        >
          Send three at once
        </Button>
        {inFlight > 0 && (
          <Button data-testid="stop" onClick={stop}>
            <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
              <rect width="10" height="10" rx="2" fill="currentColor" />
            </svg>
            {inFlight > 1 ? `Stop all ${inFlight}` : "Stop"}
          </Button>
        )}
        <Button look="strong" type="submit" data-testid="send">
          Send
        </Button>
      </div>
    </form>
  );
}
