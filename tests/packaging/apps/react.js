// The same visitor's meter, rendered on a server: what it shows must be what a browser shows first.
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createTrueup } from "trueup";
import { TrueupProvider, useMeter } from "trueup/react";

function Remaining() {
  return `${useMeter("messages")?.remaining ?? "nothing known yet"}`;
}

const usage = await createTrueup({
  getToken: () => null,
  anonymousLimits: { messages: 5 },
  storage: false,
});
console.log(renderToString(createElement(TrueupProvider, { usage }, createElement(Remaining))));
usage.stop();
