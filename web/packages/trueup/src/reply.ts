/** A JSON reply up to this size is read before it is handed on. */
const READ_AT_ONCE = 1024 * 1024;
/** Some browsers give these a body all the same, and none lets a response be made with it. */
const WITHOUT_BODY = [204, 205, 304];

/** What becomes of a reply. `end` is called once. */
export interface ReplySteps {
  /** Bytes of an event stream, as they arrive. */
  feed(bytes: Uint8Array): void;
  /** The whole of a JSON body. */
  receive(body: string): void;
  /** The reply has ended: well, or it broke, was cancelled, or says that the call failed. */
  end(well: boolean): void;
}

/** Follows a reply to its end and hands it on unchanged. */
export async function followReply(
  response: Response,
  signal: AbortSignal | null,
  steps: ReplySteps,
): Promise<Response> {
  if (!response.body || WITHOUT_BODY.includes(response.status)) {
    steps.end(response.ok);
    return response;
  }
  const type = response.headers.get("content-type") ?? "";
  if (/^application\/([\w.-]+\+)?json\b/i.test(type) && isSmall(response)) {
    // Before it is handed on, so that the view already tells what the reply is about to.
    await readJson(response.clone(), steps);
    return response;
  }
  const feed = /^text\/event-stream\b/i.test(type) ? steps.feed : undefined;
  const body = followBody(response.body, signal, feed, (well) => steps.end(well && response.ok));
  return likeOriginal(response, body);
}

function isSmall(response: Response): boolean {
  // A chunked or compressed body has no length here; JSON replies of chat calls are small.
  return Number(response.headers.get("content-length") ?? 0) <= READ_AT_ONCE;
}

async function readJson(copy: Response, steps: ReplySteps): Promise<void> {
  try {
    steps.receive(await copy.text());
    steps.end(copy.ok);
  } catch {
    // Whoever reads the reply itself meets the same error.
    steps.end(false);
  }
}

/**
 * The same bytes, read from the source only when the reader asks for more, so that a slow reader
 * still slows the server down; a cancelled copy cancels the source.
 */
function followBody(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal | null,
  feed: ((bytes: Uint8Array) => void) | undefined,
  onEnd: (well: boolean) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader();
  let ended = false;
  const end = (well: boolean): void => {
    if (ended) return;
    ended = true;
    signal?.removeEventListener("abort", onAbort);
    onEnd(well);
  };
  // An aborted reader may never ask again, and then no read would tell.
  const onAbort = (): void => end(false);
  signal?.addEventListener("abort", onAbort);

  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            end(true);
            controller.close();
          } else {
            feed?.(value);
            controller.enqueue(value);
          }
        } catch (error) {
          end(false);
          controller.error(error);
        }
      },
      cancel(reason) {
        end(false);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A response made by hand has no address of its own: these say where the original came from. */
function likeOriginal(original: Response, body: ReadableStream<Uint8Array<ArrayBuffer>>): Response {
  const { status, statusText, headers } = original;
  return withOrigin(new Response(body, { status, statusText, headers }), original);
}

function withOrigin(response: Response, { url, redirected, type }: Response): Response {
  const clone = (): Response => withOrigin(Response.prototype.clone.call(response), response);
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
    clone: { value: clone },
  });
}
