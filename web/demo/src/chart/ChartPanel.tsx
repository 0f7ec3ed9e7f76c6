import { useState } from "react";
import { useDemo } from "../app/demo";
import { METER_NAMES } from "../meters/words";
import { Choice } from "../ui/Choice";
import { Sheet } from "../ui/Sheet";
import { useStore } from "../ui/store";
import { type Evidence, METERS, type Meter } from "../witness";
import { Chart } from "./Chart";
import styles from "./Chart.module.css";
import { useSize } from "./useSize";

export function ChartPanel({ evidence }: { readonly evidence: Evidence }) {
  const [meter, setMeter] = useState<Meter>("premium_messages");
  const { anonymous } = useStore(useDemo().sessions);
  const [ref, { width, height }] = useSize();
  return (
    <Sheet labelledBy="chart-title" className={styles.panel}>
      <div className={styles.head}>
        <h2 id="chart-title" className={styles.title}>
          Against the server’s truth
        </h2>
        <Choice
          label="Meter to draw"
          options={METERS.map((name) => ({ value: name, label: METER_NAMES[name] }))}
          value={meter}
          onChange={setMeter}
        />
      </div>
      <div ref={ref} className={styles.plot} data-testid="chart">
        {anonymous ? (
          <p className={styles.nothing}>
            Nobody is signed in: there is no server’s truth to hold against.
          </p>
        ) : (
          width > 0 && <Chart evidence={evidence} meter={meter} width={width} height={height} />
        )}
      </div>
      <Legend />
    </Sheet>
  );
}

function Legend() {
  return (
    <ul className={styles.legend}>
      <li className={styles.key}>
        <Sample look={styles.truth} /> the truth: what the server decided, and what was just sent
      </li>
      <li className={styles.key}>
        <Sample look={styles.ours} /> Trueup
      </li>
      <li className={styles.key}>
        <Sample look={styles.naive} /> naive
      </li>
      <li className={styles.key}>
        <Area look={styles.news} /> news on its way
      </li>
      <li className={styles.key}>
        <Area look={styles.wrong} /> wrong on the screen
      </li>
    </ul>
  );
}

function Area({ look }: { readonly look: string | undefined }) {
  return (
    <svg width="22" height="10" aria-hidden="true">
      <rect className={look} width="22" height="10" rx="2" />
    </svg>
  );
}

function Sample({ look }: { readonly look: string | undefined }) {
  return (
    <svg width="22" height="10" aria-hidden="true">
      <path className={look} d="M0 5H22" />
    </svg>
  );
}
