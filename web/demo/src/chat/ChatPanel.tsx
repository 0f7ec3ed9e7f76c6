import { useCallback, useState } from "react";
import { useDemo } from "../app/demo";
import { Sheet } from "../ui/Sheet";
import { useStore } from "../ui/store";
import styles from "./ChatPanel.module.css";
import { Composer } from "./Composer";
import { inFlight } from "./chat";
import { ModelPicker } from "./ModelPicker";
import { PREMIUM } from "./models";
import { Transcript } from "./Transcript";

const SAMPLES = ["What is a ledger?", "Who inks the actual?", "What may I still spend?"];

export function ChatPanel() {
  const { chat } = useDemo();
  const messages = useStore(chat);
  const [model, setModel] = useState(PREMIUM);

  const stopOne = useCallback((key: string) => chat.stop(key), [chat]);

  function send(text: string) {
    void chat.send(text, model);
  }

  function sendThree(text: string) {
    for (const [index, sample] of SAMPLES.entries()) send(text ? `${text} (${index + 1})` : sample);
  }

  return (
    <Sheet labelledBy="chat-title" className={styles.panel}>
      <header className={styles.head}>
        <h2 id="chat-title" className={styles.title}>
          Chat
        </h2>
        <ModelPicker model={model} onChange={setModel} />
      </header>
      <Transcript messages={messages} onStop={stopOne} />
      <Composer
        inFlight={inFlight(messages)}
        onSend={send}
        onSendThree={sendThree}
        onStop={() => chat.stop()}
      />
    </Sheet>
  );
}
