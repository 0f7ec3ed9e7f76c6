//! Chat completions that are made here: by the simulation, and from what was saved.

use bytes::Bytes;
use serde::Serialize;

/// What every part of one completion repeats.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Its id.
    pub id: String,
    /// Seconds since 1970.
    pub created: i64,
    /// The model that answered.
    pub model: String,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was complete.
    Stop,
    /// It reached the most tokens asked for.
    Length,
}

/// What an answer used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TokenUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl TokenUsage {
    /// So many tokens in, so many out.
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        let total_tokens = prompt_tokens.saturating_add(completion_tokens);
        Self { prompt_tokens, completion_tokens, total_tokens }
    }
}

#[derive(Serialize)]
struct Body<'a, C> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<TokenUsage>>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u8,
    delta: Delta<'a>,
    finish_reason: Option<FinishReason>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Serialize)]
struct WholeChoice<'a> {
    index: u8,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: FinishReason,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<()>,
}

impl Completion {
    /// The chunk that opens a stream.
    pub fn role_chunk(&self) -> serde_json::Result<Bytes> {
        self.chunk(Delta { role: Some("assistant"), content: Some("") }, None)
    }

    /// A chunk of text.
    pub fn text_chunk(&self, text: &str) -> serde_json::Result<Bytes> {
        self.chunk(Delta { role: None, content: Some(text) }, None)
    }

    /// The chunk that says why the answer ended.
    pub fn finish_chunk(&self, reason: FinishReason) -> serde_json::Result<Bytes> {
        self.chunk(Delta::default(), Some(reason))
    }

    /// The chunk without choices that ends a stream.
    pub fn usage_chunk(&self, usage: Option<TokenUsage>) -> serde_json::Result<Bytes> {
        self.body::<()>("chat.completion.chunk", &[], Some(usage))
    }

    /// The whole completion in one body.
    pub fn whole(
        &self,
        text: &str,
        reason: FinishReason,
        usage: Option<TokenUsage>,
    ) -> serde_json::Result<Bytes> {
        let message = Message { role: "assistant", content: text, refusal: None };
        let choice = WholeChoice { index: 0, message, logprobs: None, finish_reason: reason };
        self.body("chat.completion", &[choice], usage.map(Some))
    }

    fn chunk(
        &self,
        delta: Delta<'_>,
        finish_reason: Option<FinishReason>,
    ) -> serde_json::Result<Bytes> {
        let choice = ChunkChoice { index: 0, delta, finish_reason };
        self.body("chat.completion.chunk", &[choice], None)
    }

    fn body<C: Serialize>(
        &self,
        object: &'static str,
        choices: &[C],
        usage: Option<Option<TokenUsage>>,
    ) -> serde_json::Result<Bytes> {
        let (id, created, model) = (&*self.id, self.created, &*self.model);
        serde_json::to_vec(&Body { id, object, created, model, choices, usage }).map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::{Completion, FinishReason, TokenUsage};

    #[test]
    fn chunks_and_bodies_have_the_shape_that_openais_clients_read() {
        let it = Completion { id: "c-1".to_owned(), created: 7, model: "m".to_owned() };
        let head =
            r#"{"id":"c-1","object":"chat.completion.chunk","created":7,"model":"m","choices""#;
        let usage = TokenUsage::new(2, 3);
        let usage_text = r#"{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}"#;
        let cases = [
            (
                it.role_chunk(),
                format!(
                    r#"{head}:[{{"index":0,"delta":{{"role":"assistant","content":""}},"finish_reason":null}}]}}"#
                ),
            ),
            (
                it.text_chunk("é"),
                format!(
                    r#"{head}:[{{"index":0,"delta":{{"content":"é"}},"finish_reason":null}}]}}"#
                ),
            ),
            (
                it.finish_chunk(FinishReason::Length),
                format!(r#"{head}:[{{"index":0,"delta":{{}},"finish_reason":"length"}}]}}"#),
            ),
            (it.usage_chunk(Some(usage)), format!(r#"{head}:[],"usage":{usage_text}}}"#)),
            (it.usage_chunk(None), format!(r#"{head}:[],"usage":null}}"#)),
            (
                it.whole("hi", FinishReason::Stop, Some(usage)),
                format!(
                    r#"{{"id":"c-1","object":"chat.completion","created":7,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"hi","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{usage_text}}}"#
                ),
            ),
        ];
        for (written, expected) in cases {
            assert_eq!(String::from_utf8(written.unwrap().to_vec()).unwrap(), expected);
        }
    }
}
