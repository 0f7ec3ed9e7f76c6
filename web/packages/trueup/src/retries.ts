import type { ChatCall } from "./call.js";

/** Bodies may be long, and few calls fail at once. */
const KEPT = 32;

interface Tried {
  readonly key: string;
  failed: boolean;
}

/**
 * Operations whose end is not known yet. The `openai` client repeats a failed call by itself and
 * says so in a header: that is the same user action, so it must stay the same operation. One that
 * has ended cannot be used again, and is forgotten.
 */
export class Retries {
  readonly #open = new Map<string, Tried>();

  /** The operation's call is about to be sent. */
  begin(id: string, key: string): void {
    this.#open.set(id, { key, failed: false });
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= KEPT) break;
      this.#open.delete(oldest);
    }
  }

  /** It has ended or its call went well, or its call failed. */
  end(id: string, well: boolean): void {
    const tried = this.#open.get(id);
    if (well) this.#open.delete(id);
    else if (tried) tried.failed = true;
  }

  /** The operation that the call repeats, if it is a repetition and one is known. */
  find(call: ChatCall): string | undefined {
    if (!(Number(call.headers.get("x-stainless-retry-count")) > 0)) return undefined;
    for (const [id, { key, failed }] of this.#open) {
      if (failed && key === call.key) return id;
    }
    return undefined;
  }
}
