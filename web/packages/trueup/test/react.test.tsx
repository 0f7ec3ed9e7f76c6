// @vitest-environment happy-dom

import {
  act,
  cleanup,
  type RenderOptions,
  render,
  renderHook,
  screen,
} from "@testing-library/react";
import { createElement, type ReactElement, StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Trueup } from "../src/index.js";
import {
  TrueupProvider,
  type TrueupProviderProps,
  UsageMeter,
  useMeter,
  useOperation,
  useTrueup,
  useUsage,
} from "../src/react/index.js";
import { startVisitor } from "./support.js";

const ONE = { charge: { premium_messages: 1 } };

afterEach(cleanup);

function Status(): ReactElement {
  return <output>{useUsage().status}</output>;
}

function Left(): ReactElement {
  return <output>{useMeter("premium_messages")?.remaining ?? "?"}</output>;
}

/** Options to render below a provider. */
function below(props: TrueupProviderProps): RenderOptions {
  return { wrapper: ({ children }) => createElement(TrueupProvider, props, children) };
}

/** A visitor's Trueup, and those who listen to its events. */
async function withListeners() {
  const listeners = new Set<(event: never) => void>();
  const on: Trueup["on"] = (_, listener) => {
    listeners.add(listener as never);
    return () => listeners.delete(listener as never);
  };
  const usage: Trueup = { ...(await startVisitor()), on };
  const tell = (event: object): void => {
    for (const listener of listeners) listener(event as never);
  };
  return { usage, listeners, tell };
}

function output(): string {
  return screen.getByRole("status").textContent ?? "";
}

describe("the hooks", () => {
  test("show a change at once", async () => {
    const usage = await startVisitor();
    render(<Left />, below({ usage }));
    expect(output()).toBe("5");
    act(() => void usage.begin(ONE));
    expect(output()).toBe("4");
  });

  test("useMeter renders again only for its own meter", async () => {
    const usage = await startVisitor(5, { anonymousLimits: { premium_messages: 5, tokens: 9 } });
    const rendered = vi.fn((name: string) => useMeter(name)?.used);
    const { result } = renderHook(() => rendered("tokens"), below({ usage }));
    act(() => void usage.begin(ONE));
    expect(result.current).toBe(0);
    expect(rendered).toHaveBeenCalledTimes(1);
    act(() => void usage.begin({ charge: { tokens: 2 } }));
    expect(result.current).toBe(2);
    expect(rendered).toHaveBeenCalledTimes(2);
  });

  test.each(["constructor", "__proto__", "tokens"])("there is no meter %s", async (name) => {
    const usage = await startVisitor();
    const { result } = renderHook(() => useMeter(name), below({ usage }));
    expect(result.current).toBeUndefined();
  });

  test("need a provider", () => {
    vi.spyOn(console, "error").mockReturnValue();
    expect(() => render(<Status />)).toThrow("needs a <TrueupProvider>");
  });

  test("useOperation follows the latest operation", async () => {
    const usage = await startVisitor(1);
    const { result } = renderHook(useOperation, below({ usage }));
    expect(result.current).toMatchObject({ state: "idle" });
    const { begin } = result.current;
    act(() => void begin(ONE));
    expect(result.current).toMatchObject({ state: "pending", operation: { allowed: true } });
    expect(result.current.begin).toBe(begin);
    act(() => void begin(ONE));
    expect(result.current).toMatchObject({ state: "refused", cause: "limit_reached" });
  });
});

test("useOperation tells how the latest operation ended, and why", async () => {
  const { usage, tell } = await withListeners();
  const { result } = renderHook(useOperation, below({ usage }));
  act(() => void result.current.begin(ONE));
  act(() => void result.current.begin(ONE));
  const ended = { type: "decided", state: "settled", cause: "fallback" };
  act(() => tell({ ...ended, opId: "another" }));
  expect(result.current.state).toBe("pending");
  const opId = result.current.operation?.id;
  act(() => tell({ ...ended, opId }));
  expect(result.current).toMatchObject({
    state: "settled",
    cause: "fallback",
    operation: { id: opId },
  });
});

