import {
  type Course,
  courseOfOperation,
  courseOfShift,
  type Operation,
  type Shift,
  type Units,
} from "../truth";
import { margins, type OperationRecord, type Snapshot, takenBy } from "./snapshot";

/** A movement from elsewhere must be on every screen after one poll (30 s + 10 %) and two round trips. */
const ELSEWHERE_MS = 35_000;

/** An operation of this page and what the observer has seen of it. */
export interface Entry {
  readonly key: string;
  /** The id on the wire, once the request has left. */
  readonly operationId?: string;
  readonly operation: Operation;
  /** What the operation takes from the server's `used + held` by its newest record. */
  readonly taken?: Units;
  readonly decidedVersion?: number;
  /** When anybody on this page first knew of the decision. */
  readonly decidedAt?: number;
}

/**
 * Everything that is known about what happened and when: the operations of this page, what the
 * server made of them, and when the news reached which client. It knows no clock and no network;
 * moments come in as arguments, in milliseconds of `performance.now()`.
 */
export class Docket {
  private entries = new Map<string, Entry>();
  private elsewhere: Shift[] = [];
  private base: Readonly<Record<string, number>> | undefined;
  private seen: { snapshot: Snapshot; requestedAt: number } | undefined;
  private totals: { client: string; version: number; at: number }[] = [];
  private keys = 0;

  /** What remained of every meter before any operation and shift of this docket. */
  get margins(): Readonly<Record<string, number>> | undefined {
    return this.base;
  }

  get operations(): readonly Entry[] {
    return [...this.entries.values()];
  }

  get shifts(): readonly Shift[] {
    return this.elsewhere;
  }

  /** The version to ask the server for changes since, or undefined before the first answer. */
  get version(): number | undefined {
    return this.seen?.snapshot.version;
  }

  /** Up to this moment nothing that the server did is unknown. */
  get completeUntil(): number {
    return this.seen?.requestedAt ?? Number.NEGATIVE_INFINITY;
  }

  get undecided(): readonly Entry[] {
    return this.operations.filter(({ operation }) => operation.decision === undefined);
  }

  /** The user acted: from now on the prediction belongs on every screen. Returns the entry's key. */
  begin(predicted: Units, at: number, operationId?: string): string {
    this.keys += 1;
    const key = `${this.keys}`;
    const operation: Operation = { id: key, begunAt: at, predicted, newsAt: {} };
    this.entries.set(key, { key, operation, ...(operationId && { operationId }) });
    return key;
  }

  /** The request of an entry left the page under this id. */
  sent(key: string, operationId: string): void {
    this.update(key, (entry) => ({ ...entry, operationId }));
  }

  /** The action never became an operation: it was refused before anything was sent. */
  withdraw(key: string): void {
    this.entries.delete(key);
  }

  /** A snapshot that names the records reached a client. */
  news(client: string, records: readonly OperationRecord[], at: number): void {
    for (const record of records) {
      if (record.state === "held") continue;
      const entry = this.byOperationId(record.id);
      if (entry) this.heard(entry, client, at);
    }
  }

  /** The news of everything up to a version reached a client that reads totals only. */
  newsUpTo(client: string, version: number, at: number): void {
    this.totals.push({ client, version, at });
    for (const entry of this.operations) {
      if (entry.decidedVersion !== undefined && entry.decidedVersion <= version) {
        this.heard(entry, client, at);
      }
    }
  }

  /**
   * An answer to the observer. Returns false when it does not continue the one before (another
   * history, or more changes than travel): the docket then starts over with what is undecided.
   */
  observe(snapshot: Snapshot, requestedAt: number, answeredAt: number): boolean {
    const before = this.seen;
    if (before && snapshot.version < before.snapshot.version) return true;
    if (before && (snapshot.reset || snapshot.epoch !== before.snapshot.epoch)) {
      this.startOver();
      return false;
    }
    const takenBefore = this.taken();
    for (const record of snapshot.operations) {
      this.record(record, before?.requestedAt ?? Number.NEGATIVE_INFINITY, answeredAt);
    }
    const takenNow = this.taken();
    this.seen = { snapshot, requestedAt };
    if (before) {
      const moved = subtract(margins(before.snapshot), margins(snapshot));
      const ours = subtract(takenNow, takenBefore);
      this.shift(subtract(moved, ours), before.requestedAt, answeredAt);
    } else {
      this.base = subtract(margins(snapshot), subtract({}, takenNow));
    }
    return true;
  }

  /** The courses of a meter for a client: what `judge` needs to know. */
  courses(meter: string, client: string): readonly Course[] {
    return [
      ...this.operations.map(({ operation }) => courseOfOperation(operation, meter, client)),
      ...this.elsewhere.map((shift) => courseOfShift(shift, meter)),
    ];
  }

  private record(record: OperationRecord, notBefore: number, at: number): void {
    const entry = this.byOperationId(record.id);
    if (!entry) return;
    const taken = takenBy(record);
    if (record.state === "held") {
      this.update(entry.key, (one) => ({ ...one, taken }));
      return;
    }
    const earliest = Math.min(at, ...Object.values(entry.operation.newsAt));
    this.update(entry.key, (one) => ({
      ...one,
      taken,
      decidedVersion: record.version,
      decidedAt: one.decidedAt ?? earliest,
      operation: {
        ...one.operation,
        decision: one.operation.decision ?? { notBefore, charged: taken },
      },
    }));
    for (const { client, version, at: readAt } of this.totals) {
      if (version >= record.version) this.heard(entry, client, readAt);
    }
  }

  private heard({ key }: Entry, client: string, at: number): void {
    this.update(key, (entry) => {
      const newsAt = { [client]: at, ...entry.operation.newsAt };
      return { ...entry, operation: { ...entry.operation, newsAt } };
    });
  }

  private shift(taken: Units, notBefore: number, at: number): void {
    if (Object.values(taken).every((units) => units === 0)) return;
    const id = `elsewhere-${this.elsewhere.length}`;
    const shift = { id, notBefore, knownAt: at, mustAt: at + ELSEWHERE_MS, taken };
    this.elsewhere = [...this.elsewhere, shift];
  }

  private startOver(): void {
    const open = this.undecided.map(({ key, operationId, operation }) => {
      const entry: Entry = { key, operation, ...(operationId && { operationId }) };
      return [key, entry] as const;
    });
    this.entries = new Map(open);
    this.elsewhere = [];
    this.base = undefined;
    this.seen = undefined;
  }

  private byOperationId(id: string): Entry | undefined {
    return this.operations.find(({ operationId }) => operationId === id);
  }

  private update(key: string, change: (entry: Entry) => Entry): void {
    const entry = this.entries.get(key);
    if (entry) this.entries.set(key, change(entry));
  }

  /** What all operations of this page take from the server's `used + held`. */
  private taken(): Units {
    const sum: Record<string, number> = {};
    for (const { taken = {} } of this.entries.values()) {
      for (const [meter, units] of Object.entries(taken)) sum[meter] = (sum[meter] ?? 0) + units;
    }
    return sum;
  }
}

function subtract(from: Units, units: Units): Record<string, number> {
  const result: Record<string, number> = { ...from };
  for (const [meter, amount] of Object.entries(units)) {
    result[meter] = (result[meter] ?? 0) - amount;
  }
  return result;
}
