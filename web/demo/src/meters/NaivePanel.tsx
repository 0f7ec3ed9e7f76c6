import { useQuery } from "@tanstack/react-query";
import { useDemo } from "../app/demo";
import { type NaiveUsage, usageQueryOptions, useUsageConsistencyCheck } from "../naive";
import { Sheet } from "../ui/Sheet";
import { useStore } from "../ui/store";
import { type Evidence, METERS, type Meter as MeterName } from "../witness";
import { Meter } from "./Meter";
import styles from "./Panel.module.css";
import { truthIfWrong } from "./truthIfWrong";
import { Verdict } from "./Verdict";

const FIELDS = {
  premium_messages: "premiumMessages",
  standard_messages: "nonPremiumMessages",
} as const satisfies Record<MeterName, keyof NaiveUsage["usage"]>;

/** The same meters, as the naive reconciler has them. */
export function NaivePanel({ evidence }: { readonly evidence: Evidence }) {
  const { naive, sessions, toasts } = useDemo();
  const { anonymous } = useStore(sessions);
  const { data } = useQuery({ ...usageQueryOptions(naive.checkLimits), enabled: !anonymous });
  useUsageConsistencyCheck(naive.checkLimits, !anonymous, toasts.naive);
  return (
    <Sheet labelledBy="naive-title" className={`${styles.panel} ${styles.naive}`}>
      <div className={styles.head}>
        <h2 id="naive-title" className={styles.title}>
          <span className={styles.dot} aria-hidden="true" />
          Naive
        </h2>
        <Verdict score={evidence.score.naive} testId="verdict-naive" />
        <p className={styles.sub}>
          Counts at once, fetches and overwrites 1 s after a reply, and every 30 s
        </p>
      </div>
      {data && !anonymous ? (
        METERS.map((meter) => {
          const used = data.usage[FIELDS[meter]];
          const left = data.remainingQuota[FIELDS[meter]];
          const remaining = Number.isFinite(left) ? left : null;
          return (
            <Meter
              key={meter}
              naive
              meter={meter}
              limit={remaining === null ? null : (evidence.lines[meter].limit ?? used + left)}
              remaining={remaining}
              used={used}
              parts={[{ kind: "settled", units: used }]}
              testId={`naive-${meter}`}
              truth={truthIfWrong(evidence, "naive", meter, remaining)}
            />
          );
        })
      ) : (
        <p className={styles.nothing}>
          {anonymous ? "Not counted: nobody is signed in." : "Fetching…"}
        </p>
      )}
    </Sheet>
  );
}
