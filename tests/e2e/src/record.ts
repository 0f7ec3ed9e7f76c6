/** What a meter says on the screen. */
export interface Figures {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
}

/** A meter that is not to be seen is left out. */
export type Meters = Readonly<Record<string, Figures>>;

export type Client = "ours" | "naive";

/** What stood on the screen in one animation frame. Moments are milliseconds of `Date.now()`. */
export interface Frame extends Readonly<Record<Client, Meters>> {
  readonly at: number;
  /** Which document it was in; a reload begins another one. */
  readonly document: number;
  /** Whose page it was; null when nobody was signed in. */
  readonly account: string | null;
}

/** The user pressed something that sends a message. */
export interface Press {
  readonly at: number;
  readonly account: string | null;
  readonly model: string;
}

/** A chat request left the page. */
export interface Departure {
  readonly at: number;
  /** When the user last did something before it. */
  readonly pressedAt: number;
  readonly account: string | null;
  readonly operation: string;
  readonly model: string;
}

/** A client's own question about usage was answered. */
export interface Answer {
  readonly at: number;
  readonly client: Client;
  readonly account: string | null;
  readonly version: number;
  /** 200, or 304 when there was nothing new. */
  readonly status: number;
}

/** Everything that was noted inside the page, over all its documents. */
export interface PageRecord {
  readonly frames: readonly Frame[];
  readonly presses: readonly Press[];
  readonly departures: readonly Departure[];
  readonly answers: readonly Answer[];
}

declare global {
  interface Window {
    /** What the demo offers to tests. */
    readonly __demo: { readonly usage: { refresh(): void } };
    readonly __record: {
      read(): PageRecord;
      /** How many of a client's own questions were answered. */
      answered(client: Client): number;
    };
  }
}
