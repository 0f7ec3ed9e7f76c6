import { createContext, useContext } from "react";
import { createTrueup, type Trueup } from "trueup";
import { Chat } from "../chat/chat";
import { readSaved } from "../chat/saved";
import { Faults } from "../faults/faults";
import { checkLimitsOver, Naive } from "../naive";
import { Sessions } from "../session/session";
import type { Themes } from "../theme/theme";
import { Toasts } from "../toasts/toasts";
import { type Frame, Witness } from "../witness";

/** What an anonymous visitor may send, counted in this browser alone. */
const ANONYMOUS_LIMITS = { premium_messages: 3, standard_messages: 3 };

/** The parts of the page that live as long as it does. */
export interface Demo {
  readonly sessions: Sessions;
  readonly usage: Trueup;
  readonly naive: Naive;
  readonly witness: Witness;
  readonly chat: Chat;
  readonly faults: Faults;
  readonly toasts: Toasts;
  readonly themes: Themes;
}

/** Puts the parts together and starts them. */
export async function startDemo(themes: Themes): Promise<Demo> {
  const sessions = await Sessions.open();
  const witness = new Witness();
  const toasts = new Toasts();
  const getOwnToken = sessions.getOwnToken;
  const naive = new Naive(checkLimitsOver(witness.wire.watched("naive"), getOwnToken));
  const faults = new Faults({ fetch: witness.wire.unwatched, getToken: getOwnToken });

  // Watching begins before anything is sent, so that the first answers are seen too.
  const watch = () => {
    const { account, anonymous } = sessions.getSnapshot();
    witness.restart(anonymous ? null : { account, getToken: getOwnToken });
    naive.restart(!anonymous);
  };
  watch();
  const usage = await createTrueup({
    baseUrl: "/",
    getToken: sessions.getToken,
    anonymousLimits: ANONYMOUS_LIMITS,
  });
  usage.on("correction", ({ cause, text }) => toasts.ours(cause, text));
  const chat = new Chat({ usage, naive, witness });

  sessions.subscribe(() => {
    chat.clear();
    toasts.clear();
    watch();
    void usage.sessionChanged();
    void load();
  });
  // What the server has kept for the visitor. The page works without, should it be out of reach.
  const load = async () => {
    await faults.load();
    const { account, anonymous } = sessions.getSnapshot();
    if (anonymous) return;
    const saved = await readSaved(await getOwnToken()).catch(() => []);
    if (sessions.getSnapshot().account === account) chat.restore(saved);
  };
  void load();
  return { sessions, usage, naive, witness, chat, faults, toasts, themes };
}

/** What tests of the page read: the client, and all that both meters have shown. */
export interface DemoHandle {
  readonly usage: Trueup;
  readonly frames: readonly Frame[];
  readonly witness: Witness;
}

declare global {
  interface Window {
    __demo?: DemoHandle;
  }
}

export function exposeDemo({ usage, witness }: Demo): void {
  window.__demo = {
    usage,
    witness,
    get frames() {
      return witness.frames;
    },
  };
}

export const DemoContext = createContext<Demo | undefined>(undefined);

/** The parts of the page. */
export function useDemo(): Demo {
  const demo = useContext(DemoContext);
  if (!demo) throw new Error("useDemo outside of DemoContext");
  return demo;
}
