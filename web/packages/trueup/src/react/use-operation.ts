import { useCallback, useEffect, useRef, useState } from "react";
import type { Cause, OperationState } from "../events.js";
import type { Operation, OperationRequest } from "../types.js";
import { useTrueup } from "./use-trueup.js";

/** The operation of a component, from {@link useOperation}. */
export interface OperationTracker {
  /** Begins an operation, which takes the place of the one before. See `Trueup.begin`. */
  readonly begin: (request: OperationRequest) => Operation;
  /** The latest operation; left out before the first. */
  readonly operation?: Operation;
  /**
   * Where it stands: `idle` before the first, `pending` until the server has decided, then how it
   * ended. `refused` at once when it is not expected to be allowed.
   */
  readonly state: "idle" | "pending" | OperationState;
  /** Why it ended so; left out until it has. */
  readonly cause?: Cause;
}

const IDLE = { state: "idle" } as const;

/**
 * Begins operations by hand and follows the latest of them.
 *
 * ```tsx
 * const { begin, state } = useOperation();
 * async function send() {
 *   const operation = begin({ model: "gpt-5" });
 *   if (!operation.allowed) return operation.fail(); // it is not sent, so it must be ended
 *   await usage.fetch("/v1/chat/completions", { method: "POST", headers: operation.headers, body });
 * }
 * ```
 */
export function useOperation(): OperationTracker {
  const usage = useTrueup();
  const [latest, setLatest] = useState<Omit<OperationTracker, "begin">>(IDLE);
  const latestId = useRef<string>(undefined);

  useEffect(
    () =>
      usage.on("decided", ({ opId, state, cause }) => {
        if (opId === latestId.current) setLatest((before) => ({ ...before, state, cause }));
      }),
    [usage],
  );

  const begin = useCallback(
    (request: OperationRequest) => {
      const operation = usage.begin(request);
      latestId.current = operation.id;
      setLatest(
        operation.allowed
          ? { operation, state: "pending" }
          : { operation, state: "refused", cause: "limit_reached" },
      );
      return operation;
    },
    [usage],
  );
  return { begin, ...latest };
}
