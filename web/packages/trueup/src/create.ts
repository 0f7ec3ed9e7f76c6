import { Driver } from "./driver.js";
import { TrueupError } from "./errors.js";
import type { TrueupEvent, TrueupEvents } from "./events.js";
import { trackFetch } from "./fetch.js";
import { Listeners } from "./listeners.js";
import { beginOperation } from "./operation.js";
import { followPush } from "./push.js";
import type { Trueup, TrueupOptions } from "./types.js";
import { LOADING_VIEW, replaceView, type UsageView } from "./view.js";
import type { WasmConfig } from "./wasm-module.js";

/** Starts a client of the compiled module and dresses it as the public API. */
export async function createFromModule(
  module: WebAssembly.Module,
  options: TrueupOptions,
): Promise<Trueup> {
  let view = LOADING_VIEW;
  const views = new Listeners<void>();
  const events = new Listeners<TrueupEvent>();

  const config = readConfig(options);
  const driver = new Driver(module, config, options.getToken, {
    changed() {
      const next = driver.client?.view();
      const replaced = next ? replaceView(view, next) : view;
      if (replaced === view) return;
      view = replaced;
      views.tell();
    },
    event: (event) => events.tell(event),
  });
  const trackedFetch = trackFetch(driver, options, events);
  await driver.start();
  const push =
    options.push === false ? undefined : followPush(driver, options.getToken, config.baseUrl);

  return Object.freeze<Trueup>({
    fetch: trackedFetch,
    begin: (request) => beginOperation(driver, request),
    subscribe: (listener) => views.add(() => listener()),
    getSnapshot: (): UsageView => view,
    on<Name extends keyof TrueupEvents>(name: Name, listener: (event: TrueupEvents[Name]) => void) {
      return events.add((event) => {
        if (event.type === name) listener(event as TrueupEvents[Name]);
      });
    },
    refresh: () => driver.tell((client) => client.refresh()),
    sessionChanged: async () => {
      await driver.ready;
      const changed = driver.client?.sessionChanged();
      push?.close();
      await changed;
      push?.open();
    },
    stop() {
      push?.stop();
      driver.stop();
    },
  });
}

/** The part of the options that the module reads, and checks. */
function readConfig(options: TrueupOptions): WasmConfig {
  if (typeof options?.getToken !== "function") {
    throw new TrueupError("invalid_config", "getToken must be a function");
  }
  const { baseUrl = "", anonymousLimits, anonymousCharges } = options;
  const { pollIntervalMs, confirmDelayMs, storage } = options;
  return {
    baseUrl: typeof baseUrl === "string" ? baseUrl.replace(/\/+$/, "") : baseUrl,
    anonymousLimits,
    anonymousCharges,
    pollIntervalMs,
    confirmDelayMs,
    storage,
  };
}
