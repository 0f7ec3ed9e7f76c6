import type { Units } from "../truth";
import { PAINT_GRACE_MS } from "../truth";
import { CLIENTS, type Client } from "./clients";
import { Court } from "./court";
import { Docket } from "./docket";
import { type Evidence, gather, type Span } from "./evidence";
import { Observer } from "./observer";
import { loadOpen, saveOpen } from "./openOperations";
import { type Frame, Recorder } from "./recorder";
import { limitsOf, type Snapshot } from "./snapshot";
import { tapWire, type Wire, type WireListener } from "./wire";

const LIVELY_PAUSE_MS = 150;
/** While a client is wrong and nothing else happens, the picture only needs to move on. */
const WATCHING_PAUSE_MS = 500;
/** Things that changed less than this ago may not have come to rest. */
const RESTLESS_MS = 3_000;

/** Whose operations are watched. */
export interface Watched {
  readonly account: string;
  readonly getToken: () => Promise<string>;
}

/** An action that was announced and whose request has not left yet. */
interface Announced {
  readonly key: string;
  readonly body: string;
  readonly onSent: (operationId: string) => void;
}

/**
 * Watches both clients from outside: what leaves the page, what the server says, what the screen
 * shows. It takes no part in counting; the page is the same without it.
 */
export class Witness implements WireListener {
  readonly wire: Wire = tapWire(this, "ours");
  private readonly recorder = new Recorder((frame) => this.frameNoted(frame));
  private readonly court = new Court();
  private readonly listeners = new Set<() => void>();
  private docket = new Docket();
  private observer: Observer | undefined;
  private account: string | undefined;
  private announced: Announced[] = [];
  private judgedFrom: Partial<Record<Client, number>> = {};
  private limits: Readonly<Record<string, number>> = {};
  private spans: Span[] = [];
  private changedAt = 0;
  private evidence: Evidence = this.gather();

  constructor() {
    this.recorder.start();
  }

  get frames(): readonly Frame[] {
    return this.recorder.frames;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): Evidence => this.evidence;

  /** Starts over for another account, or rests for a visitor that no server counts. */
  restart(session: Watched | null): void {
    this.observer?.stop();
    this.observer = undefined;
    this.account = session?.account;
    this.docket = new Docket();
    this.court.clear();
    this.recorder.clear();
    this.announced = [];
    this.judgedFrom = {};
    this.spans = [];
    if (session) {
      for (const { id, predicted } of loadOpen(session.account))
        this.docket.begin(predicted, 0, id);
      this.observer = this.observe(session.getToken);
      this.stir();
    }
    this.publish();
  }

  /**
   * The user acts now: `body` is the request that will be sent. `onSent` hears the id under which
   * it left the page. Returns how to take the action back when it never leaves.
   */
  begin(body: string, predicted: Units, onSent: (operationId: string) => void): () => void {
    if (!this.observer) return () => undefined;
    const at = performance.now();
    const key = this.docket.begin(predicted, at);
    const announced = { key, body, onSent };
    this.announced.push(announced);
    this.recorder.noteAt(at + PAINT_GRACE_MS);
    this.stir();
    return () => {
      if (!this.announced.includes(announced)) return;
      this.announced = this.announced.filter((one) => one !== announced);
      this.docket.withdraw(key);
      this.stir();
    };
  }

  chatLeft(operationId: string, body: string): void {
    const index = this.announced.findIndex((one) => one.body === body);
    const [announced] = index < 0 ? [] : this.announced.splice(index, 1);
    if (!announced) return;
    this.docket.sent(announced.key, operationId);
    this.keepOpen();
    announced.onSent(operationId);
  }

  operationRefused(operationId: string, client: string | undefined, at: number): void {
    this.docket.refused(operationId, client, at);
    this.keepOpen();
    this.recorder.noteAt(at + PAINT_GRACE_MS);
    this.stir();
  }

  replyArrived(operationId: string, snapshot: Snapshot, at: number): void {
    const own = snapshot.operations.filter(({ id }) => id === operationId);
    this.docket.news("ours", snapshot.operations, at);
    this.docket.news("naive", own, at);
    this.recorder.noteAt(at + PAINT_GRACE_MS);
    this.stir();
  }

  usageArrived(client: string, snapshot: Snapshot | undefined, at: number): void {
    const name = CLIENTS.find((one) => one === client);
    // An answer may still come in that the visitor before had asked for.
    if (!name || (snapshot && snapshot.account !== this.account)) return;
    this.judgedFrom[name] ??= at + PAINT_GRACE_MS;
    if (snapshot && name === "ours") this.docket.news(name, snapshot.operations, at);
    if (snapshot && name === "naive") this.docket.newsUpTo(name, snapshot.version, at);
    this.recorder.noteAt(at + PAINT_GRACE_MS);
    this.stir();
  }

  private observe(getToken: Watched["getToken"]): Observer {
    return new Observer({
      fetch: this.wire.unwatched,
      getToken,
      version: () => this.docket.version,
      ask: () => this.docket.undecided.flatMap(({ operationId }) => operationId ?? []),
      onSnapshot: (snapshot, requestedAt, answeredAt) =>
        this.observed(snapshot, requestedAt, answeredAt),
      pause: () => this.pause(),
    });
  }

  private observed(snapshot: Snapshot, requestedAt: number, answeredAt: number): void {
    const before = this.docket.version;
    if (!this.docket.observe(snapshot, requestedAt, answeredAt)) this.court.startOver();
    if (before !== this.docket.version) this.changedAt = answeredAt;
    for (const { mustAt } of this.docket.shifts.slice(-1)) this.recorder.noteAt(mustAt);
    if (before === undefined) this.recorder.noteAt(answeredAt);
    this.limits = limitsOf(snapshot);
    this.keepOpen();
    this.court.hear(this.frames, this.docket, this.judgedFrom);
    this.publish();
  }

  private pause(): number | undefined {
    const now = performance.now();
    if (this.docket.undecided.length > 0 || now - this.changedAt < RESTLESS_MS) {
      return LIVELY_PAUSE_MS;
    }
    if (CLIENTS.some((client) => this.court.score(client, now).wrongNow)) return WATCHING_PAUSE_MS;
    this.fallAsleep(now);
    return undefined;
  }

  private frameNoted(frame: Frame): void {
    if (!this.observer) return;
    this.changedAt = frame.at;
    this.stir();
    this.publish();
  }

  /** Something happened: looks again, and goes on looking until it has come to rest. */
  private stir(): void {
    if (!this.observer || document.hidden) return;
    this.changedAt = performance.now();
    const last = this.spans.at(-1);
    if (!last || last.to !== undefined) this.spans = [...this.spans, { from: this.changedAt }];
    this.observer.wakeUnlessAwake();
  }

  private fallAsleep(now: number): void {
    const last = this.spans.at(-1);
    if (last) this.spans = [...this.spans.slice(0, -1), { from: last.from, to: now }];
  }

  private keepOpen(): void {
    if (!this.account) return;
    const open = this.docket.undecided.flatMap(({ operationId, operation }) =>
      operationId ? [{ id: operationId, predicted: operation.predicted }] : [],
    );
    saveOpen(this.account, open);
  }

  private gather(): Evidence {
    const { docket, court, spans, limits } = this;
    return gather({ docket, court, frames: this.frames, spans, limits }, performance.now());
  }

  private publish(): void {
    this.evidence = this.gather();
    for (const listener of this.listeners) listener();
  }
}