describe("TrueupProvider", () => {
  test("creates in the browser, and stops when it unmounts", async () => {
    const usage = await startVisitor();
    const stop = vi.fn(usage.stop);
    const create = vi.fn(async () => ({ ...usage, stop }));
    const { unmount } = render(<Status />, below({ create }));
    expect(output()).toBe("loading");
    await act(async () => undefined);
    expect(output()).toBe("anonymous");
    unmount();
    expect(create).toHaveBeenCalledTimes(1);
    expect(stop).toHaveBeenCalledTimes(1);
  });

  test("in strict mode keeps one and stops the other", async () => {
    const created: { stop: ReturnType<typeof vi.fn> }[] = [];
    const usage = await startVisitor();
    const create = async (): Promise<Trueup> => {
      const one = { ...usage, stop: vi.fn() };
      created.push(one);
      return one;
    };
    render(
      <StrictMode>
        <TrueupProvider create={create}>
          <Status />
        </TrueupProvider>
      </StrictMode>,
    );
    await act(async () => undefined);
    expect(output()).toBe("anonymous");
    expect(created.map(({ stop }) => stop.mock.calls.length)).toEqual([1, 0]);
  });

  test("until it is there, begin says so and fetch waits", async () => {
    const usage = await startVisitor();
    let arrive = (_: Trueup): void => undefined;
    const create = (): Promise<Trueup> =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const { result } = renderHook(useTrueup, below({ create }));
    expect(() => result.current.begin(ONE)).toThrow(expect.objectContaining({ code: "loading" }));
    const fetched = vi.fn(async () => new Response("late"));
    const reply = result.current.fetch("/anything");
    expect(fetched).not.toHaveBeenCalled();
    await act(async () => arrive({ ...usage, fetch: fetched }));
    expect(await (await reply).text()).toBe("late");
    expect(fetched).toHaveBeenCalledWith("/anything", undefined);
  });

  test("tells of what it could not create", async () => {
    const failure = new Error("no WebAssembly here");
    const onError = vi.fn();
    const create = (): Promise<Trueup> => Promise.reject(failure);
    const { result } = renderHook(useTrueup, below({ create, onError }));
    await act(async () => undefined);
    expect(onError).toHaveBeenCalledExactlyOnceWith(failure);
    expect(result.current.getSnapshot().status).toBe("loading");
    await expect(result.current.fetch("/anything")).rejects.toBe(failure);
  });

  test("throws what it could not create when nobody listens", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    const failure = new Error("no WebAssembly here");
    const rendering = act(async () => {
      render(<TrueupProvider create={() => Promise.reject(failure)} />);
    });
    await expect(rendering).rejects.toBe(failure);
  });

  test("hands corrections to the latest listener", async () => {
    const { usage: given, listeners, tell } = await withListeners();
    const [first, second] = [vi.fn(), vi.fn()];
    const { rerender, unmount } = render(<TrueupProvider usage={given} onCorrection={first} />);
    rerender(<TrueupProvider usage={given} onCorrection={second} />);
    tell({ type: "correction" });
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledExactlyOnceWith({ type: "correction" });
    unmount();
    expect(listeners.size).toBe(0);
  });
});

describe("on a server", () => {
  test("everything renders as loading, and create is not called", async () => {
    const create = vi.fn(() => startVisitor());
    const page = (
      <TrueupProvider create={create}>
        <Status />
        <UsageMeter meter="premium_messages" />
      </TrueupProvider>
    );
    const html = renderToString(page);
    expect(html).toContain("<output>loading</output>");
    expect(html).toContain('data-state="loading"');
    expect(create).not.toHaveBeenCalled();

    const root = document.createElement("div");
    document.body.append(root);
    root.innerHTML = html;
    const onRecoverableError = vi.fn();
    const hydrated = await act(async () => hydrateRoot(root, page, { onRecoverableError }));
    await vi.waitFor(() => expect(root.textContent).toContain("anonymous"));
    expect(onRecoverableError).not.toHaveBeenCalled();
    act(() => hydrated.unmount());
    root.remove();
  });
});

