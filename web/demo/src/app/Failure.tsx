import { Button } from "../ui/Button";
import styles from "./Failure.module.css";

/** The page could not start. */
export function Failure({ error }: { readonly error: unknown }) {
  const message = error instanceof Error ? error.message : `${error}`;
  return (
    <main className={styles.failure} role="alert">
      <h1>The demo could not start</h1>
      <p>{message}</p>
      <Button look="strong" onClick={() => window.location.reload()}>
        Try again
      </Button>
    </main>
  );
}
