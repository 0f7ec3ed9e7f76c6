import { type ChatCall, Origins, readCall } from "./call.js";
import type { Driver } from "./driver.js";
import { asTrueupError, TrueupError } from "./errors.js";
import type { TrueupEvent } from "./events.js";
import type { Listeners } from "./listeners.js";
import { OPERATION_HEADER, SINCE_HEADER } from "./operation.js";
import { refusalReply } from "./refusal.js";
import { followReply, type ReplySteps } from "./reply.js";
import { Retries } from "./retries.js";
import type { Trueup, TrueupOptions } from "./types.js";

/** `fetch` that begins, tracks and ends an operation for every chat call. */
export function trackFetch(
  driver: Driver,
  options: TrueupOptions,
  events: Listeners<TrueupEvent>,
): Trueup["fetch"] {
  const origins = new Origins(options);
  const retries = new Retries();
  events.add((event) => {
    if (event.type === "decided") retries.end(event.opId, true);
  });

  return async function trueupFetch(input, init) {
    const read = readCall(input, init, origins);
    const call = read instanceof Promise ? await read : read;
    if (!call) return fetch(input, init);
    if (!driver.client) await driver.ready;

    const operation = begin(call);
    if (operation instanceof Response) return operation;
    const steps = operation === undefined ? undefined : stepsOf(operation);
    try {
      await addHeaders(call.headers, operation);
      if (operation !== undefined) leave(operation, call);
      const response = await fetch(input, { ...init, headers: call.headers });
      return steps ? await followReply(response, call.signal, steps) : response;
    } catch (error) {
      steps?.end(false);
      throw error;
    }
  };

  /**
   * The id of the operation to send the call as; none when it is better sent without, and a reply
   * when it is better not sent at all.
   */
  function begin(call: ChatCall): string | Response | undefined {
    const given = call.headers.get(OPERATION_HEADER) ?? retries.find(call);
    const { model } = call;
    if (given || model === undefined || !driver.client) return given;
    try {
      const { id, refusal } = driver.begin({ model });
      if (refusal && isAnonymous()) {
        // The server knows nothing of this visitor: the local limit is the only one.
        driver.tell((client) => client.end(id, false));
        return refusalReply(refusal);
      }
      return id;
    } catch (error) {
      // A chat must not fail because its estimate did: the server counts it all the same, and has
      // the last word on a model that is not in the catalog held here.
      const { code, message } = asTrueupError(error);
      events.tell({ type: "error", code, message });
      return undefined;
    }
  }

  /** Tells that the call leaves. One that is aborted already does not, and just fails. */
  function leave(id: string, call: ChatCall): void {
    if (call.signal?.aborted) return;
    if (!isAnonymous()) retries.begin(id, call.key);
    driver.tell((client) => client.sent(id));
  }

  function isAnonymous(): boolean {
    return driver.client?.view().status === "anonymous";
  }

  function stepsOf(id: string): ReplySteps {
    return {
      feed: (bytes) => driver.tell((client) => client.feed(id, bytes)),
      receive: (body) => driver.tell((client) => client.receive(id, body)),
      end(well) {
        retries.end(id, well);
        driver.tell((client) => client.end(id, well));
      },
    };
  }

  async function addHeaders(headers: Headers, operation: string | undefined): Promise<void> {
    if (!headers.has("Authorization")) {
      const token = await askToken();
      if (token) headers.set("Authorization", `Bearer ${token}`);
    }
    if (operation !== undefined) headers.set(OPERATION_HEADER, operation);
    const since = driver.client?.sinceHeader();
    if (since !== undefined) headers.set(SINCE_HEADER, since);
  }

  async function askToken(): Promise<string | null> {
    try {
      return await options.getToken();
    } catch (error) {
      throw new TrueupError("token_failed", "getToken failed", { cause: error });
    }
  }
}
