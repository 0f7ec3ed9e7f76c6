import { useStore } from "../ui/store";
import { useDemo } from "./demo";
import styles from "./Status.module.css";

/** Where the figures of `trueup` come from at the moment. */
export function Status() {
  const { usage } = useDemo();
  const { status } = useStore(usage);
  return (
    <span className={styles.status} role="status" data-testid="view-status" data-status={status}>
      <span className={styles.light} aria-hidden="true" />
      {status}
    </span>
  );
}
