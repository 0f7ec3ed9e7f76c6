// One page: a fresh instance of the module that ships, and the browser around it.
import { instantiate } from "../../web/packages/trueup/src/wasm/dist/glue.js";

/** The page whose browser the globals are, while it takes a step. */
let current;

/** The real one: everything that a step sets going is over when it comes. */
const later = setImmediate;

const letters = new TextEncoder();

/** An operation that no page began. */
const NOBODYS = "00000000-0000-7000-8000-000000000000";

/** Puts the browser of the current page in the place of this host's own. */
export function becomeBrowser() {
  const lookUp = (name, get) =>
    Object.defineProperty(globalThis, name, { configurable: true, get, set: undefined });
  for (const name of [
    "document",
    "self",
    "navigator",
    "sessionStorage",
    "localStorage",
    "crypto",
  ]) {
    lookUp(name, () => current[name]);
  }
  Date.now = () => current.clock;
  performance.now = () => current.clock;
  Math.random = () => 0.5;
  AbortSignal.timeout = () => new AbortController().signal;
  globalThis.setTimeout = (ring) => current.setTimer(ring);
  globalThis.clearTimeout = (timer) => current.timers.delete(timer);
  globalThis.fetch = (url, init) => current.fetch(url, init);
}

/** What the server answers. */
function response(status, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: { get: (name) => headers[name] ?? null }, text: async () => text };
}

/** None for a visitor. */
function tokenOf(who) {
  if (who === null) return null;
  const [account, actor] = who;
  const claims = JSON.stringify({ sub: actor, acct: account });
  return `e30.${Buffer.from(claims).toString("base64url")}.c2ln`;
}

/** What the page shows, as a list. */
function seen({ status, account = null, version = null, meters }) {
  const meter = ([name, it]) => [
    name,
    it.limit,
    it.used,
    it.settled,
    it.held,
    it.pending,
    it.remaining,
    it.enforcement,
    it.resetsAt ?? null,
    it.resetting,
  ];
  return [status, account, version, Object.entries(meters).map(meter)];
}

/** What the app was told, as a list. */
function told(event) {
  if (event.type === "decided") return [event.opId, event.state, event.cause];
  const figures = (it) => [it.used, it.limit, it.remaining];
  const moved = ({ meter, before, after }) => [meter, figures(before), figures(after)];
  return [event.cause, event.opId ?? null, event.text, event.movements.map(moved)];
}

