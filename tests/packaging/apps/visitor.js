// An anonymous visitor with five messages sends one.
import { createTrueup } from "trueup";

const usage = await createTrueup({
  getToken: () => null,
  anonymousLimits: { messages: 5 },
  storage: false,
});
const { allowed } = usage.begin({ charge: { messages: 1 } });
const { used, remaining } = usage.getSnapshot().meters.messages;
console.log(JSON.stringify({ allowed, used, remaining }));
usage.stop();
