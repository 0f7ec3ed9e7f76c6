import { cells, spans } from "./bar";
import styles from "./MeterBar.module.css";
import type { Part } from "./words";

export interface MeterBarProps {
  readonly parts: readonly Part[];
  readonly limit: number;
  readonly naive?: boolean;
  readonly slim?: boolean;
}

/** A meter drawn: ink for settled, hatching for held, pencil for pending, paper for the rest. */
export function MeterBar({ parts, limit, naive = false, slim = false }: MeterBarProps) {
  const row = cells(parts, limit);
  const looks = [styles.bar, naive ? styles.naive : "", slim ? styles.slim : ""].join(" ");
  return (
    <div className={looks} aria-hidden="true">
      {row ? (
        <div className={styles.cells}>
          {row.map((cell, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place in the row
            <span key={index} className={`${styles.cell} ${styles[cell]}`} />
          ))}
        </div>
      ) : (
        <div className={styles.track}>
          {spans(parts, limit)
            .filter(({ width }) => width > 0)
            .map(({ kind, from, width }) => (
              <span
                key={kind}
                className={`${styles.span} ${styles[kind]}`}
                style={{ insetInlineStart: `${from * 100}%`, width: `${width * 100}%` }}
              />
            ))}
        </div>
      )}
    </div>
  );
}
