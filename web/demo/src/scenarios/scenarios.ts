import type { Chat } from "../chat/chat";
import { PREMIUM } from "../chat/models";
import { type Faults, NO_FAULTS, SETTLE_FAILS } from "../faults/faults";

export interface ScenarioParts {
  readonly chat: Chat;
  readonly faults: Faults;
}

/** Something that happens to every chat sooner or later, to be watched. */
export interface Scenario {
  readonly id: string;
  readonly name: string;
  readonly run: (parts: ScenarioParts) => Promise<void>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export const SCENARIOS: readonly Scenario[] = [
  {
    id: "fallback",
    name: "Model fallback",
    async run({ chat, faults }) {
      await faults.change({ fallback: true });
      await chat.send("Which model answers me today?", PREMIUM);
      await faults.change({ fallback: false });
    },
  },
  {
    id: "overlap",
    name: "Overlap",
    async run({ chat }) {
      const first = chat.send("What is an estimate?", PREMIUM);
      await pause(900);
      const second = chat.send("And what is an actual?", PREMIUM);
      await pause(900);
      const third = chat.send("Who keeps them equal?", PREMIUM);
      await Promise.all([first, second, third]);
    },
  },
  {
    id: "accounting",
    name: "Accounting fails",
    async run({ chat, faults }) {
      await faults.change({ settle_fails: SETTLE_FAILS });
      await chat.send("Was this message counted?", PREMIUM);
    },
  },
  {
    id: "break",
    name: "Broken answer",
    async run({ chat, faults }) {
      await faults.change({ fail_after_token: true });
      await chat.send("Tell me everything.", PREMIUM);
      await faults.change({ fail_after_token: false });
    },
  },
  {
    id: "cut",
    name: "Line cut",
    async run({ chat, faults }) {
      await faults.change({ offline: true });
      await chat.send("Can you hear me?", PREMIUM);
      await pause(1500);
      await faults.change(NO_FAULTS);
    },
  },
];
