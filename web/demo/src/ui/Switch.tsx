import { useId } from "react";
import styles from "./Switch.module.css";

export interface SwitchProps {
  readonly label: string;
  readonly detail?: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  /** Turned on it is a fault, not a setting. */
  readonly alarming?: boolean;
  readonly testId: string;
}

export function Switch({ label, detail, on, onChange, alarming = false, testId }: SwitchProps) {
  const id = useId();
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-labelledby={`${id}-label`}
      aria-describedby={detail ? `${id}-detail` : undefined}
      className={`${styles.switch} ${alarming ? styles.alarming : ""}`}
      data-testid={testId}
      title={detail}
      onClick={() => onChange(!on)}
    >
      <span className={styles.track} aria-hidden="true" />
      <span id={`${id}-label`} className={styles.label}>
        {label}
      </span>
      {detail && (
        <span id={`${id}-detail`} className={styles.detail}>
          {detail}
        </span>
      )}
    </button>
  );
}
