import type { Meter as MeterName } from "../witness";
import styles from "./Meter.module.css";
import { MeterBar } from "./MeterBar";
import { Swatch } from "./Swatch";
import { KINDS, METER_NAMES, type Part, spoken } from "./words";

export interface MeterProps {
  readonly meter: MeterName;
  readonly limit: number;
  readonly remaining: number;
  readonly used: number;
  readonly parts: readonly Part[];
  readonly testId: string;
  /** Drawn in the other client's colour, and its one part is called "used". */
  readonly naive?: boolean;
  /** What the server says, while this meter shows something else. */
  readonly truth?: number | undefined;
}

export function Meter(props: MeterProps) {
  const { meter, limit, remaining, used, parts, testId, naive = false, truth } = props;
  const name = METER_NAMES[meter];
  const data = Object.fromEntries(parts.map(({ kind, units }) => [`data-${kind}`, units]));
  const looks = [
    styles.meter,
    meter === "premium_messages" ? "" : styles.small,
    truth === undefined ? "" : styles.wrong,
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a native meter cannot tell held from pending
    <div
      className={looks.join(" ")}
      role="meter"
      aria-label={`${name} messages`}
      aria-valuemin={0}
      aria-valuemax={limit}
      aria-valuenow={remaining}
      aria-valuetext={
        naive ? `${remaining} of ${limit} remaining` : spoken(parts, remaining, limit)
      }
      data-testid={testId}
      data-limit={limit}
      data-remaining={remaining}
      data-used={used}
      {...(naive ? {} : data)}
    >
      <div className={styles.head}>
        <span className={styles.name}>{name}</span>
        <span className={styles.figure}>
          <span className={styles.remaining}>{remaining}</span>
          <span className={styles.of}>
            of {limit}
            <span className={styles.filler}> left</span>
          </span>
        </span>
      </div>
      <MeterBar parts={parts} limit={limit} naive={naive} slim={meter !== "premium_messages"} />
      <div className={styles.words}>
        {parts.map(({ kind, units }) => (
          <span key={kind} className={styles.word} data-none={units === 0} title={KINDS[kind]}>
            <Swatch kind={kind} naive={naive} />
            {units}
            <span className={styles.filler}>{naive ? "used" : kind}</span>
          </span>
        ))}
        {truth !== undefined && (
          <span className={styles.truth}>
            <span className={styles.filler}>the </span>
            server says {truth}
          </span>
        )}
      </div>
    </div>
  );
}
