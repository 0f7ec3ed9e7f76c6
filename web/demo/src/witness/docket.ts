import {
  type Course,
  courseOfOperation,
  courseOfShift,
  type Operation,
  type Shift,
  type Units,
  type Word,
} from "../truth";
import { margins, type OperationRecord, type Snapshot, takenBy } from "./snapshot";

/** A movement from elsewhere must be on every screen after one poll (30 s + 10 %) and two round trips. */
const ELSEWHERE_MS = 35_000;

/** The version of a word that no snapshot carries. */
const NEVER = Number.POSITIVE_INFINITY;

/** An operation of this page, and the id under which its request left. */
export interface Entry {
  readonly operation: Operation;
  readonly operationId?: string;
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

  get operations(): readonly Operation[] {
    return [...this.entries.values()].map(({ operation }) => operation);
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

  /** What has begun and not ended yet. */
  get undecided(): readonly Entry[] {
    return [...this.entries.values()].filter(({ operation }) => !isDecided(operation));
  }

  /** The user acted: from now on the prediction belongs on every screen. Returns the entry's key. */
  begin(predicted: Units, at: number, operationId?: string): string {
    this.keys += 1;
    const key = `${this.keys}`;
    const operation: Operation = { id: key, begunAt: at, predicted, words: [] };
    this.entries.set(key, { operation, ...(operationId && { operationId }) });
    return key;
  }

  /** The request of an entry left the page under this id. */
  sent(key: string, operationId: string): void {
    const entry = this.entries.get(key);
    if (entry) this.entries.set(key, { ...entry, operationId });
  }

  /** The action never became an operation: it was refused before anything was sent. */
  withdraw(key: string): void {
    this.entries.delete(key);
  }

  /**
   * The server refused an id and keeps no record of it: nothing is taken, now or later. A client
   * that is named knows.
   */
  refused(operationId: string, client: string | undefined, at: number): void {
    this.record({ id: operationId, version: NEVER, state: "refused" }, at);
    if (client) this.heard(client, NEVER, at, (entry) => entry.operationId === operationId);
  }

  /** A snapshot that names the records reached a client. */
  news(client: string, records: readonly OperationRecord[], at: number): void {
    for (const record of records) {
      this.record(record, at);
      this.heard(client, record.version, at, (entry) => entry.operationId === record.id);
    }
  }

  /** The news of all that had ended by a version reached a client that reads totals only. */
  newsUpTo(client: string, version: number, at: number): void {
    this.totals.push({ client, version, at });
    this.heard(client, version, at, ({ operation }) => isDecided(operation));
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
    for (const record of snapshot.operations) this.record(record, answeredAt);
    const taken = this.takenBy(snapshot.version);
    if (before) {
      const moved = subtract(margins(before.snapshot), margins(snapshot));
      const ours = subtract(taken, this.takenBy(before.snapshot.version));
      this.shift(subtract(moved, ours), before.requestedAt, answeredAt);
    } else {
      this.base = subtract(margins(snapshot), subtract({}, taken));
    }
    this.seen = { snapshot, requestedAt };
    return true;
  }

  /** The courses of a meter for a client: what `judge` needs to know. */
  courses(meter: string, client: string): readonly Course[] {
    return [
      ...this.operations.map((operation) => courseOfOperation(operation, meter, client)),
      ...this.elsewhere.map((shift) => courseOfShift(shift, meter)),
    ];
  }

  private record(record: OperationRecord, at: number): void {
    const { id, version, state } = record;
    for (const [key, entry] of this.entries) {
      const { operation, operationId } = entry;
      if (operationId !== id || operation.words.some((word) => word.version === version)) continue;
      const heard = this.totals.filter((one) => state !== "held" && one.version >= version);
      const word: Word = {
        version,
        taken: takenBy(record),
        final: state !== "held",
        notBefore: this.completeUntil,
        knownAt: at,
        newsAt: Object.fromEntries(heard.reverse().map(({ client, at }) => [client, at])),
      };
      const words = [...operation.words, word].sort((a, b) => a.version - b.version);
      this.entries.set(key, { ...entry, operation: { ...operation, words } });
    }
  }

  /** A client knows what the server had said of an operation by a version, if not since earlier. */
  private heard(client: string, version: number, at: number, of: (entry: Entry) => boolean): void {
    for (const [key, entry] of this.entries) {
      if (!of(entry)) continue;
      const words = entry.operation.words.map((word) =>
        word.version <= version ? { ...word, newsAt: { [client]: at, ...word.newsAt } } : word,
      );
      this.entries.set(key, { ...entry, operation: { ...entry.operation, words } });
    }
  }

  private shift(moved: Units, notBefore: number, at: number): void {
    const limited = ([meter, units]: [string, number]) => units !== 0 && meter in (this.base ?? {});
    const taken = Object.fromEntries(Object.entries(moved).filter(limited));
    if (Object.keys(taken).length === 0) return;
    const id = `elsewhere-${this.elsewhere.length}`;
    const shift = { id, notBefore, knownAt: at, mustAt: at + ELSEWHERE_MS, taken };
    this.elsewhere = [...this.elsewhere, shift];
  }

  private startOver(): void {
    this.entries = new Map(
      this.undecided.map((entry) => [
        entry.operation.id,
        { ...entry, operation: { ...entry.operation, words: [] } },
      ]),
    );
    this.elsewhere = [];
    this.totals = [];
    this.base = undefined;
    this.seen = undefined;
  }

  /** What all operations of this page take from the server's `used + held` at a version. */
  private takenBy(version: number): Units {
    const sum: Record<string, number> = {};
    for (const { words } of this.operations) {
      const taken = words.findLast((word) => word.version <= version)?.taken ?? {};
      for (const [meter, units] of Object.entries(taken)) sum[meter] = (sum[meter] ?? 0) + units;
    }
    return sum;
  }
}

function isDecided({ words }: Operation): boolean {
  return words.some((word) => word.final);
}

function subtract(from: Units, units: Units): Record<string, number> {
  const result: Record<string, number> = { ...from };
  for (const [meter, amount] of Object.entries(units)) {
    result[meter] = (result[meter] ?? 0) - amount;
  }
  return result;
}
