import type { Reporter, TestCase, TestModule } from "vitest/node";

/** How a test's frames were judged; a test hands it over in its `task.meta`. */
export interface FrameCount {
  readonly frames: number;
  readonly ours: number;
  readonly naive: number;
}

declare module "vitest" {
  interface TaskMeta {
    frames?: FrameCount;
  }
}

const NAME_WIDTH = 100;

interface Row extends FrameCount {
  readonly name: string;
}

/** Prints, after all tests, what the screens have shown: wrong frames of ours and of the naive client. */
export class FrameTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => rowOf(test));
    if (rows.length > 0) process.stdout.write(`\n${table(rows).join("\n")}\n`);
  }
}

function rowOf(test: TestCase): readonly Row[] {
  const { frames } = test.meta();
  return frames ? [{ name: test.name, ...frames }] : [];
}

function short(name: string, width: number): string {
  return name.length > width ? `${name.slice(0, width - 1)}…` : name;
}

function table(rows: readonly Row[]): readonly string[] {
  const sum = (pick: (row: Row) => number) => rows.reduce((all, row) => all + pick(row), 0);
  const total = {
    name: "all",
    frames: sum(({ frames }) => frames),
    ours: sum(({ ours }) => ours),
    naive: sum(({ naive }) => naive),
  };
  const width = Math.min(NAME_WIDTH, Math.max(...rows.map(({ name }) => name.length)));
  const line = (name: string, ...cells: readonly (string | number)[]) =>
    [short(name, width).padEnd(width), ...cells.map((cell) => `${cell}`.padStart(12))].join("");
  const written = (row: Row) => line(row.name, row.frames, row.ours, row.naive);
  return [
    line("scenario", "frames", "ours wrong", "naive wrong"),
    ...rows.map(written),
    written(total),
  ];
}
