import { type Amounts, amountsOf, type Entry, sameAmounts } from "./ledger";

/**
 * One thing that takes units, stage by stage: an operation takes what was predicted, and then what
 * the server made of it. Before its first stage it takes nothing.
 */
export interface Claim {
  readonly id: string;
  readonly stages: readonly Stage[];
}

export interface Stage {
  readonly amounts: Amounts;
  /** No screen may show the stage before this moment. */
  readonly mayFrom: number;
  /** From this moment on a screen has to be on its way to the stage. */
  readonly mustFrom: number;
}

/** A user action of the page under test. */
export interface Begun {
  readonly operation: string;
  /** The user pressed the button. */
  readonly pressedAt: number;
  /** The request left; the page had counted it before. */
  readonly departedAt: number;
  readonly predicted: Readonly<Record<string, number>>;
}

/** When a client was told of a version of the account, by an answer or by a reply to a chat. */
export interface News {
  readonly at: number;
  readonly version: number;
  /** News of this operation alone; of everything up to the version when it is left out. */
  readonly operation?: string;
}

export interface Facts {
  /** The ledger of the account, as far as it is younger than the page. */
  readonly entries: readonly Entry[];
  readonly begun: readonly Begun[];
  readonly news: readonly News[];
  /** What was taken before all that, and the limits then. */
  readonly start: Amounts;
  readonly limits: Readonly<Record<string, number>>;
}

export function claimsOf(facts: Facts): readonly Claim[] {
  const byOperation = new Map<string, Entry[]>();
  for (const entry of facts.entries) {
    const id = entry.operation ?? `version ${entry.version}`;
    byOperation.set(id, [...(byOperation.get(id) ?? []), entry]);
  }
  const claims = facts.begun.map((begun, index) => {
    const entries = byOperation.get(begun.operation) ?? [];
    byOperation.delete(begun.operation);
    const prediction = predictionOf(begun, roomIsCertain(facts, index));
    return claim(begun.operation, [prediction, ...stagesOf(entries, facts.news)]);
  });
  // What is left happened elsewhere: another device, a grant, a new window.
  for (const [id, entries] of byOperation) claims.push(claim(id, stagesOf(entries, facts.news)));
  return claims;
}

function predictionOf({ pressedAt, departedAt, predicted }: Begun, certain: boolean): Stage {
  return {
    amounts: { taken: predicted, granted: {} },
    mayFrom: pressedAt,
    // Where there may be no room the page may foresee the refusal, which takes nothing.
    mustFrom: certain ? departedAt : Number.POSITIVE_INFINITY,
  };
}

function stagesOf(entries: readonly Entry[], news: readonly News[]): readonly Stage[] {
  return entries.map((entry, index) => ({
    amounts: amountsOf(entries.slice(0, index + 1)),
    mayFrom: Date.parse(entry.at),
    mustFrom: firstNews(entry, news),
  }));
}

function firstNews({ operation, version }: Entry, news: readonly News[]): number {
  const told = news.filter(
    (one) => one.version >= version && (one.operation === undefined || one.operation === operation),
  );
  return Math.min(...told.map(({ at }) => at));
}

/** Neighbouring stages that take the same cannot be told apart on a screen: they are one. */
function claim(id: string, stages: readonly Stage[]): Claim {
  const merged: Stage[] = [];
  for (const stage of stages) {
    const last = merged.at(-1);
    if (last && sameAmounts(last.amounts, stage.amounts)) {
      merged[merged.length - 1] = { ...last, mustFrom: Math.min(last.mustFrom, stage.mustFrom) };
    } else {
      merged.push(stage);
    }
  }
  return { id, stages: merged };
}

/** Whether the operation has room even if everything before it takes all that it may. */
function roomIsCertain({ entries, begun, start, limits }: Facts, index: number): boolean {
  const before = begun.slice(0, index);
  const known = new Set(begun.map(({ operation }) => operation));
  const elsewhere = entries.filter(({ operation }) => !known.has(operation ?? ""));
  return Object.entries(begun[index]?.predicted ?? {}).every(([meter, units]) => {
    const most =
      (start.taken[meter] ?? 0) +
      (amountsOf(elsewhere).taken[meter] ?? 0) +
      before.reduce((sum, one) => sum + mostTaken(one, entries, meter), 0);
    return most + units <= (limits[meter] ?? Number.POSITIVE_INFINITY);
  });
}

function mostTaken(one: Begun, entries: readonly Entry[], meter: string): number {
  const own = entries.filter(({ operation }) => operation === one.operation);
  const amounts = own.map((_, index) => amountsOf(own.slice(0, index + 1)).taken[meter] ?? 0);
  return Math.max(one.predicted[meter] ?? 0, ...amounts);
}
