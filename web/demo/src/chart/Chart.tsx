import type { Evidence, Meter } from "../witness";
import styles from "./Chart.module.css";
import { LANE_HEIGHT, LEFT, type LineName, layOut } from "./layout";
import { spread } from "./steps";

const NAMES: Readonly<Record<LineName, string>> = {
  truth: "truth",
  ours: "Trueup",
  naive: "naive",
};
const END_LOOKS: Readonly<Record<LineName, string | undefined>> = {
  truth: styles.endTruth,
  ours: styles.endOurs,
  naive: styles.endNaive,
};
/** Below this width the line ends carry figures only. */
const NARROW = 480;

export interface ChartProps {
  readonly evidence: Evidence;
  readonly meter: Meter;
  readonly width: number;
  readonly height: number;
}

/** What remained over time, by the server and on both screens, with wrong stretches marked. */
export function Chart({ evidence, meter, width, height }: ChartProps) {
  const narrow = width < NARROW;
  const chart = layOut(evidence, meter, { width, height, margin: narrow ? 26 : 78 });
  const { right, paths, grid, times, seams, newsAreas, wrongAreas, lanes } = chart;
  return (
    <svg
      className={styles.svg}
      width={width}
      height={height}
      role="img"
      aria-label={description(chart.ends)}
    >
      {grid.map(({ value, y }) => (
        <g key={value}>
          <line className={styles.grid} x1={LEFT} x2={right} y1={y} y2={y} />
          <text className={styles.label} x={LEFT - 8} y={y} dy="0.32em" textAnchor="end">
            {value}
          </text>
        </g>
      ))}
      {seams.map((x) => (
        <line key={x} className={styles.seam} x1={x} x2={x} y1={grid.at(-1)?.y} y2={grid[0]?.y} />
      ))}
      {newsAreas.map((box) => (
        <rect key={`${box.x} ${box.y}`} className={styles.news} {...box} />
      ))}
      {wrongAreas.map((box) => (
        <rect key={`${box.x} ${box.y}`} className={styles.area} {...box} />
      ))}
      <path className={styles.ours} d={paths.ours} />
      <path className={styles.naive} d={paths.naive} />
      <path className={styles.truth} d={paths.truth} />
      <Ends ends={chart.ends} x={right + 8} bottom={chart.bottom} narrow={narrow} />
      {lanes.map(({ client, y, wrong }) => (
        <g key={client}>
          <rect
            className={client === "naive" ? styles.naiveLane : styles.lane}
            x={LEFT}
            y={y}
            width={right - LEFT}
            height={LANE_HEIGHT}
            rx={2}
          />
          {wrong.map(({ x, width }) => (
            <rect key={x} className={styles.wrong} x={x} y={y} width={width} height={LANE_HEIGHT} />
          ))}
          {!narrow && (
            <text className={styles.label} x={right + 8} y={y + LANE_HEIGHT / 2} dy="0.32em">
              {NAMES[client]}
            </text>
          )}
        </g>
      ))}
      {times.map(({ label, x }) => (
        <text
          key={label}
          className={styles.label}
          x={x}
          y={(lanes[0]?.y ?? 0) - 12}
          textAnchor={label === "now" ? "end" : "middle"}
        >
          {label}
        </text>
      ))}
    </svg>
  );
}

interface EndsProps {
  readonly ends: ReturnType<typeof layOut>["ends"];
  readonly x: number;
  readonly bottom: number;
  readonly narrow: boolean;
}

/** The figure at the right end of each line. */
function Ends({ ends, x, bottom, narrow }: EndsProps) {
  const names = (Object.keys(NAMES) as LineName[]).filter((name) => ends[name]);
  const places = spread(
    names.map((name) => ends[name]?.y ?? 0),
    15,
    bottom,
  );
  return names.map((name, index) => (
    <text
      key={name}
      className={`${styles.end} ${END_LOOKS[name]}`}
      x={x}
      y={places[index]}
      dy="0.35em"
    >
      {ends[name]?.value} {narrow ? "" : NAMES[name]}
    </text>
  ));
}

function description(ends: EndsProps["ends"]): string {
  const told = (Object.keys(NAMES) as LineName[])
    .filter((name) => ends[name])
    .map((name) => `${NAMES[name]} ${ends[name]?.value}`);
  return told.length > 0 ? `Remaining now: ${told.join(", ")}` : "Nothing was watched yet";
}
