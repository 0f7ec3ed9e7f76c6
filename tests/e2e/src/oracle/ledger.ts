/** One entry of the server's ledger, as `GET /v1/accounts/{id}/entries` gives it. */
export interface Entry {
  readonly version: number;
  readonly kind: string;
  readonly cause: string;
  readonly operation: string | null;
  readonly actor: string | null;
  /** RFC 3339. */
  readonly at: string;
  readonly lines: readonly EntryLine[];
}

/** How an entry moved one meter, in units. */
export interface EntryLine {
  readonly meter: string;
  readonly used: number;
  readonly held: number;
  readonly granted: number;
}

/** What something takes of each meter, and what it adds to each limit; meters left out are zero. */
export interface Amounts {
  readonly taken: Readonly<Record<string, number>>;
  readonly granted: Readonly<Record<string, number>>;
}

export const NOTHING: Amounts = { taken: {}, granted: {} };

/** What the entries amount to: used and held together, and granted. */
export function amountsOf(entries: readonly Entry[]): Amounts {
  const taken: Record<string, number> = {};
  const granted: Record<string, number> = {};
  for (const line of entries.flatMap(({ lines }) => lines)) {
    taken[line.meter] = (taken[line.meter] ?? 0) + line.used + line.held;
    granted[line.meter] = (granted[line.meter] ?? 0) + line.granted;
  }
  return { taken, granted };
}

export function sameAmounts(one: Amounts, other: Amounts): boolean {
  const same = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
    [...Object.keys(a), ...Object.keys(b)].every((meter) => (a[meter] ?? 0) === (b[meter] ?? 0));
  return same(one.taken, other.taken) && same(one.granted, other.granted);
}
