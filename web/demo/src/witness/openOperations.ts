import type { Units } from "../truth";

/** An operation that was under way when the page was last seen. */
export interface OpenOperation {
  readonly id: string;
  readonly predicted: Units;
}

const PREFIX = "trueup-demo.open.";

/** Reads what `saveOpen` kept for an account, so that a reload does not forget what was begun. */
export function loadOpen(account: string): readonly OpenOperation[] {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(PREFIX + account) ?? "[]");
    return Array.isArray(value) ? value.filter(isOpenOperation) : [];
  } catch {
    return [];
  }
}

export function saveOpen(account: string, operations: readonly OpenOperation[]): void {
  sessionStorage.setItem(PREFIX + account, JSON.stringify(operations));
}

function isOpenOperation(value: unknown): value is OpenOperation {
  return typeof value === "object" && value !== null && "id" in value && "predicted" in value;
}
