import type { ReactNode } from "react";
import styles from "./Sheet.module.css";

export interface SheetProps {
  /** The id of the heading that names the sheet. */
  readonly labelledBy: string;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}

/** A card that is a landmark of its own. */
export function Sheet({ labelledBy, className = "", children }: SheetProps) {
  return (
    <section aria-labelledby={labelledBy} className={`${styles.sheet} ${className}`}>
      {children}
    </section>
  );
}
