import { Store } from "../ui/store";

export interface Toast {
  readonly key: string;
  /** Who speaks: our correction, or the naive reconciler's usual excuse. */
  readonly from: "ours" | "naive";
  readonly cause: string;
  readonly text: string;
}

const MOST = 4;

/** What is shown for a while in the corner. The newest comes last. */
export class Toasts extends Store<readonly Toast[]> {
  private keys = 0;

  constructor() {
    super([]);
  }

  readonly ours = (cause: string, text: string): void => this.add({ from: "ours", cause, text });

  readonly naive = (text: string): void => this.add({ from: "naive", cause: "overwritten", text });

  readonly dismiss = (key: string): void => {
    this.set(this.getSnapshot().filter((toast) => toast.key !== key));
  };

  clear(): void {
    this.set([]);
  }

  private add(toast: Omit<Toast, "key">): void {
    this.keys += 1;
    this.set([...this.getSnapshot(), { ...toast, key: `${this.keys}` }].slice(-MOST));
  }
}
