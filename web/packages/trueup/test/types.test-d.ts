import { QueryClient, useQuery } from "@tanstack/react-query";
import type { ClientOptions } from "openai";
import { describe, expectTypeOf, test } from "vitest";
import {
  type Charge,
  type Correction,
  createTrueup,
  type Decision,
  type Fault,
  type MeterView,
  type Operation,
  type OperationRequest,
  type OperationState,
  type Refusal,
  type Trueup,
  type TrueupOptions,
  type UsageView,
} from "../src/index.js";
import {
  UsageMeter,
  useMeter,
  type useOperation,
  useTrueup,
  useUsage,
} from "../src/react/index.js";
import type { createTrueup as createSlim, WasmSource } from "../src/slim.js";
import { usageQueryOptions, writeUsageQuery } from "../src/tanstack-query/index.js";

declare const usage: Trueup;

describe("trueup", () => {
  test("is made from options of which only getToken is needed", () => {
    expectTypeOf(createTrueup).toEqualTypeOf<(options: TrueupOptions) => Promise<Trueup>>();
    expectTypeOf<{ getToken: () => string }>().toExtend<TrueupOptions>();
    expectTypeOf<{ getToken: () => Promise<null> }>().toExtend<TrueupOptions>();
    expectTypeOf<{ baseUrl: string }>().not.toExtend<TrueupOptions>();
    expectTypeOf<{ getToken: () => undefined }>().not.toExtend<TrueupOptions>();
  });

  test("has a fetch that is a fetch", () => {
    expectTypeOf(usage.fetch).toExtend<typeof fetch>();
    expectTypeOf(usage.fetch).toExtend<NonNullable<ClientOptions["fetch"]>>();
  });

  test("begins by model or by charge, never by both or neither", () => {
    expectTypeOf(usage.begin).toEqualTypeOf<(request: OperationRequest) => Operation>();
    expectTypeOf<{ model: string }>().toExtend<OperationRequest>();
    expectTypeOf<{ charge: { tokens: number } }>().toExtend<OperationRequest>();
    expectTypeOf<{ model: string; charge: Charge }>().not.toExtend<OperationRequest>();
    expectTypeOf<Record<never, never>>().not.toExtend<OperationRequest>();
  });

  test("is a store for useSyncExternalStore", () => {
    expectTypeOf(usage.subscribe).toEqualTypeOf<(listener: () => void) => () => void>();
    expectTypeOf(usage.getSnapshot).toEqualTypeOf<() => UsageView>();
    expectTypeOf(usage.getSnapshot().meters.any).toEqualTypeOf<MeterView | undefined>();
  });

  test("gives every listener its own event", () => {
    usage.on("correction", (event) => expectTypeOf(event).toEqualTypeOf<Correction>());
    usage.on("decided", (event) => expectTypeOf(event).toEqualTypeOf<Decision>());
    usage.on("error", (event) => expectTypeOf(event).toEqualTypeOf<Fault>());
    // @ts-expect-error There is no such event.
    usage.on("change", () => undefined);
    expectTypeOf<Parameters<Trueup["on"]>[0]>().toEqualTypeOf<"correction" | "decided" | "error">();
  });

  test("gives nothing that may be written to", () => {
    const operation = usage.begin({ model: "gpt-5" });
    // @ts-expect-error It is read only.
    operation.allowed = true;
    // @ts-expect-error It is read only.
    usage.getSnapshot().meters.any = undefined;
    expectTypeOf(operation.refusal).toEqualTypeOf<Refusal | undefined>();
    expectTypeOf(operation.headers).toEqualTypeOf<Readonly<Record<string, string>>>();
  });
});

test("trueup/slim needs the module as well", () => {
  expectTypeOf<Parameters<typeof createSlim>[0]>().toExtend<TrueupOptions>();
  expectTypeOf<{ getToken: () => null }>().not.toExtend<Parameters<typeof createSlim>[0]>();
  expectTypeOf<
    URL | Response | Uint8Array<ArrayBuffer> | WebAssembly.Module
  >().toExtend<WasmSource>();
  expectTypeOf<string>().not.toExtend<WasmSource>();
});

test("trueup/react has typed hooks", () => {
  expectTypeOf(useUsage).toEqualTypeOf<() => UsageView>();
  expectTypeOf(useMeter).toEqualTypeOf<(name: string) => MeterView | undefined>();
  expectTypeOf(useTrueup).toEqualTypeOf<() => Trueup>();
  expectTypeOf<ReturnType<typeof useOperation>["state"]>().toEqualTypeOf<
    "idle" | "pending" | OperationState
  >();
  expectTypeOf(UsageMeter).parameter(0).toHaveProperty("meter").toEqualTypeOf<string>();
});

test("trueup/tanstack-query fits a QueryClient", () => {
  expectTypeOf(writeUsageQuery(usage, new QueryClient())).toEqualTypeOf<() => void>();
  const query = () => useQuery(usageQueryOptions(usage));
  expectTypeOf<ReturnType<typeof query>["data"]>().toEqualTypeOf<UsageView>();
});
