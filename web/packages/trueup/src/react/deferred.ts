import { TrueupError } from "../errors.js";
import type { TrueupEvent } from "../events.js";
import { Listeners } from "../listeners.js";
import type { Trueup } from "../types.js";
import { LOADING_VIEW } from "../view.js";

/** A {@link Trueup} that can be rendered with before it is there. */
export interface DeferredTrueup extends Trueup {
  /** Creates the real one; the returned function stops it. May be called again after that. */
  start(): () => void;
}

/**
 * Stands in for a Trueup that is created later, or never on a server: the view is loading, what
 * is listened to is told once it is there, and `fetch` waits for it.
 */
export function deferTrueup(
  create: () => Promise<Trueup>,
  onError: (error: unknown) => void,
): DeferredTrueup {
  const views = new Listeners<void>();
  const events = new Listeners<TrueupEvent>();
  let usage: Trueup | undefined;
  let arrival = newArrival();

  const attach = (created: Trueup): (() => void) => {
    const leave = [
      created.subscribe(() => views.tell()),
      created.on("correction", (event) => events.tell(event)),
      created.on("decided", (event) => events.tell(event)),
      created.on("error", (event) => events.tell(event)),
    ];
    usage = created;
    arrival.resolve(created);
    views.tell();
    return () => {
      for (const off of leave) off();
      usage = undefined;
      arrival = newArrival();
      created.stop();
    };
  };

  return {
    start() {
      let active = true;
      let detach: (() => void) | undefined;
      create().then(
        (created) => {
          if (active) detach = attach(created);
          else created.stop();
        },
        (error: unknown) => {
          if (!active) return;
          arrival.reject(error);
          onError(error);
        },
      );
      return () => {
        active = false;
        detach?.();
      };
    },
    fetch: async (input, init) => (await arrival.promise).fetch(input, init),
    begin(request) {
      if (usage) return usage.begin(request);
      throw new TrueupError("loading", "usage is still loading");
    },
    subscribe: (listener) => views.add(() => listener()),
    getSnapshot: () => usage?.getSnapshot() ?? LOADING_VIEW,
    on: (name, listener) =>
      events.add((event) => {
        if (event.type === name) (listener as (event: TrueupEvent) => void)(event);
      }),
    refresh: () => usage?.refresh(),
    // One that is still being created asks for the token itself.
    sessionChanged: async () => usage?.sessionChanged(),
    stop: () => usage?.stop(),
  };
}

interface Arrival {
  promise: Promise<Trueup>;
  resolve(usage: Trueup): void;
  reject(error: unknown): void;
}

function newArrival(): Arrival {
  let resolve: Arrival["resolve"] = () => undefined;
  let reject: Arrival["reject"] = () => undefined;
  const promise = new Promise<Trueup>((onArrival, onFailure) => {
    resolve = onArrival;
    reject = onFailure;
  });
  // Whoever waits in `fetch` is told; with nobody waiting it is no unhandled rejection.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
