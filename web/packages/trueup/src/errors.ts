/**
 * Every error that this package throws, and the codes of the `error` event.
 *
 * Branch on {@link TrueupError.code}: a stable word. The message is for people and may change.
 *
 * Thrown; what the app does about it:
 *
 * | code | when | what to do |
 * | --- | --- | --- |
 * | `invalid_config` | an option given to `createTrueup` is not what it must be | mend the option that the message names |
 * | `wasm_failed` | the module could not be loaded or started; see `cause` | look at the content security policy (`'wasm-unsafe-eval'`) and, with `trueup/slim`, at the file's address |
 * | `invalid_request` | `begin` was given neither a model nor a charge, or units out of range | mend the call |
 * | `unknown_model` | the catalog held here has no such model; it is fetched again | `usage.fetch` sends the call all the same; by hand, try again or send without an operation |
 * | `unknown_meter` | the account's plan has no such meter | mend the charge, or the plan |
 * | `too_many_pending` | 100 operations of this page are undecided already, so that one more could not be asked for | wait for `decided` events; end by `fail` what was begun and not sent |
 * | `unsupported` | the host has no `crypto.getRandomValues` to make an operation's id with | use a host that has it, as every browser and Node do; chats are counted by the server all the same |
 * | `loading` | `begin` was called before it was known who is there | wait for `createTrueup` or `sessionChanged`, or use `fetch`, which waits by itself |
 * | `restarting` | the module failed a moment ago and a fresh one is starting | try again in a moment |
 * | `stopped` | the call came after `stop()`, or the module failed too often | create another one, or go on without an estimate |
 * | `token_failed` | `usage.fetch` got no token: `getToken` threw or rejected; see `cause` | nothing was sent or counted: sign in and try again |
 *
 * Told by `usage.on("error", …)`, besides those of `begin` within `usage.fetch`. Each heals by itself,
 * and the figures shown stay right meanwhile:
 *
 * | code | when | what to do |
 * | --- | --- | --- |
 * | `unreachable` | a request for figures met no server, or none that answered within 10 seconds | nothing: it is repeated, less often each time, and after two in a row the view's status is `offline` |
 * | `unexpected_reply` | the server's answer was none of Trueup's: a page of a proxy, a body cut short | nothing at once; if it stays, `baseUrl` leads somewhere else |
 * | `token_failed` | `getToken` threw, rejected, or took more than 10 seconds | nothing: it is asked again |
 * | a code of the server | it refused a request for figures: `token_expired`, `unavailable`, … | as the server's list of codes says; the request is repeated |
 *
 * New codes may appear.
 */
export class TrueupError extends Error {
  override readonly name = "TrueupError";
  /** A stable word to branch on. */
  readonly code: string;

  /** An error of that code; `options.cause` is what led to it. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The module throws plain errors that carry a code; everything else that comes out of it is a
 * defect of the module, or of the machine that runs it.
 *
 * @internal
 */
export function asTrueupError(error: unknown): TrueupError {
  if (error instanceof TrueupError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | null)?.code;
  return new TrueupError(typeof code === "string" ? code : "wasm_failed", message, {
    cause: error,
  });
}
