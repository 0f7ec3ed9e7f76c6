import { type Begun, claimsOf, type Facts, type News } from "./oracle/claims";
import { judge, type Shown, type Verdict, type WrongFrame } from "./oracle/judge";
import { amountsOf, NOTHING } from "./oracle/ledger";
import type { Client, Meters, PageRecord } from "./record";
import type { FrameCount } from "./report/table";
import type { Scene } from "./scene";

/** What a message with a model is predicted to take; written down here once more, by hand. */
const PREDICTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "gpt-5": { premium_messages: 1 },
  "gpt-5-mini": { standard_messages: 1 },
};
/** What somebody who is not signed in may send, counted by the page alone. */
const ANONYMOUS_LIMITS = { premium_messages: 3, standard_messages: 3 };

export interface SceneVerdict extends FrameCount {
  /** What went wrong, for whoever has to mend it. */
  readonly complaints: readonly string[];
}

/**
 * Judges every frame that the page has shown so far, by the ledger and by what crossed the line.
 * A wrong number of ours is a complaint; the naive client's are only counted.
 */
export async function judgeScene(scene: Scene): Promise<SceneVerdict> {
  const record = await scene.record();
  const ours: Verdict[] = [];
  const naive: Verdict[] = [];
  for (const account of new Set(record.frames.map((frame) => frame.account))) {
    ours.push(await judgeClient("ours", scene, account, record));
    naive.push(await judgeClient("naive", scene, account, record));
  }
  const wrong = ours.flatMap((verdict) => verdict.wrong);
  const frames = ours.reduce((sum, { judged }) => sum + judged, 0);
  const complaints = [...scene.complaints];
  if (wrong.length > 0) complaints.push(sentence(wrong, record));
  // Without these two a judge that sees nothing would find nothing.
  if (frames === 0) complaints.push("no frame was judged");
  if (!record.answers.some(({ client }) => client === "ours")) {
    complaints.push("no question of ours was heard");
  }
  const naiveWrong = naive.reduce((sum, verdict) => sum + verdict.wrong.length, 0);
  return { frames, ours: wrong.length, naive: naiveWrong, complaints };
}

async function judgeClient(
  client: Client,
  scene: Scene,
  account: string | null,
  record: PageRecord,
): Promise<Verdict> {
  const facts =
    account === null ? anonymousFacts(record) : await factsOf(client, scene, account, record);
  return judge(shownBy(client, account, record), claimsOf(facts), facts);
}

async function factsOf(
  client: Client,
  scene: Scene,
  account: string,
  record: PageRecord,
): Promise<Facts> {
  const ledger = await scene.backend.entries(account);
  const startVersion = account === scene.account ? scene.startVersion : 0;
  const entries = ledger.filter(({ version }) => version > startVersion);
  const { granted } = amountsOf(entries);
  const limits = Object.entries(await scene.backend.limits(account)).map(
    ([meter, limit]) => [meter, limit - (granted[meter] ?? 0)] as const,
  );
  return {
    entries,
    begun: begunBy(account, record),
    news: newsOf(client, account, await scene.chatNews(), record),
    start: { ...amountsOf(ledger.filter(({ version }) => version <= startVersion)), granted: {} },
    limits: Object.fromEntries(limits),
  };
}

/** Nobody but the page itself counts somebody who is not signed in. */
function anonymousFacts(record: PageRecord): Facts {
  const begun = anonymousBegun(record);
  return { entries: [], begun, news: [], start: NOTHING, limits: ANONYMOUS_LIMITS };
}

/** What a client showed to an account, in each document from its first figures on. */
function shownBy(client: Client, account: string | null, record: PageRecord): readonly Shown[] {
  const begun = new Set<number>();
  return record.frames
    .filter((frame) => frame.account === account)
    .filter(({ document, [client]: meters }) => {
      if (Object.keys(meters).length > 0) begun.add(document);
      return begun.has(document);
    })
    .map(({ at, [client]: meters }) => ({
      at,
      meters: client === "ours" ? meters : withoutLimits(meters),
    }));
}

/** The naive client knows no limits: the page draws its bars with those of the server. */
function withoutLimits(meters: Meters): Shown["meters"] {
  const figures = Object.entries(meters).map(
    ([meter, { used, remaining }]) => [meter, { used, remaining }] as const,
  );
  return Object.fromEntries(figures);
}

function begunBy(account: string, { departures }: PageRecord): readonly Begun[] {
  return departures
    .filter((departure) => departure.account === account)
    .map(({ operation, pressedAt, at, model }) => ({
      operation,
      pressedAt,
      departedAt: at,
      predicted: PREDICTED[model] ?? {},
    }));
}

function anonymousBegun({ presses }: PageRecord): readonly Begun[] {
  return presses
    .filter(({ account }) => account === null)
    .map(({ at, model }, index) => ({
      operation: `press ${index}`,
      pressedAt: at,
      departedAt: at,
      predicted: PREDICTED[model] ?? {},
    }));
}

/**
 * What a client was told, and when: the answers to its own questions, and the replies to chats.
 * A reply tells ours of everything up to its version, the naive one of its own message.
 */
function newsOf(
  client: Client,
  account: string,
  chatNews: readonly News[],
  { answers, departures }: PageRecord,
): readonly News[] {
  const own = new Set(
    departures.filter((one) => one.account === account).map(({ operation }) => operation),
  );
  const replies = chatNews.filter(({ operation }) => own.has(operation ?? ""));
  return [
    ...answers.filter((answer) => answer.client === client && answer.account === account),
    ...(client === "naive" ? replies : replies.map(({ at, version }) => ({ at, version }))),
  ];
}

function sentence(wrong: readonly WrongFrame[], { frames }: PageRecord): string {
  const began = frames[0]?.at ?? 0;
  const some = wrong.slice(0, 5).map(({ at, shown, allowed }) => {
    const right = allowed.slice(0, 4).map((meters) => JSON.stringify(meters));
    return `  at ${at - began} ms ${JSON.stringify(shown)}\n    allowed: ${right.join("\n             ")}`;
  });
  return `ours showed ${wrong.length} wrong frames:\n${some.join("\n")}`;
}
