/** One step of a streamed reply, as far as a reader of the chat cares. */
export type ReplyEvent =
  | { readonly type: "text"; readonly text: string; readonly model: string | undefined }
  | { readonly type: "error"; readonly message: string }
  | { readonly type: "end" };

interface Chunk {
  readonly model?: string;
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly error?: { readonly message?: string };
}

/** Reads a server-sent stream of chat chunks. It ends with `end` only if the server said so. */
export async function* replyEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ReplyEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as Decoder).getReader();
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data:")) yield* readData(line.slice("data:".length).trim());
    }
  }
}

type Decoder = ReadableWritablePair<string, Uint8Array>;

function* readData(data: string): Generator<ReplyEvent> {
  if (data === "[DONE]") {
    yield { type: "end" };
    return;
  }
  const { model, choices = [], error } = JSON.parse(data) as Chunk;
  if (error) yield { type: "error", message: error.message ?? "the reply broke off" };
  const text = choices[0]?.delta?.content;
  if (text) yield { type: "text", text, model };
}