export class Page {
  clock = 0;
  timers = new Map();
  document = Object.assign(new EventTarget(), { hidden: false });
  self = new EventTarget();
  navigator = { onLine: true };
  crypto = { getRandomValues: (bytes) => bytes.set(this.#entropy) };
  sessionStorage;
  /** What visitors of the browser used is all that is kept there. */
  localStorage = {
    getItem: () => this.#visited,
    setItem: (_, text) => {
      this.#visited = text;
    },
  };
  #module;
  #models;
  #limits;
  #visited = null;
  #client;
  #token;
  #entropy;
  #nextTimer = 1;
  /** Requests of this step, and those that wait for an answer by their number. */
  #asked = [];
  #waiting = new Map();
  #told = [];
  #kept;

  constructor(module, { models, limits }, kept) {
    this.#module = module;
    this.#models = models;
    this.#limits = limits;
    const stored = new Map(Object.entries(kept));
    this.sessionStorage = {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, text) => {
        if (stored.get(key) === text) return;
        stored.set(key, text);
        this.#kept = [key, text];
      },
    };
  }

  setTimer(ring) {
    const timer = this.#nextTimer++;
    this.timers.set(timer, ring);
    return timer;
  }

  fetch(url, init) {
    if (url === "/v1/catalog") return Promise.resolve(response(200, { models: this.#models }));
    return new Promise((resolve, reject) => this.#asked.push({ url, init, resolve, reject }));
  }

  /** Takes a step; answers with what the module did. */
  async step({ at, who, in: [what, ...about], asks }) {
    current = this;
    this.clock = at;
    this.#asked = [];
    this.#told = [];
    this.#kept = undefined;
    const said = this.#act(what, about, who);
    await new Promise((done) => later(done));
    for (const [order, { id }] of asks.entries()) {
      const call = this.#asked[order];
      if (call) this.#waiting.set(id, call);
    }
    return {
      view: this.#client ? seen(this.#client.view()) : undefined,
      told: this.#told,
      asks: this.#asked.map(({ url, init }) => request(url, init)),
      keeps: this.#kept,
      said,
    };
  }

  /** What is stored under that key. */
  kept(key) {
    return this.sessionStorage.getItem(key);
  }

  /** Nobody looks at it any more. */
  leave() {
    current = this;
    this.#client?.stop();
  }

  #act(what, about, who) {
    switch (what) {
      case "account":
        return this.#signIn(who);
      case "visitor":
        this.#visited = about[0];
        return this.#signIn(null);
      case "begin":
        return this.#begin(...about);
      case "visible":
        this.document.hidden = !about[0];
        this.document.dispatchEvent(new Event("visibilitychange"));
        return undefined;
      case "online":
        this.navigator.onLine = about[0];
        this.self.dispatchEvent(new Event(about[0] ? "online" : "offline"));
        return undefined;
      case "timeout":
        return this.#ring();
      case "refresh":
        return this.#client.refresh();
      case "reply":
        return this.#reply(...about);
      case "heard":
        return this.#client.feed(about[0], letters.encode("data: {}\n\n"));
      case "snapshot":
        return this.#push(about[0]);
      case "sent":
        return this.#client.sent(about[0]);
      case "finished":
        return this.#client.end(about[0], true);
      case "failed":
        return this.#client.end(about[0], false);
      default:
        return this.#hear(what, about);
    }
  }

  #signIn(who) {
    this.#token = tokenOf(who);
    if (this.#client) {
      this.#client.sessionChanged();
      return;
    }
    const { Client } = instantiate(this.#module, (exports) => exports);
    this.#client = new Client(
      { baseUrl: "", anonymousLimits: this.#limits, anonymousCharges: this.#charges() },
      () => this.#token,
      () => {},
      (event) => event.type !== "error" && this.#told.push(told(event)),
    );
    this.#client.start();
  }

  /** What models charge, as an app tells it for visitors. */
  #charges() {
    const charges = Object.entries(this.#models).map(([model, it]) => [model, it.charge]);
    return Object.fromEntries(charges);
  }

  #begin(id, charge) {
    // The last letters are the operation's number, the ones before are the time.
    const number = Number.parseInt(id.slice(-8), 16);
    this.#entropy = [0, 0, 0, 0, 0, 0, number >>> 24, number >>> 16, number >>> 8, number];
    const known = JSON.stringify(charge);
    const [model] = Object.entries(this.#models).find(
      ([, it]) => JSON.stringify(it.charge) === known,
    );
    const begun = this.#tryToBegin({ model }) ?? this.#tryToBegin({ charge });
    if (begun === undefined) return "unknown";
    if (begun === "too_many_pending") return null;
    const { refusal } = begun;
    return [
      begun.id,
      begun.predicted,
      refusal ? [refusal.meter, refusal.asked, refusal.remaining, refusal.resetsAt ?? null] : null,
    ];
  }

  /** Nothing when the module does not know what it was asked for: no catalog came. */
  #tryToBegin(request) {
    try {
      return this.#client.begin(request);
    } catch (error) {
      if (error.code === "too_many_pending") return error.code;
      // Without its model's name, a charge of nothing is no request.
      if (["unknown_model", "unknown_meter", "invalid_request"].includes(error.code))
        return undefined;
      throw error;
    }
  }

  #ring() {
    const rings = [...this.timers.entries()];
    if (rings.length !== 1) throw new Error(`${rings.length} timers are set`);
    this.timers.delete(rings[0][0]);
    rings[0][1]();
  }

  /** In a stream or in the body of an error, as servers do both. */
  #reply(id, snapshot) {
    if (Number.parseInt(id.slice(-1), 16) % 2 === 0) {
      const chunk = JSON.stringify({ choices: [], trueup: snapshot });
      this.#client.feed(id, letters.encode(`data: ${chunk}\n\n`));
    } else {
      const error = { code: "usage_limit_exceeded", message: "no" };
      this.#client.receive(id, JSON.stringify({ error, usage: snapshot }));
    }
  }

  /** As the server pushes it; tabs tell each other the same. */
  #push(snapshot) {
    const event = `event: usage\nid: ${snapshot.version}\ndata: ${JSON.stringify(snapshot)}\n\n`;
    this.#client.feed("", letters.encode(event));
  }

  #hear(what, [id, about]) {
    const call = this.#waiting.get(id);
    // The native client is told in any case, and looks at its clock; a page hears no second answer,
    // and none to what was asked for somebody else.
    this.#client.feed(NOBODYS, new Uint8Array());
    if (!call) return;
    this.#waiting.delete(id);
    switch (what) {
      case "answer":
        call.resolve(response(200, about, { etag: `"${about.epoch}-${about.version}"` }));
        break;
      case "unchanged":
        call.resolve(response(304, ""));
        break;
      case "refused":
        call.resolve(response(400, { error: { code: "operation_too_old", message: "no" } }));
        break;
      case "failure":
        if (about === null) call.reject(new TypeError("the network failed"));
        else call.resolve(response(503, "", { "retry-after": String(about / 1000) }));
        break;
      default:
        throw new Error(`what is ${what}?`);
    }
  }
}

/** A request as the core would say it. */
function request(url, init) {
  const { pathname, searchParams } = new URL(url, "http://server.test");
  const fenced = /^\/v1\/operations\/(.+)\/fence$/.exec(pathname);
  if (fenced) return { fence: fenced[1], since: JSON.parse(init.body).since ?? null };
  const since = searchParams.get("since");
  return {
    ask: searchParams.get("ask")?.split(",") ?? [],
    known: init.headers["if-none-match"] ?? null,
    since: since === null ? null : Number(since),
  };
}
