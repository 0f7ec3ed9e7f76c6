const TEXT =
  "You are signed out, so nothing is sent and nobody but this browser counts. This answer was made " +
  "right here; sign in again and the server’s figures come back.";

const WORD_MS = 45;

/**
 * What an anonymous visitor gets: the server answers nobody that it cannot count, so the page
 * answers by itself, word by word. Ends with an error when it is aborted.
 */
export async function* anonymousReply(signal: AbortSignal): AsyncGenerator<string> {
  for (const word of TEXT.split(" ")) {
    await pause(WORD_MS, signal);
    yield `${word} `;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
