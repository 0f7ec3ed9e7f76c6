import { ThemeToggle } from "../theme/ThemeToggle";
import { Button } from "../ui/Button";
import { Switch } from "../ui/Switch";
import { useStore } from "../ui/store";
import { useDemo } from "./demo";
import styles from "./Header.module.css";
import { Status } from "./Status";

export function Header() {
  const { sessions } = useDemo();
  const { account, anonymous } = useStore(sessions);
  return (
    <header className={styles.header}>
      <div className={styles.brand}>
        <Mark />
        <div>
          <h1 className={styles.title}>A quota that is never wrong</h1>
          <p className={styles.tagline}>
            Two meters watch one chat. Break something and see which of them keeps telling the
            truth.
          </p>
        </div>
      </div>
      <div className={styles.visitor}>
        <Status />
        <span className={styles.account} title={account} data-testid="account">
          {anonymous ? "signed out" : account}
        </span>
        <div className={styles.anonymous}>
          <Switch
            label="Anonymous"
            on={anonymous}
            onChange={(on) => sessions.setAnonymous(on)}
            testId="anonymous"
          />
        </div>
        <Button data-testid="new-visitor" onClick={() => void sessions.newVisitor()}>
          New visitor
        </Button>
        <ThemeToggle />
      </div>
    </header>
  );
}

/** The estimate above, dashed; the actual below, drawn through. */
function Mark() {
  return (
    <svg className={styles.mark} width="36" height="36" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <g stroke="var(--on-strong)" strokeWidth="3.5">
        <path d="M7 12h18" strokeDasharray="3.6 3.6" />
        <path d="M7 20h18" />
      </g>
    </svg>
  );
}
