import type { Page, Request } from "playwright-core";
import type { News } from "./oracle/claims";

/** Listens for replies to chats that arrived whole; tells which version each of them brought. */
export function listenToChats(page: Page): () => Promise<readonly News[]> {
  const reading: Promise<readonly News[]>[] = [];
  page.on("requestfinished", (request) => {
    const operation = request.headers()["trueup-operation"];
    if (!operation || !request.url().endsWith("/v1/chat/completions")) return;
    const at = endOf(request);
    reading.push(
      versionIn(request).then((version) =>
        version === undefined ? [] : [{ at, version, operation }],
      ),
    );
  });
  return async () => (await Promise.all(reading)).flat();
}

async function versionIn(request: Request): Promise<number | undefined> {
  const response = await request.response();
  // The page may have gone on to another document, and taken the body with it.
  const text = await response?.text().catch(() => "");
  const version = /"(?:trueup|usage)":\{.*"version":(\d+)/.exec(text ?? "")?.[1];
  return version === undefined ? undefined : Number(version);
}

function endOf(request: Request): number {
  const { startTime, responseEnd } = request.timing();
  // An answer that a test has held back has no timing of its own.
  return startTime > 0 && responseEnd > 0 ? startTime + responseEnd : Date.now();
}
