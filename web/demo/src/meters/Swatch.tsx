import styles from "./Swatch.module.css";
import type { Kind } from "./words";

/** How a kind of unit is drawn, beside its word. */
export function Swatch({ kind, naive = false }: { readonly kind: Kind; readonly naive?: boolean }) {
  return (
    <span
      className={`${styles.swatch} ${styles[kind]} ${naive ? styles.naive : ""}`}
      aria-hidden="true"
    />
  );
}
