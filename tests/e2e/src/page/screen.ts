import type { Client, Figures, Frame } from "../record";

const PREFIX: Readonly<Record<Client, string>> = { ours: "meter", naive: "naive" };
const METERS = ["premium_messages", "standard_messages"];

/** What can be read on the page now. */
export function screen(): Omit<Frame, "at" | "document"> {
  return { account: account(), ours: meters("ours"), naive: meters("naive") };
}

/** Whose page it is. */
export function account(): string | null {
  const text = find("account")?.textContent ?? "";
  return text === "signed out" || text === "" ? null : text;
}

export function chosenModel(): string {
  return (find("model-picker") as HTMLSelectElement | null)?.value ?? "";
}

/** `remaining` is read off the text that people read, where it is the first number. */
function meters(client: Client): Record<string, Figures> {
  const found: Record<string, Figures> = {};
  for (const meter of METERS) {
    const element = find(`${PREFIX[client]}-${meter}`);
    if (!element) continue;
    const { used } = element.dataset;
    const text = element.textContent ?? "";
    const isUnlimited = text.includes("unlimited");
    const limit = isUnlimited ? null : Number(element.dataset.limit);
    const remaining = isUnlimited ? null : Number(/\d+/.exec(text)?.[0] ?? Number.NaN);
    found[meter] = { limit, used: Number(used), remaining };
  }
  return found;
}

function find(testId: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-testid="${testId}"]`);
}
