/**
 * Every error that this package throws.
 *
 * Branch on {@link TrueupError.code}: a stable word. The message is for people and may change.
 *
 * | code | when |
 * | --- | --- |
 * | `invalid_config` | an option given to `createTrueup` is not what it must be |
 * | `invalid_request` | `begin` was given neither a model nor a charge, or units out of range |
 * | `unknown_model` | the server's catalog has no such model |
 * | `unknown_meter` | the account's plan has no such meter |
 * | `token_failed` | `getToken` threw or rejected; see `cause` |
 * | `too_many_pending` | 100 operations are undecided already; wait for one of them to end |
 * | `loading` | `begin` was called before the first figures were there |
 * | `restarting` | `begin` was called in the moment after a fault of the module |
 * | `stopped` | the call came after `stop()`, or the module failed too often |
 * | `wasm_failed` | the WebAssembly module could not be loaded or started; see `cause` |
 *
 * New codes may appear.
 */
export class TrueupError extends Error {
  override readonly name = "TrueupError";
  /** A stable word to branch on. */
  readonly code: string;

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
