// The module `trueup-wasm` as this package sees it. wasm-bindgen types configuration, requests and
// views as `any`, so their shapes are declared here.

import type { TrueupEvent } from "./events.js";
import type { Charge, OperationRequest, Refusal, TrueupOptions } from "./types.js";
import type { UsageView } from "./view.js";

/** Configuration of a client. `baseUrl` has no slash at its end; "" is the page's own origin. */
export type WasmConfig = Omit<TrueupOptions, "getToken" | "origins" | "push"> & {
  readonly baseUrl: string;
};

/** An operation as the module answers `begin`. */
export interface Begun {
  id: string;
  allowed: boolean;
  predicted: Charge;
  refusal?: Refusal;
}

/** One client: the cache, the rules, and what drives them. */
export interface WasmClient {
  start(): Promise<void>;
  begin(request: OperationRequest): Begun;
  sent(id: string): void;
  feed(id: string, bytes: Uint8Array): void;
  receive(id: string, body: string): void;
  end(id: string, well: boolean): void;
  isFor(token: string): boolean;
  sinceHeader(): string | undefined;
  view(): UsageView;
  refresh(): void;
  sessionChanged(): Promise<void>;
  stop(): void;
  free(): void;
}

/** The class in the module. */
export type WasmClientClass = new (
  config: WasmConfig,
  getToken: TrueupOptions["getToken"],
  onChange: () => void,
  onEvent: (event: TrueupEvent) => void,
) => WasmClient;

/** What `instantiate` in the glue gives: the classes of one fresh instance. */
export interface WasmInstance {
  Client: WasmClientClass;
}
