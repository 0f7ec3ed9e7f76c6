/** Listeners, each of which may leave or throw without any other noticing. */
export class Listeners<Value> {
  readonly #all = new Set<(value: Value) => void>();

  /** Adds a listener until the returned function is called. */
  add(listener: (value: Value) => void): () => void {
    // A wrapper of its own for each, so that a function added twice is told twice.
    const own = (value: Value): void => listener(value);
    this.#all.add(own);
    return () => {
      this.#all.delete(own);
    };
  }

  /** Calls every listener. */
  tell(value: Value): void {
    for (const listener of [...this.#all]) {
      try {
        listener(value);
      } catch (error) {
        // The app's fault, shown as such: thrown here it would unwind through the module.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
