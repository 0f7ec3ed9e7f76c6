import type { Score } from "../witness";
import styles from "./Verdict.module.css";

/** How often a client has been wrong, and for how long. */
export function Verdict({ score, testId }: { readonly score: Score; readonly testId: string }) {
  const { moments, wrongMs, wrongFrames, judged } = score;
  const wrong = moments > 0;
  return (
    <span
      className={`${styles.verdict} ${wrong ? styles.wrong : ""}`}
      data-testid={testId}
      data-moments={moments}
      data-frames={wrongFrames}
      data-judged={judged}
    >
      <svg className={styles.icon} width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <path
          d={wrong ? "M2 2l6 6M8 2l-6 6" : "M1.5 5.5l2.5 2.5 4.5-6"}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span>
        {moments} wrong
        <span className={styles.filler}> {moments === 1 ? "moment" : "moments"}</span>
        {wrong && `, ${(wrongMs / 1000).toFixed(1)} s`}
      </span>
    </span>
  );
}
