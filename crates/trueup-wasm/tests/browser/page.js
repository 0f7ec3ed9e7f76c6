// The world around a client under test: a server that a test answers by hand, the app's three
// functions, and the switches of the page.

const realFetch = globalThis.fetch;

/** Requests wait here until the test takes and answers them. */
export class Server {
  #arrived = [];
  #waiting = [];

  constructor() {
    globalThis.fetch = (url, init) =>
      new Promise((resolve, reject) => {
        const call = new Call(url, init, resolve, reject);
        init.signal?.addEventListener("abort", () => reject(init.signal.reason));
        const taker = this.#waiting.shift();
        if (taker) taker(call);
        else this.#arrived.push(call);
      });
  }

  /** The next request, as soon as it arrives. */
  next() {
    const call = this.#arrived.shift();
    return call ? Promise.resolve(call) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** How many requests wait for an answer. */
  get count() {
    return this.#arrived.length;
  }

  close() {
    globalThis.fetch = realFetch;
  }
}

class Call {
  #init;
  #resolve;
  #reject;

  constructor(url, init, resolve, reject) {
    this.url = String(url);
    this.#init = init;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get method() {
    return this.#init.method;
  }

  get body() {
    return this.#init.body;
  }

  header(name) {
    return new Headers(this.#init.headers).get(name) ?? undefined;
  }

  answer(status, body, retryAfter) {
    const headers = {
      ...(retryAfter !== undefined && { "retry-after": retryAfter }),
      ...(this.method === "GET" && tagOf(body)),
    };
    this.#resolve(new Response(status === 304 ? null : body, { status, headers }));
  }

  breakOff() {
    this.#reject(new TypeError("connection lost"));
  }
}

/** As the server tags a snapshot: by its history, by who is told, and by its version. */
function tagOf(body) {
  if (!body.includes('"epoch"')) return {};
  const { epoch, account, version } = JSON.parse(body);
  return { etag: `"${epoch}-${account}-${version}"` };
}

/** The app: what it answers when asked for a token, and what it is told. */
export class App {
  static #current;
  #token = null;
  #waiting = [];
  events = [];
  changes = 0;
  /** Called with every event and change, when set. */
  hook = undefined;

  constructor() {
    App.#current = this;
  }

  getToken = () => {
    // A client that a failed test left behind gets no further.
    if (App.#current !== this) return new Promise(() => {});
    return this.#token instanceof Error ? Promise.reject(this.#token) : this.#token;
  };

  onChange = () => {
    this.changes += 1;
    this.#told();
  };

  onEvent = (event) => {
    this.events.push(event);
    this.#told();
  };

  signIn(token) {
    this.#token = token;
  }

  breakToken() {
    this.#token = new Error("no network");
  }

  /** Events told so far and not taken, as JSON. */
  takeEvents() {
    return JSON.stringify(this.events.splice(0));
  }

  /** Resolves when anything is told. */
  told() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #told() {
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.hook?.();
  }
}

/** A token that nobody has to verify here. */
export function tokenOf(claims) {
  const part = (text) => btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return `${part('{"alg":"none"}')}.${part(claims)}.`;
}

export function showPage(visible) {
  Object.defineProperty(document, "hidden", { configurable: true, value: !visible });
  document.dispatchEvent(new Event("visibilitychange"));
}

export function connectPage(online) {
  Object.defineProperty(navigator, "onLine", { configurable: true, value: online });
  dispatchEvent(new Event(online ? "online" : "offline"));
}

const realNow = Date.now;

/** Sets the page's clock so many milliseconds ahead, or back. */
export function setClock(ahead) {
  Date.now = () => realNow() + ahead;
}

export function stringify(value) {
  return JSON.stringify(value);
}
