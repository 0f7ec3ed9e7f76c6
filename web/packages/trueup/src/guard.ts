type Call = (...given: unknown[]) => unknown;

/**
 * Wraps the exports of an instance so that a trap is noticed wherever it happens, also in a timer
 * or a promise callback that no caller of ours sees. After a trap the instance's memory is in an
 * unknown state: every later call, from any closure that still refers to it, does nothing.
 */
export function guardExports(
  exports: WebAssembly.Exports,
  onTrap: (trap: WebAssembly.RuntimeError) => void,
): WebAssembly.Exports {
  let trapped = false;
  const guarded: WebAssembly.Exports = {};
  for (const [name, value] of Object.entries(exports)) {
    guarded[name] = typeof value === "function" ? guardFunction(value as Call) : value;
  }
  return guarded;

  function guardFunction(call: Call): Call {
    return (...given) => {
      if (trapped) return undefined;
      try {
        return call(...given);
      } catch (error) {
        // On its way out a trap may pass several exports, since they may call each other through
        // JavaScript.
        if (!trapped && error instanceof WebAssembly.RuntimeError) {
          trapped = true;
          onTrap(error);
        }
        throw error;
      }
    };
  }
}
