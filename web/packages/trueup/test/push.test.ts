import { beforeEach, describe, expect, test, vi } from "vitest";
import { premium, startServer, startUsage, startVisitor, viewWith } from "./support.js";

const EVENTS = "GET /v1/usage/events";

/** A token that can be read, but is signed by nobody. */
function tokenOf(claims: object): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}

// Whoever was cut off comes back at once.
beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0);
});

describe("push", () => {
  test("shows at once what happens elsewhere", async () => {
    const server = await startServer();
    const usage = await startUsage(server, { push: true });
    const stream = await server.nextStream();
    expect(stream.since).toBe(1);
    expect(stream.token).toBe("Bearer token-7");
    server.ledger.useElsewhere(2);
    stream.push();
    await viewWith(usage, (view) => view.version === 2);
    expect(premium(usage)).toEqual({ used: 2, pending: 0, remaining: 3 });
    expect(server.requests.filter((request) => request === "GET /v1/usage")).toHaveLength(1);
  });

  test.each(["end", "destroy"] as const)(
    "comes back after an %s, from where it is",
    async (how) => {
      const server = await startServer();
      const usage = await startUsage(server, { push: true });
      const first = await server.nextStream();
      server.ledger.useElsewhere(1);
      first.push();
      await viewWith(usage, (view) => view.version === 2);
      server.ledger.useElsewhere(1);
      first.response[how]();
      const second = await server.nextStream();
      expect(second.since).toBe(2);
      second.push();
      await viewWith(usage, (view) => view.version === 3);
      expect(premium(usage).used).toBe(2);
    },
  );

  test("comes back to a server that was down", async () => {
    const server = await startServer();
    server.down = true;
    await startUsage(server, { push: true });
    await vi.waitUntil(() => server.requests.includes(EVENTS));
    server.down = false;
    await server.nextStream();
  });

  test("leaves a server alone that has none", async () => {
    const server = await startServer();
    server.pushes = false;
    const usage = await startUsage(server, { push: true });
    await vi.waitUntil(() => server.requests.includes(EVENTS));
    server.pushes = true;
    server.ledger.useElsewhere(1);
    usage.refresh();
    await viewWith(usage, (view) => view.version === 2);
    expect(server.requests.filter((request) => request === EVENTS)).toHaveLength(1);
    // Another session may have another server behind it.
    await usage.sessionChanged();
    await server.nextStream();
  });

  test("is not asked for by a visitor, nor when it is not wanted", async () => {
    const server = await startServer();
    await startVisitor(5, { baseUrl: server.url });
    await startUsage(server, { push: false });
    const usage = await startUsage(server, { push: true });
    await server.nextStream();
    usage.stop();
    expect(server.requests.filter((request) => request === EVENTS)).toHaveLength(1);
  });

  test("is closed while the page is hidden", async () => {
    const page = new EventTarget();
    const document = { hidden: false, baseURI: "http://127.0.0.1/" };
    vi.stubGlobal("document", document);
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    const server = await startServer();
    await startUsage(server, { push: true });
    const first = await server.nextStream();
    document.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    await first.closed();
    document.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    await server.nextStream();
  });

  test("ends when tracking stops, whatever the app says after that", async () => {
    const server = await startServer();
    const getToken = vi.fn(() => "token-7");
    const usage = await startUsage(server, { push: true, getToken });
    const stream = await server.nextStream();
    usage.stop();
    await stream.closed();
    getToken.mockClear();
    await usage.sessionChanged();
    expect(getToken).not.toHaveBeenCalled();
  });

  test("begins anew with another session", async () => {
    const server = await startServer();
    let token = tokenOf({ sub: "ada", acct: "acct_7" });
    const usage = await startUsage(server, { push: true, getToken: () => token });
    const first = await server.nextStream();
    token = tokenOf({ sub: "bob", acct: "acct_7" });
    const changed = usage.sessionChanged();
    await first.closed();
    await changed;
    expect((await server.nextStream()).token).toBe(`Bearer ${token}`);
  });

  test("takes nothing that is meant for another actor of the same account", async () => {
    const server = await startServer();
    const ada = tokenOf({ sub: "ada", acct: "acct_7" });
    let token = ada;
    const usage = await startUsage(server, { push: true, getToken: () => token });
    const first = await server.nextStream();
    // Somebody else signs in and the app says nothing: the next answer finds out.
    token = tokenOf({ sub: "bob", acct: "acct_7" });
    usage.refresh();
    await vi.waitUntil(() => usage.getSnapshot().status === "live" && server.catalogs === 2);
    server.ledger.useElsewhere(4);
    first.push();
    expect((await server.nextStream()).token).toBe(`Bearer ${token}`);
    await first.closed();
    expect(premium(usage).used).toBe(0);
  });
});
