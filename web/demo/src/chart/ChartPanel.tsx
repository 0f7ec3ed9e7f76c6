import { useState } from "react";
import { METER_NAMES } from "../meters/words";
import { Choice } from "../ui/Choice";
import { Sheet } from "../ui/Sheet";
import { type Evidence, METERS, type Meter } from "../witness";
import { Chart } from "./Chart";
import styles from "./Chart.module.css";
import { useSize } from "./useSize";

export function ChartPanel({ evidence }: { readonly evidence: Evidence }) {
  const [meter, setMeter] = useState<Meter>("premium_messages");
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
        {width > 0 && <Chart evidence={evidence} meter={meter} width={width} height={height} />}
      </div>
      <Legend />
    </Sheet>
  );
}

function Legend() {
  return (
    <ul className={styles.legend}>
      <li className={styles.key}>
        <Sample look={styles.truth} /> the truth, as the server decides
      </li>
      <li className={styles.key}>
        <Sample look={styles.ours} /> Trueup
      </li>
      <li className={styles.key}>
        <Sample look={styles.naive} /> naive
      </li>
      <li className={styles.key}>
        <svg width="22" height="10" aria-hidden="true">
          <rect className={styles.wrong} width="22" height="10" rx="2" />
        </svg>
        wrong on the screen
      </li>
    </ul>
  );
}

function Sample({ look }: { readonly look: string | undefined }) {
  return (
    <svg width="22" height="10" aria-hidden="true">
      <path className={look} d="M0 5H22" />
    </svg>
  );
}
