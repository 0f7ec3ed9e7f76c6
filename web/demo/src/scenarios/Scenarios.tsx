import { useState } from "react";
import { useDemo } from "../app/demo";
import { Button } from "../ui/Button";
import styles from "./Scenarios.module.css";
import { SCENARIOS, type Scenario } from "./scenarios";

/** One press each: sets the fault, sends the message, takes the fault away. */
export function Scenarios() {
  const { chat, faults } = useDemo();
  const [running, setRunning] = useState<string>();

  async function play(scenario: Scenario) {
    setRunning(scenario.id);
    try {
      await scenario.run({ chat, faults });
    } finally {
      setRunning(undefined);
      await faults.load();
    }
  }

  return (
    <fieldset className={styles.scenarios} aria-labelledby="scenarios-lead">
      <span id="scenarios-lead" className={styles.lead}>
        Watch it happen
      </span>
      {SCENARIOS.map((scenario) => (
        <Button
          key={scenario.id}
          className={styles.play}
          disabled={running !== undefined}
          data-testid={`scenario-${scenario.id}`}
          onClick={() => void play(scenario)}
        >
          <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
            {running === scenario.id ? (
              <circle cx="5" cy="5" r="3" fill="currentColor" />
            ) : (
              <path d="M2.5 1.2v7.6L8.5 5z" fill="currentColor" />
            )}
          </svg>
          {scenario.name}
        </Button>
      ))}
    </fieldset>
  );
}
