import { type Client, METERS, type Meter } from "./clients";

/** The figures of one meter as the page shows them. */
export interface Shown {
  readonly used: number;
  readonly remaining: number;
}

/** What stood on the screen in one animation frame; a meter that shows no figure is left out. */
export interface Frame extends Readonly<Record<Client, Readonly<Partial<Record<Meter, Shown>>>>> {
  readonly at: number;
}

const PREFIX: Readonly<Record<Client, string>> = { ours: "meter", naive: "naive" };

/**
 * Reads the meters off the page on every animation frame. It notes a frame when a figure changed,
 * and at moments that were named as due, when the same figure may have become right or wrong.
 */
export class Recorder {
  readonly frames: Frame[] = [];
  private due: number[] = [];
  private shown = "";
  private request = 0;

  constructor(private readonly onFrame: (frame: Frame) => void) {}

  start(): void {
    const look = () => {
      this.request = requestAnimationFrame(look);
      this.look(performance.now());
    };
    look();
  }

  stop(): void {
    cancelAnimationFrame(this.request);
  }

  /** Notes the first frame at or after this moment even if no figure changes. */
  noteAt(moment: number): void {
    this.due.push(moment);
  }

  /** Forgets what was recorded. */
  clear(): void {
    this.frames.length = 0;
    this.due = [];
    this.shown = "";
  }

  private look(at: number): void {
    const ours = read("ours");
    const naive = read("naive");
    const shown = JSON.stringify([ours, naive]);
    const isDue = this.due.some((moment) => moment <= at);
    if (shown === this.shown && !isDue) return;
    this.shown = shown;
    if (isDue) this.due = this.due.filter((moment) => moment > at);
    const frame: Frame = { at, ours, naive };
    this.frames.push(frame);
    this.onFrame(frame);
  }
}

function read(client: Client): Partial<Record<Meter, Shown>> {
  const figures: Partial<Record<Meter, Shown>> = {};
  for (const meter of METERS) {
    const element = document.querySelector<HTMLElement>(
      `[data-testid="${PREFIX[client]}-${meter}"]`,
    );
    const { used, remaining } = element?.dataset ?? {};
    if (used !== undefined && remaining !== undefined) {
      figures[meter] = { used: Number(used), remaining: Number(remaining) };
    }
  }
  return figures;
}
