import { asTrueupError, TrueupError } from "./errors.js";
import type { TrueupEvent } from "./events.js";
import { guardExports } from "./guard.js";
import type { OperationRequest, TrueupOptions } from "./types.js";
import { instantiate } from "./wasm/dist/glue.js";
import type { Begun, WasmClient, WasmConfig } from "./wasm-module.js";

/** Faults of the module in one page's life after which it is left alone. */
const MAX_RESTARTS = 3;

/** What the driver tells its owner. */
export interface DriverHooks {
  /** The client's view may have changed. */
  changed(): void;
  /** The client, or the driver, has an event. */
  event(event: TrueupEvent): void;
}

/**
 * Keeps one client of the module alive. A trap ends an instance, not the page: a fresh one starts
 * from what the old one had kept in storage, where undecided operations are, and goes on.
 */
export class Driver {
  readonly #module: WebAssembly.Module;
  readonly #getToken: TrueupOptions["getToken"];
  readonly #hooks: DriverHooks;
  #config: WasmConfig;
  #client: WasmClient | undefined;
  #restarts = 0;
  #stopped = false;

  /** Resolves when the latest start is over, whether it went well or not. Never rejects. */
  ready: Promise<void> = Promise.resolve();

  constructor(
    module: WebAssembly.Module,
    config: WasmConfig,
    getToken: TrueupOptions["getToken"],
    hooks: DriverHooks,
  ) {
    this.#module = module;
    this.#config = config;
    this.#getToken = getToken;
    this.#hooks = hooks;
  }

  /** The running client, if there is one at this moment. */
  get client(): WasmClient | undefined {
    return this.#client;
  }

  /** Starts the first instance; resolves when its first view is there. */
  start(): Promise<void> {
    const started = this.#launch();
    this.ready = started.catch(() => undefined);
    return started;
  }

  /** Begins an operation, or throws a {@link TrueupError}. */
  begin(request: OperationRequest): Begun {
    if (!this.#client) {
      throw this.#stopped
        ? new TrueupError("stopped", "usage is not tracked any more")
        : new TrueupError("restarting", "usage tracking is restarting; try again in a moment");
    }
    try {
      return this.#client.begin(request);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        throw new TrueupError("restarting", "usage tracking failed and is restarting", {
          cause: error,
        });
      }
      throw asTrueupError(error);
    }
  }

  /**
   * Tells the running client something. Without one nothing is lost: operations that a fresh
   * instance finds in storage are asked for by their id.
   */
  tell(step: (client: WasmClient) => void): void {
    if (!this.#client) return;
    try {
      step(this.#client);
    } catch (error) {
      // The guard has seen the trap and is starting a fresh instance.
      if (error instanceof WebAssembly.RuntimeError) return;
      const { code, message } = asTrueupError(error);
      this.#hooks.event({ type: "error", code, message });
    }
  }

  /** Ends the running client and starts no other. */
  stop(): void {
    this.tell((client) => {
      this.#client = undefined;
      client.stop();
      client.free();
    });
    this.#stopped = true;
  }

  async #launch(): Promise<void> {
    for (;;) {
      try {
        await this.#startInstance();
        return;
      } catch (error) {
        const trapped = error instanceof WebAssembly.RuntimeError;
        if (!trapped || !this.#mayRestart()) {
          this.#stopped = true;
          throw asTrueupError(error);
        }
        // What traps a client while it starts is most likely what it restored.
        this.#config = { ...this.#config, storage: false };
      }
    }
  }

  #startInstance(): Promise<void> {
    return new Promise((resolve, reject) => {
      let client: WasmClient | undefined;
      const onTrap = (trap: WebAssembly.RuntimeError): void => {
        reject(trap);
        if (client && this.#client === client) this.#recover(trap);
      };
      const { Client } = instantiate(this.#module, (exports) => guardExports(exports, onTrap));
      client = new Client(
        this.#config,
        this.#getToken,
        () => this.#client === client && this.#hooks.changed(),
        (event) => this.#hooks.event(event),
      );
      const started = client;
      started.start().then(() => {
        if (this.#stopped) {
          started.stop();
          started.free();
        } else {
          this.#client = started;
          this.#hooks.changed();
        }
        resolve();
      }, reject);
    });
  }

  #recover(trap: WebAssembly.RuntimeError): void {
    this.#client = undefined;
    if (!this.#mayRestart()) {
      this.#stopped = true;
      this.#hooks.event({ type: "error", code: "stopped", message: trap.message });
      return;
    }
    this.#hooks.event({ type: "error", code: "restarting", message: trap.message });
    this.ready = this.#launch().catch((error: TrueupError) => {
      this.#hooks.event({ type: "error", code: error.code, message: error.message });
    });
  }

  #mayRestart(): boolean {
    this.#restarts += 1;
    return !this.#stopped && this.#restarts <= MAX_RESTARTS;
  }
}
