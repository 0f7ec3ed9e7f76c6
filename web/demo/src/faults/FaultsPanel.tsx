import { useRef } from "react";
import { useDemo } from "../app/demo";
import { Button } from "../ui/Button";
import { Sheet } from "../ui/Sheet";
import { Switch } from "../ui/Switch";
import { useStore } from "../ui/store";
import styles from "./FaultsPanel.module.css";
import { type FaultName, NO_FAULTS } from "./faults";

const SWITCHES: readonly { name: FaultName; label: string; detail: string }[] = [
  {
    name: "fallback",
    label: "Another model answers",
    detail: "The premium model is down; a standard one steps in.",
  },
  {
    name: "settle_fails",
    label: "Accounting fails",
    detail: "The next six settle transactions do not commit.",
  },
  {
    name: "fail_before_token",
    label: "Provider fails at once",
    detail: "No model gives a single word.",
  },
  {
    name: "fail_after_token",
    label: "Provider breaks off",
    detail: "The answer stops after some words.",
  },
  {
    name: "lose_reply",
    label: "Reply is lost",
    detail: "All is done and charged, but the end never arrives.",
  },
  { name: "slow_ms", label: "Server is slow", detail: "Every answer takes 1.2 s longer." },
  { name: "offline", label: "Offline", detail: "Every call is cut without an answer." },
];

/** What may go wrong, to switch on. */
export function FaultsPanel() {
  const { faults } = useDemo();
  const set = useStore(faults);
  const switches = useRef<HTMLDivElement>(null);
  const broken = SWITCHES.some(({ name }) => set[name]);

  function mend() {
    void faults.change(NO_FAULTS);
    // The button goes away: without this the focus would be lost with it.
    switches.current?.querySelector("button")?.focus();
  }

  return (
    <Sheet labelledBy="faults-title">
      <div className={styles.head}>
        <h2 id="faults-title" className={styles.title}>
          Break something
        </h2>
        {broken ? (
          <Button data-testid="mend" onClick={mend}>
            Mend all
          </Button>
        ) : (
          <p className={styles.sub}>Only your own messages are affected.</p>
        )}
      </div>
      <div ref={switches} className={styles.grid}>
        {SWITCHES.map(({ name, label, detail }) => (
          <Switch
            key={name}
            alarming
            label={label}
            detail={detail}
            on={Boolean(set[name])}
            onChange={(on) => void faults.toggle(name, on)}
            testId={`fault-${name}`}
          />
        ))}
      </div>
    </Sheet>
  );
}
