import { extend, judge, START, type Standing, type Stretch, wrongMs } from "../truth";
import { CLIENTS, type Client, METERS, type Meter } from "./clients";
import type { Docket } from "./docket";
import type { Frame } from "./recorder";

/** How a client has done so far. */
export interface Score {
  /** Frames that could be judged. */
  readonly judged: number;
  readonly wrongFrames: number;
  /** Stretches of time with a wrong number on any meter. */
  readonly moments: number;
  readonly wrongMs: number;
  readonly wrongNow: boolean;
}

interface Record {
  judged: number;
  wrongFrames: number;
  stretches: readonly Stretch[];
  byMeter: { [meter in Meter]: { standing: Standing; stretches: readonly Stretch[] } };
}

/** Judges what both clients have shown, frame by frame, with the same function. */
export class Court {
  private records: { [client in Client]: Record } = { ours: empty(), naive: empty() };
  private heard = 0;

  /** Judges every frame about which all is known. A client is judged from its first answer on. */
  hear(
    frames: readonly Frame[],
    docket: Docket,
    judgedFrom: Partial<{ [client in Client]: number }>,
  ) {
    const { margins, completeUntil } = docket;
    if (!margins) return;
    for (let frame = frames[this.heard]; frame && frame.at <= completeUntil; ) {
      for (const client of CLIENTS) {
        if (frame.at >= (judgedFrom[client] ?? Number.POSITIVE_INFINITY)) {
          this.judgeFrame(frame, client, docket, margins);
        }
      }
      this.heard += 1;
      frame = frames[this.heard];
    }
  }

  /** The docket has started over: what was shown before explains nothing any more. */
  startOver(): void {
    for (const client of CLIENTS) {
      for (const meter of METERS) this.records[client].byMeter[meter].standing = START;
    }
  }

  clear(): void {
    this.records = { ours: empty(), naive: empty() };
    this.heard = 0;
  }

  score(client: Client, now: number): Score {
    const { judged, wrongFrames, stretches } = this.records[client];
    return {
      judged,
      wrongFrames,
      moments: stretches.length,
      wrongMs: wrongMs(stretches, now),
      wrongNow: stretches.at(-1)?.to === undefined && stretches.length > 0,
    };
  }

  /** Wrong stretches of a client, on one meter or on any. */
  stretches(client: Client, meter?: Meter): readonly Stretch[] {
    const record = this.records[client];
    return meter ? record.byMeter[meter].stretches : record.stretches;
  }

  private judgeFrame(
    frame: Frame,
    client: Client,
    docket: Docket,
    margins: Readonly<{ [meter: string]: number }>,
  ): void {
    const record = this.records[client];
    let judged = false;
    let right = true;
    for (const meter of METERS) {
      const shown = frame[client][meter];
      const margin = margins[meter];
      if (shown === undefined || margin === undefined) continue;
      judged = true;
      const own = record.byMeter[meter];
      const courses = docket.courses(meter, client);
      const judgement = judge(own.standing, courses, margin, frame.at, shown.remaining);
      own.standing = judgement.standing;
      own.stretches = extend(own.stretches, frame.at, judgement.right);
      right &&= judgement.right;
    }
    if (!judged) return;
    record.judged += 1;
    if (!right) record.wrongFrames += 1;
    record.stretches = extend(record.stretches, frame.at, right);
  }
}

function empty(): Record {
  return {
    judged: 0,
    wrongFrames: 0,
    stretches: [],
    byMeter: {
      premium_messages: { standing: START, stretches: [] },
      standard_messages: { standing: START, stretches: [] },
    },
  };
}
