import type { TrueupEvents } from "./events.js";
import type { UsageView } from "./view.js";

/** Meter to whole units, each 1 to 2^53 - 1. */
export type Charge = Readonly<Record<string, number>>;

/** What `createTrueup` needs to know. */
export interface TrueupOptions {
  /**
   * Where the Trueup server is: `"https://usage.example.com"`, or `"/"` (the default) for the
   * page's own origin.
   */
  readonly baseUrl?: string | undefined;
  /**
   * The browser token of whoever is signed in, or `null` for an anonymous visitor. Asked for
   * before every request, so keep it at hand and renew it in time.
   */
  readonly getToken: () => Promise<string | null> | string | null;
  /**
   * Limits for an anonymous visitor by meter, kept in the browser alone: `{ messages: 3 }`.
   * Without them nothing is counted until somebody signs in.
   */
  readonly anonymousLimits?: Charge | undefined;
  /**
   * What models charge an anonymous visitor, for whom no catalog is fetched:
   * `{ "gpt-5-mini": { messages: 1 } }`.
   */
  readonly anonymousCharges?: Readonly<Record<string, Charge>> | undefined;
  /** How often to ask the server while nothing happens, in milliseconds. 30,000 by default. */
  readonly pollIntervalMs?: number | undefined;
  /**
   * Whether to listen to what the server pushes, while the page can be seen, so that what happens on
   * other devices is shown at once and not at the next question. It takes one connection to the
   * server; over HTTP/1.1 a browser has six. True by default; a server without push is just asked.
   */
  readonly push?: boolean | undefined;
  /**
   * How long to wait for the server's word on an operation that has ended before asking for it,
   * in milliseconds. 1,000 by default.
   */
  readonly confirmDelayMs?: number | undefined;
  /**
   * Whether figures and undecided operations are kept in the browser, so that a reload loses
   * nothing. True by default.
   */
  readonly storage?: boolean | undefined;
  /**
   * More origins whose chat calls are tracked by `usage.fetch` and may see the token, such as your
   * backend's: `["https://api.example.com"]`. The page's own and that of `baseUrl` always are;
   * requests to any other origin pass through untouched.
   */
  readonly origins?: readonly string[] | undefined;
}

/** What an operation will cost: by the model it uses, or by its charge. */
export type OperationRequest =
  | {
      /** A model of the catalog. */
      readonly model: string;
      readonly charge?: undefined;
    }
  | {
      /** What it takes, by meter. */
      readonly charge: Charge;
      readonly model?: undefined;
    };

/** Why an operation is not expected to be admitted. */
export interface Refusal {
  /** The first meter without room. */
  readonly meter: string;
  /** Units that the operation asks of it. */
  readonly asked: number;
  /** Units that are left of it. */
  readonly remaining: number;
  /** When units come back, RFC 3339; left out when they do not. */
  readonly resetsAt?: string;
}

/**
 * One user action, charged once. Its `id` is made here, before anything is sent, and every retry
 * of the same action must carry the same one.
 *
 * `usage.fetch` makes operations by itself, and ends those whose `headers` it is given. All by hand:
 * `begin`, `sent`, your request with `headers`, then `finish` or `fail`. The view counts it from
 * `begin` until the server's first word on it.
 *
 * **Whatever is begun must be ended**, also when it is not sent after all: `fail` forgets what never
 * left, at once and without a word to the server.
 *
 * ```ts
 * const operation = usage.begin({ model: "gpt-5" });
 * if (!operation.allowed) {
 *   operation.fail(); // or send it all the same: the server decides
 *   return show(operation.refusal);
 * }
 * ```
 */
export interface Operation {
  /** A UUIDv7. */
  readonly id: string;
  /**
   * Whether the plan is expected to have room. Only the server's word is final. An operation that
   * is not allowed counts for nothing in the view; sent, it is decided like any other.
   */
  readonly allowed: boolean;
  /** What it is expected to cost, by meter; nothing when it is not allowed. */
  readonly predicted: Charge;
  /** Why it is not allowed; left out when it is. */
  readonly refusal?: Refusal;
  /** Headers that make the request known to the server as this operation. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The request is about to leave. `usage.fetch` says so by itself; whoever sends by other means
   * calls it first, because `fail` forgets at once what never left.
   */
  sent(): void;
  /** The reply has ended well: the server's word is expected now. */
  finish(): void;
  /**
   * It broke, was aborted, or how it ended is not known: the server will be asked, and what never
   * arrived is made impossible. One that was never sent is just forgotten.
   */
  fail(): void;
}

/**
 * A page's usage. All functions may be taken off the object: `const { fetch } = usage` works.
 */
export interface Trueup {
  /**
   * `fetch` for chat calls: give it to the `openai` client or to the AI SDK.
   *
   * A POST with a JSON body that names a `model` becomes an operation. It is counted at once, sent
   * with `Trueup-Operation`, `Trueup-Since` and (unless the request has one) `Authorization`, and
   * ended when the reply ends, breaks, or is cancelled. The reply itself passes through unchanged,
   * chunk by chunk. Any other request is given to the global `fetch` as it is.
   *
   * A request that already carries `Trueup-Operation` (see {@link Operation.headers}) is tracked
   * as that operation, whatever its method and body. A retry by the `openai` client keeps the
   * operation of the first try.
   *
   * An anonymous visitor over the local limit gets a 402 reply without a request being made;
   * for everyone else the server decides. What is not sent (no token, aborted before it left) is
   * forgotten at once.
   *
   * @throws TrueupError `token_failed` when `getToken` fails; else what `fetch` throws
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /**
   * Begins an operation by hand. The view counts it before this returns.
   *
   * @throws TrueupError `invalid_request`, `unknown_model`, `unknown_meter`, `too_many_pending`,
   * `unsupported`, `loading`, `restarting` or `stopped`
   */
  begin(request: OperationRequest): Operation;
  /** Calls `listener` after every change of the view, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /** The current view: the same frozen object until it changes. */
  getSnapshot(): UsageView;
  /** Listens to one kind of event until the returned function is called. */
  on<Name extends keyof TrueupEvents>(
    name: Name,
    listener: (event: TrueupEvents[Name]) => void,
  ): () => void;
  /** Asks the server for the figures now. There is rarely a need: this happens by itself. */
  refresh(): void;
  /**
   * Call it after somebody signed in, signed out or switched accounts: nothing of the old session
   * reaches the new one. Resolves when the new session's first view is there.
   */
  sessionChanged(): Promise<void>;
  /** Ends all activity and frees the module. The last view stays readable. */
  stop(): void;
}