describe("UsageMeter", () => {
  async function renderMeter(usage: Trueup, meter = "premium_messages") {
    return render(<UsageMeter meter={meter} locale="en" />, below({ usage }));
  }

  function figures(): Record<string, string | undefined> {
    const terms = screen.getAllByRole("term");
    const texts = screen.getAllByRole("definition");
    return Object.fromEntries(terms.map((term, at) => [term.textContent, texts[at]?.textContent]));
  }

  test("is a meter with a name, a range and words for it", async () => {
    const usage = await startVisitor();
    usage.begin(ONE);
    await renderMeter(usage);
    const bar = screen.getByRole("meter", { name: "Premium messages" });
    expect(bar.getAttribute("aria-valuemin")).toBe("0");
    expect(bar.getAttribute("aria-valuemax")).toBe("5");
    expect(bar.getAttribute("aria-valuenow")).toBe("1");
    expect(bar.getAttribute("aria-valuetext")).toBe("1 of 5 used, 4 left");
  });

  test("tells used, held, pending and remaining apart", async () => {
    const usage = await startVisitor();
    usage.begin(ONE).finish();
    usage.begin(ONE).finish();
    usage.begin(ONE);
    const { container } = await renderMeter(usage);
    expect(figures()).toEqual({ Used: "2", Running: "0", Sending: "1", Left: "2" });
    const width = (part: string): string | undefined =>
      container.querySelector<HTMLElement>(`.trueup-meter__part--${part}`)?.style.inlineSize;
    expect([width("settled"), width("held"), width("pending")]).toEqual(["40%", "0%", "20%"]);
  });

  test.each([
    [0, "normal"],
    [4, "low"],
    [5, "spent"],
  ])("with %i of 5 used is %s", async (used, state) => {
    const usage = await startVisitor();
    for (let sent = 0; sent < used; sent += 1) usage.begin(ONE);
    const { container } = await renderMeter(usage);
    expect(container.firstElementChild?.getAttribute("data-state")).toBe(state);
  });

  test("without a limit has figures and no bar", async () => {
    const visitor = await startVisitor();
    const given = visitor.getSnapshot().meters.premium_messages;
    if (!given) throw new Error("there is no meter");
    const view = {
      ...visitor.getSnapshot(),
      meters: { premium_messages: { ...given, settled: 1234, limit: null, remaining: null } },
    };
    await renderMeter({ ...visitor, getSnapshot: () => view });
    expect(screen.queryByRole("meter")).toBeNull();
    expect(figures()).toMatchObject({ Used: "1,234", Left: "Unlimited" });
  });

  test("beyond its limit fills the bar and no more", async () => {
    const visitor = await startVisitor();
    const given = visitor.getSnapshot().meters.premium_messages;
    if (!given) throw new Error("there is no meter");
    const beyond = { ...given, settled: 8, used: 10, pending: 2, remaining: 0 };
    const view = { ...visitor.getSnapshot(), meters: { premium_messages: beyond } };
    const { container } = await renderMeter({ ...visitor, getSnapshot: () => view });
    expect(screen.getByRole("meter").getAttribute("aria-valuenow")).toBe("5");
    const parts = [...container.querySelectorAll<HTMLElement>(".trueup-meter__part")];
    expect(parts.map(({ style }) => style.inlineSize)).toEqual(["80%", "0%", "20%"]);
  });

  test("that the plan does not have is busy loading", async () => {
    const { container } = await renderMeter(await startVisitor(), "tokens");
    expect(screen.queryByRole("meter")).toBeNull();
    expect(container.firstElementChild?.getAttribute("aria-busy")).toBe("true");
  });

  test("speaks other words", async () => {
    const usage = await startVisitor();
    render(
      <TrueupProvider usage={usage}>
        <UsageMeter
          meter="premium_messages"
          label="Premium-Nachrichten"
          className="small"
          labels={{ remaining: "Übrig", summary: ({ used }, number) => `${number(used)} benutzt` }}
        />
      </TrueupProvider>,
    );
    const bar = screen.getByRole("meter", { name: "Premium-Nachrichten" });
    expect(bar.getAttribute("aria-valuetext")).toBe("0 benutzt");
    expect(bar.parentElement?.className).toBe("trueup-meter small");
    expect(figures()).toMatchObject({ Used: "0", Übrig: "5" });
  });
});
