import type { Answer, Departure, Frame, PageRecord, Press } from "../record";

const KEY = "e2e.record";

/** What is kept while a document goes and the next one comes. Most frames are alike. */
interface Kept {
  readonly documents: number;
  readonly screens: string[];
  readonly frames: [at: number, screen: number][];
  readonly presses: Press[];
  readonly departures: Departure[];
  readonly answers: Answer[];
}

const NOTHING: Kept = {
  documents: 0,
  screens: [],
  frames: [],
  presses: [],
  departures: [],
  answers: [],
};

/** The record of this document and of those before it. */
export class Memory {
  private readonly kept: Kept;
  readonly presses: Press[];
  readonly departures: Departure[];
  readonly answers: Answer[];

  constructor() {
    this.kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") ?? NOTHING;
    this.presses = this.kept.presses;
    this.departures = this.kept.departures;
    this.answers = this.kept.answers;
    window.addEventListener("pagehide", () => {
      const kept = { ...this.kept, documents: this.kept.documents + 1 };
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    });
  }

  noteFrame(at: number, screen: Omit<Frame, "at" | "document">): void {
    const { screens, frames, documents } = this.kept;
    const text = JSON.stringify({ document: documents, ...screen });
    if (text !== screens.at(-1)) screens.push(text);
    frames.push([at, screens.length - 1]);
  }

  read(): PageRecord {
    const screens = this.kept.screens.map((text) => JSON.parse(text) as Omit<Frame, "at">);
    return {
      frames: this.kept.frames.flatMap(([at, screen]) => {
        const shown = screens[screen];
        return shown ? [{ at, ...shown }] : [];
      }),
      presses: this.presses,
      departures: this.departures,
      answers: this.answers,
    };
  }
}
