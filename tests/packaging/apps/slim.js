// The same visitor, with the module as a file that the page names itself.
import { readFile } from "node:fs/promises";
import { createTrueup } from "trueup/slim";

const usage = await createTrueup({
  wasm: readFile(new URL(import.meta.resolve("trueup/trueup.wasm"))),
  getToken: () => null,
  anonymousLimits: { messages: 5 },
  storage: false,
});
const { allowed } = usage.begin({ charge: { messages: 1 } });
const { used, remaining } = usage.getSnapshot().meters.messages;
console.log(JSON.stringify({ allowed, used, remaining }));
usage.stop();
