import type { Trueup } from "trueup";
import type { Naive } from "../naive";
import { Store } from "../ui/store";
import type { Witness } from "../witness";
import { anonymousReply } from "./anonymousReply";
import { contextOf } from "./context";
import { isInFlight, type Message } from "./message";
import { modelOf } from "./models";
import { replyEvents } from "./replyEvents";
import { CONVERSATION } from "./saved";

const CONNECTION_LOST = "the connection was lost";

export interface ChatParts {
  readonly usage: Trueup;
  readonly naive: Naive;
  readonly witness: Witness;
}

/** A conversation in which several messages may be under way at once. */
export class Chat extends Store<readonly Message[]> {
  private readonly aborts = new Map<string, AbortController>();
  private keys = 0;

  constructor(private readonly parts: ChatParts) {
    super([]);
    parts.usage.on("decided", ({ opId, state, cause }) => {
      this.patchWhere(({ operationId }) => operationId === opId, { outcome: { state, cause } });
    });
  }

  /** Sends a message; resolves when its reply has ended, in whatever way. */
  async send(text: string, model: string): Promise<void> {
    const body = JSON.stringify({
      model,
      stream: true,
      messages: contextOf(this.getSnapshot(), text),
    });
    this.keys += 1;
    const key = `${this.keys}`;
    this.set([
      ...this.getSnapshot(),
      { key: `${key}-user`, role: "user", text, state: "sent", model },
      { key, role: "assistant", text: "", state: "waiting", model },
    ]);
    const abort = new AbortController();
    this.aborts.set(key, abort);
    try {
      const anonymous = this.parts.usage.getSnapshot().status === "anonymous";
      if (anonymous) await this.answerAnonymously(key, model, abort.signal);
      else await this.exchange(key, model, body, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) this.end(key, { state: "stopped" });
      else this.end(key, { state: "failed", problem: sentence(error) });
    } finally {
      this.aborts.delete(key);
    }
  }

  /** Stops one reply, or all that are under way. */
  stop(key?: string): void {
    for (const [one, abort] of this.aborts) if (key === undefined || key === one) abort.abort();
  }

  /** Puts what was saved before this page was loaded in front of what was said since. */
  restore(saved: readonly Message[]): void {
    const known = new Set(this.getSnapshot().map(({ operationId }) => operationId));
    const missing = saved.filter(({ operationId }) => !known.has(operationId));
    this.set([...missing, ...this.getSnapshot()]);
  }

  /** Stops everything and forgets the conversation. */
  clear(): void {
    this.stop();
    this.set([]);
  }

  private async exchange(key: string, model: string, body: string, signal: AbortSignal) {
    const { usage, naive, witness } = this.parts;
    const charge = modelOf(model)?.charge ?? {};
    const withdraw = witness.begin(body, charge, (operationId) => this.patch(key, { operationId }));
    const reply = usage.fetch("/v1/chat/completions", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "trueup-conversation": CONVERSATION,
      },
      body,
      signal,
    });
    naive.messageSent(modelOf(model)?.kind === "premium");
    const response = await reply.finally(withdraw);
    if (!response.ok || !response.body) {
      const problem = await errorMessage(response);
      this.patch(key, { state: response.status === 402 ? "refused" : "failed", problem });
      return;
    }
    await this.readReply(key, response.body);
  }

  /** Counts by hand, since there is no request that `usage.fetch` could follow. */
  private async answerAnonymously(key: string, model: string, signal: AbortSignal) {
    const operation = this.parts.usage.begin({ charge: modelOf(model)?.charge ?? {} });
    if (!operation.allowed) {
      operation.fail();
      this.patch(key, { state: "refused", problem: "the local limit is reached" });
      return;
    }
    let text = "";
    try {
      for await (const word of anonymousReply(signal)) {
        text += word;
        this.patch(key, { state: "streaming", text, answeredBy: model });
      }
    } finally {
      operation.finish();
    }
    this.patch(key, { state: "done" });
  }

  /** Reads a reply. It is complete when the server says so, which may be before its stream ends. */
  private async readReply(key: string, body: ReadableStream<Uint8Array>): Promise<void> {
    let text = "";
    let problem: string | undefined;
    let complete = false;
    for await (const event of replyEvents(body)) {
      if (event.type === "text") {
        text += event.text;
        this.patch(key, { state: "streaming", text, answeredBy: event.model });
      }
      if (event.type === "error") problem = event.message;
      if (event.type === "end" && problem === undefined) {
        complete = true;
        this.patch(key, { state: "done" });
        this.parts.naive.newAssistantMessage();
      }
    }
    if (!complete) this.patch(key, { state: "failed", problem: problem ?? CONNECTION_LOST });
  }

  /** Ends a reply that has not ended yet: what breaks after its end breaks nothing. */
  private end(key: string, change: Partial<Message>): void {
    this.patchWhere((message) => message.key === key && isInFlight(message), change);
  }

  private patch(key: string, change: Partial<Message>): void {
    this.patchWhere((message) => message.key === key, change);
  }

  private patchWhere(which: (message: Message) => boolean, change: Partial<Message>): void {
    const messages = this.getSnapshot();
    if (!messages.some(which)) return;
    this.set(messages.map((message) => (which(message) ? { ...message, ...change } : message)));
  }
}

/** How many replies are under way. */
export function inFlight(messages: readonly Message[]): number {
  return messages.filter(isInFlight).length;
}

async function errorMessage(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: { message?: string } };
    return body.error?.message ?? `the server answered ${response.status}`;
  } catch {
    return `the server answered ${response.status}`;
  }
}

function sentence(error: unknown): string {
  return error instanceof TypeError ? CONNECTION_LOST : `${error}`;
}
