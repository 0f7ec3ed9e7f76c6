import type { Driver } from "./driver.js";
import type { Operation, OperationRequest } from "./types.js";

/** The header that names an operation; its value is the operation's id. */
export const OPERATION_HEADER = "Trueup-Operation";
/** The header that tells the server from which version on to report. */
export const SINCE_HEADER = "Trueup-Since";

/** Begins an operation that the app ends by hand. */
export function beginOperation(driver: Driver, request: OperationRequest): Operation {
  const begun = driver.begin(request);
  const since = driver.client?.sinceHeader();
  return Object.freeze<Operation>({
    ...begun,
    headers: Object.freeze({
      [OPERATION_HEADER]: begun.id,
      ...(since !== undefined && { [SINCE_HEADER]: since }),
    }),
    sent: () => driver.tell((client) => client.sent(begun.id)),
    finish: () => driver.tell((client) => client.end(begun.id, true)),
    fail: () => driver.tell((client) => client.end(begun.id, false)),
  });
}
