// Tells the module that ships what pages of the simulator were told, line by line from standard input,
// and compares what it does with what the native client did: views, requests, corrections, what is kept.
// scripts/module.sh makes the bindings that it needs: in the package they are part of a bundle.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { MODULE } from "../../web/packages/trueup/build/glue.js";
import { becomeBrowser, Page } from "./page.mjs";

const shipped = readFileSync(
  new URL("../../web/packages/trueup/dist/trueup.wasm", import.meta.url),
);
if (!shipped.equals(readFileSync(MODULE))) {
  console.error("error: the package was built from another module; run './justw build' first");
  process.exit(1);
}
const module = new WebAssembly.Module(shipped);
const counts = { seeds: 0, pages: 0, steps: 0, bytes: 0, cutShort: 0 };
/** What pages are told, and how often they were: what never happens is not compared. */
const kinds = new Map(
  [
    ...["account", "visitor", "begin", "sent", "heard", "reply", "finished", "failed", "snapshot"],
    ...["answer", "unchanged", "failure", "visible", "online", "timeout", "refresh"],
  ].map((kind) => [kind, 0]),
);
/** By tab. One that is null is not followed to its end. */
let pages = new Map();
/** What the catalog says, and what a visitor may have. */
let known = {};
let seed;
becomeBrowser();

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  if ("seed" in line) beginSeed(line);
  else if ("loads" in line) load(line);
  else if ("dies" in line) leave(line.dies);
  else if (pages.get(line.tab)) await follow(line);
}
for (const tab of pages.keys()) leave(tab);

const { seeds, steps, bytes, cutShort } = counts;
console.log(
  `${seeds} seeds, ${counts.pages} pages, ${steps} steps: ${bytes} bytes of views, requests, corrections and kept state`,
);
console.log(`${cutShort} pages were not followed to their end, since no catalog reached them`);
console.log([...kinds].map(([kind, times]) => `${kind} ${times}`).join(", "));
const never = [...kinds].filter(([, times]) => times === 0).map(([kind]) => kind);
if (never.length > 0) console.error(`never told: ${never.join(", ")}; run more seeds`);
const isMany = steps > 100 * seeds && cutShort * 20 < counts.pages;
const enough = seeds > 0 && isMany && never.length === 0;
console.log(`module: ${enough ? "1 passed, 0 failed" : "0 passed, 1 failed"}`);
process.exit(enough ? 0 : 1);

function beginSeed(line) {
  for (const tab of pages.keys()) leave(tab);
  pages = new Map();
  ({ seed, ...known } = line);
  counts.seeds += 1;
  if (counts.seeds % 100 === 0) console.error(`${counts.seeds} seeds`);
}

function load({ loads, kept }) {
  leave(loads);
  pages.set(loads, new Page(module, known, kept));
  counts.pages += 1;
}

function leave(tab) {
  pages.get(tab)?.leave();
  pages.set(tab, null);
}

async function follow(line) {
  const did = await pages
    .get(line.tab)
    .step(line)
    .catch((error) => fail(line, undefined, undefined, error));
  if (did.said === "unknown") {
    leave(line.tab);
    counts.cutShort += 1;
    return;
  }
  // Before anybody looks there is nothing to compare.
  if (did.view === undefined) return;
  const asks = line.asks.map(({ id: _, ...request }) => request);
  for (const [at, request] of asks.entries()) {
    // The tag of figures that came otherwise than by a request is not known.
    if (request.known && did.asks[at]?.known === null) request.known = null;
  }
  const expected = { view: line.view, told: line.told, asks };
  const actual = { view: did.view, told: did.told, asks: did.asks };
  if (line.in[0] === "begin") {
    const [, id, , said] = line.in;
    expected.said = said && [id, said.predicted, said.refusal];
    actual.said = did.said;
  }
  // What did not change is not written again.
  const key = line.keeps?.[0] ?? did.keeps?.[0];
  expected.keeps = line.keeps?.[1] ?? (key && pages.get(line.tab).kept(key));
  actual.keeps = key && pages.get(line.tab).kept(key);
  if (!line.keeps && did.keeps) fail(line, "nothing is kept", did.keeps[1]);
  const [one, other] = [expected, actual].map((it) => JSON.stringify(it));
  if (one !== other) fail(line, one, other);
  counts.steps += 1;
  kinds.set(line.in[0], (kinds.get(line.in[0]) ?? 0) + 1);
  counts.bytes += one.length;
}

function fail(line, expected, actual, error) {
  console.error(`seed ${seed}, page ${line.tab} at ${line.at}: ${JSON.stringify(line.in)}`);
  if (error) console.error(error);
  else console.error(`the native client: ${expected}\nthe module:        ${actual}`);
  console.log("module: 0 passed, 1 failed");
  process.exit(1);
}
