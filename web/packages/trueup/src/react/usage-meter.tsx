import type { CSSProperties, ReactElement } from "react";
import type { MeterView } from "../view.js";
import { useMeter } from "./use-meter.js";

/** The words of a meter, to be translated. */
export interface UsageMeterLabels {
  /** Charged for good. "Used" */
  readonly used: string;
  /** Set aside by the server for operations that still run. "Running" */
  readonly held: string;
  /** Estimated here, not confirmed by the server yet. "Sending" */
  readonly pending: string;
  /** What is left. "Left" */
  readonly remaining: string;
  /** Stands for the number left when there is no limit. "Unlimited" */
  readonly unlimited: string;
  /** What a screen reader says of the bar: "3 of 5 used, 2 left". */
  readonly summary: (meter: MeterView, number: (units: number) => string) => string;
}

/** Props of {@link UsageMeter}. */
export interface UsageMeterProps {
  /** The meter's name in the plan: `premium_messages`. */
  readonly meter: string;
  /** What it is called on the page; made from the name by default: "Premium messages". */
  readonly label?: string;
  /** Other words than the English ones. */
  readonly labels?: Partial<UsageMeterLabels>;
  /** How numbers are written; the visitor's own by default. */
  readonly locale?: string;
  /** Added to the class `trueup-meter`. */
  readonly className?: string;
}

const LABELS: UsageMeterLabels = {
  used: "Used",
  held: "Running",
  pending: "Sending",
  remaining: "Left",
  unlimited: "Unlimited",
  summary: ({ limit, used, remaining }, number) =>
    limit === null || remaining === null
      ? `${number(used)} used`
      : `${number(used)} of ${number(limit)} used, ${number(remaining)} left`,
};

/** At which share of the limit a meter is said to be low. */
const LOW_SHARE = 0.2;

/**
 * One meter, as a bar and in figures that add up to the limit: used, held, pending, remaining.
 *
 * Comes without style: every part has a class (`trueup-meter__…`), and the whole has `data-state`
 * (`loading`, `resetting`, `unlimited`, `normal`, `low` or `spent`). `trueup/react.css` is a small
 * stylesheet for it.
 */
export function UsageMeter(props: UsageMeterProps): ReactElement {
  const meter = useMeter(props.meter);
  const labels = { ...LABELS, ...props.labels };
  const label = props.label ?? readable(props.meter);
  const number = (units: number): string => units.toLocaleString(props.locale);
  const state = stateOf(meter);
  const figure = (name: "used" | "held" | "pending" | "remaining", text: string): ReactElement => (
    <div className={`trueup-meter__figure trueup-meter__figure--${name}`}>
      <dt>{labels[name]}</dt>
      <dd>{text}</dd>
    </div>
  );

  return (
    <div
      className={props.className ? `trueup-meter ${props.className}` : "trueup-meter"}
      data-meter={props.meter}
      data-state={state}
      aria-busy={state === "loading" || state === "resetting"}
    >
      <div className="trueup-meter__label">{label}</div>
      {meter && meter.limit !== null && (
        <Bar meter={meter} limit={meter.limit} name={label} text={labels.summary(meter, number)} />
      )}
      {meter && (
        <dl className="trueup-meter__figures">
          {figure("used", number(meter.settled))}
          {figure("held", number(meter.held))}
          {figure("pending", number(meter.pending))}
          {figure(
            "remaining",
            meter.remaining === null ? labels.unlimited : number(meter.remaining),
          )}
        </dl>
      )}
    </div>
  );
}

function Bar(props: { meter: MeterView; limit: number; name: string; text: string }): ReactElement {
  const { meter, limit } = props;
  // Use above the limit still fills the bar and no more.
  const whole = Math.max(limit, meter.used, 1);
  const part = (name: "settled" | "held" | "pending"): ReactElement => (
    <span
      className={`trueup-meter__part trueup-meter__part--${name}`}
      style={{ inlineSize: `${(100 * meter[name]) / whole}%` } satisfies CSSProperties}
    />
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> cannot show three parts.
    <div
      className="trueup-meter__bar"
      role="meter"
      aria-label={props.name}
      aria-valuemin={0}
      aria-valuemax={limit}
      aria-valuenow={Math.min(meter.used, limit)}
      aria-valuetext={props.text}
    >
      {part("settled")}
      {part("held")}
      {part("pending")}
    </div>
  );
}

function stateOf(meter: MeterView | undefined): string {
  if (!meter) return "loading";
  if (meter.resetting) return "resetting";
  if (meter.limit === null || meter.remaining === null) return "unlimited";
  if (meter.remaining === 0) return "spent";
  return meter.remaining <= meter.limit * LOW_SHARE ? "low" : "normal";
}

function readable(name: string): string {
  const words = name.replace(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
