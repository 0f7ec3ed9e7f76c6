//! What the gateway must know of a provider's answer: whether a piece is a token, what to save, and
//! how to end it with usage and snapshot. All else passes unread.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use trueup_protocol::snapshot::Snapshot;

use super::members::Members;
use super::provider::ProviderError;

/// An answer is kept until it is saved; no model says so much.
const LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// The member that holds the account's snapshot. It is ours alone: an upstream that is itself a
/// Trueup sends the one of its own account there, and browsers believe what they find.
pub(super) const SNAPSHOT: &str = "trueup";

/// What one chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Says nothing yet: a role, or a provider's own remark.
    Silent,
    /// A part of the answer.
    Token,
    /// Why the answer ended.
    Finish,
    /// The usage without choices: kept back, since the snapshot must go with it.
    Usage,
}

/// A streamed answer as far as it came.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    text: String,
    newest: Option<Bytes>,
    usage: Option<Box<RawValue>>,
    finished: bool,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u64,
    #[serde(default)]
    delta: Option<Members>,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
}

impl Assembly {
    /// Takes the data of the next event that is not the end, and gives back what may be passed on.
    ///
    /// # Errors
    /// [`ProviderError`] when it is an error, or nothing that can be read.
    pub(super) fn take(&mut self, mut data: Bytes) -> Result<(Bytes, Piece), ProviderError> {
        let mut chunk: Members = serde_json::from_slice(&data).map_err(|error| unread(&error))?;
        check_error(&chunk)?;
        if chunk.get(SNAPSHOT).is_some() {
            chunk.remove(SNAPSHOT);
            data = serde_json::to_vec(&chunk).map_err(|error| unread(&error))?.into();
        }
        let piece = self.read(&data, &chunk)?;
        Ok((data, piece))
    }

    fn read(&mut self, data: &Bytes, chunk: &Members) -> Result<Piece, ProviderError> {
        let usage: Option<&RawValue> = chunk.read("usage").map_err(|error| unread(&error))?;
        let choices: Vec<Choice<'_>> =
            chunk.read("choices").map_err(|error| unread(&error))?.unwrap_or_default();
        let has_usage = usage.is_some();
        if let Some(usage) = usage {
            self.usage = Some(usage.to_owned());
        }
        self.newest = Some(data.clone());
        if choices.is_empty() {
            return Ok(if has_usage { Piece::Usage } else { Piece::Silent });
        }
        let mut piece = Piece::Silent;
        for choice in choices {
            let delta = choice.delta.unwrap_or_default();
            if choice.index == 0
                && let Ok(Some(text)) = delta.read::<String>("content")
            {
                self.text.push_str(&text);
            }
            if self.text.len() > LIMIT_BYTES {
                return Err(ProviderError::Broken(format!(
                    "it is longer than {LIMIT_BYTES} bytes"
                )));
            }
            if delta.iter().any(|(name, value)| name != "role" && says_something(value)) {
                piece = Piece::Token;
            }
            if let Some(reason) = choice.finish_reason {
                check_finish(reason)?;
                self.finished = true;
                piece = if piece == Piece::Token { piece } else { Piece::Finish };
            }
        }
        Ok(piece)
    }

    /// Whether the answer said why it ended: then the stream may end without its closing event.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The chunk that ends the stream: the newest one without choices, with usage and snapshot.
    ///
    /// # Errors
    /// When it cannot be written; never for chunks that were read.
    pub(super) fn last_chunk(&self, snapshot: Option<&Snapshot>) -> serde_json::Result<Bytes> {
        let mut last: Members = match &self.newest {
            Some(newest) => serde_json::from_slice(newest)?,
            None => Members::default(),
        };
        last.set("choices", &[(); 0])?;
        last.set("usage", &self.usage)?;
        set_snapshot(&mut last, snapshot)?;
        serde_json::to_vec(&last).map(Bytes::from)
    }
}

/// An answer that came whole.
#[derive(Debug)]
pub(super) struct Whole {
    members: Members,
    text: String,
}

#[derive(Deserialize)]
struct WholeChoice<'a> {
    message: WholeMessage,
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WholeMessage {
    #[serde(default)]
    content: Option<String>,
}

impl Whole {
    /// Reads a body.
    ///
    /// # Errors
    /// [`ProviderError`] when it is an error, or no completion.
    pub(super) fn read(body: &[u8]) -> Result<Self, ProviderError> {
        let unread = |error| ProviderError::Broken(format!("a body that cannot be read: {error}"));
        let members: Members = serde_json::from_slice(body).map_err(unread)?;
        check_error(&members)?;
        let choices: Vec<WholeChoice<'_>> =
            members.read("choices").map_err(unread)?.unwrap_or_default();
        for reason in choices.iter().filter_map(|choice| choice.finish_reason) {
            check_finish(reason)?;
        }
        let first = choices.into_iter().next();
        let first =
            first.ok_or_else(|| ProviderError::Broken("a body without a choice".to_owned()))?;
        let text = first.message.content.unwrap_or_default();
        Ok(Self { members, text })
    }

    /// The answer's text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The body as it came, with the snapshot.
    ///
    /// # Errors
    /// When it cannot be written; never for a body that was read.
    pub(super) fn body(mut self, snapshot: Option<&Snapshot>) -> serde_json::Result<Bytes> {
        set_snapshot(&mut self.members, snapshot)?;
        serde_json::to_vec(&self.members).map(Bytes::from)
    }
}

fn unread(error: &serde_json::Error) -> ProviderError {
    ProviderError::Broken(format!("an event that cannot be read: {error}"))
}

fn check_error(members: &Members) -> Result<(), ProviderError> {
    match members.get("error").filter(|error| *error != "null") {
        Some(error) => Err(ProviderError::Reported(error.to_owned())),
        None => Ok(()),
    }
}

// Routers in front of many models say so of one that failed in the middle of its answer.
fn check_finish(reason: &RawValue) -> Result<(), ProviderError> {
    match serde_json::from_str::<String>(reason.get()) {
        Ok(reason) if reason == "error" => {
            Err(ProviderError::Reported("finish_reason is \"error\"".to_owned()))
        }
        _ => Ok(()),
    }
}

fn set_snapshot(members: &mut Members, snapshot: Option<&Snapshot>) -> serde_json::Result<()> {
    match snapshot {
        Some(snapshot) => members.set(SNAPSHOT, snapshot),
        None => {
            members.remove(SNAPSHOT);
            Ok(())
        }
    }
}

// Empty texts, lists and objects open many streams and say nothing.
fn says_something(value: &str) -> bool {
    let inside = value.strip_prefix(['[', '{']).unwrap_or(value).trim_start();
    !matches!(inside, "null" | "false" | "\"\"" | "]" | "}")
}

#[cfg(test)]
mod tests {
    use super::{Assembly, Piece, Whole};
    use bytes::Bytes;

    #[test]
    fn a_chunk_is_told_by_what_it_says() {
        let cases = [
            (
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
                Piece::Silent,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[]}}]}"#,
                Piece::Silent,
            ),
            (r#"{"choices":[{"index":0,"delta":{}}]}"#, Piece::Silent),
            (r#"{"choices":[{"index":0}]}"#, Piece::Silent),
            (r#"{"choices":[],"prompt_filter_results":[]}"#, Piece::Silent),
            (r#"{"choices":null,"usage":null}"#, Piece::Silent),
            (r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#, Piece::Token),
            (r#"{"choices":[{"index":0,"delta":{"content":" "}}]}"#, Piece::Token),
            (r#"{"choices":[{"index":0,"delta":{"content":"\""}}]}"#, Piece::Token),
            (r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}"#, Piece::Token),
            (r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}"#, Piece::Token),
            (
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
                Piece::Token,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"total_tokens":1}}"#,
                Piece::Finish,
            ),
            (r#"{"choices":[{"index":0,"delta":{},"finish_reason":null}]}"#, Piece::Silent),
            (r#"{"choices":[],"usage":{"total_tokens":1}}"#, Piece::Usage),
        ];
        for (chunk, piece) in cases {
            let taken = Assembly::default().take(Bytes::from_static(chunk.as_bytes()));
            assert_eq!(taken.unwrap(), (Bytes::from_static(chunk.as_bytes()), piece), "{chunk}");
        }
    }

    #[test]
    fn an_error_or_a_chunk_that_cannot_be_read_ends_the_answer() {
        for chunk in [
            r#"{"error":{"message":"overloaded"}}"#,
            "{",
            "[]",
            "7",
            r#"{"choices":7}"#,
            "hello",
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"\u0065rror"}]}"#,
        ] {
            assert!(
                Assembly::default().take(Bytes::from_static(chunk.as_bytes())).is_err(),
                "{chunk}"
            );
        }
    }

    #[test]
    fn only_a_chunk_with_a_snapshot_is_written_anew() {
        let nested = r#"{"choices":[ ],"trueup2":1.0,"x":{"trueup":1}}"#;
        for (chunk, passed) in [
            (r#"{"trueup":{"version":9},"choices":[ ],"n":1.0}"#, r#"{"choices":[ ],"n":1.0}"#),
            (r#"{"choices":[],"true\u0075p":null}"#, r#"{"choices":[]}"#),
            (nested, nested),
        ] {
            let taken = Assembly::default().take(Bytes::from_static(chunk.as_bytes()));
            assert_eq!(taken.unwrap().0, passed, "{chunk}");
        }
    }

    fn ended(chunks: &[&str]) -> String {
        let mut assembly = Assembly::default();
        for chunk in chunks {
            assembly.take(Bytes::copy_from_slice(chunk.as_bytes())).unwrap();
        }
        String::from_utf8(assembly.last_chunk(None).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_last_chunk_is_the_providers_own_without_what_is_not_ours() {
        let text =
            r#"{"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"a"}}],"fp":1.0}"#;
        let usage =
            r#"{"id":"x","choices":[],"usage":{"total_tokens":1.0},"trueup":{"version":9}}"#;
        assert_eq!(
            ended(&[text, usage]),
            r#"{"id":"x","choices":[],"usage":{"total_tokens":1.0}}"#
        );
        assert_eq!(ended(&[text]), r#"{"id":"x","model":"m","choices":[],"fp":1.0,"usage":null}"#);
        assert_eq!(ended(&[]), r#"{"choices":[],"usage":null}"#);
    }

    #[test]
    fn text_is_put_together_from_the_first_choice() {
        let mut assembly = Assembly::default();
        for chunk in [
            r#"{"choices":[{"index":0,"delta":{"content":"a\u00e9"}},{"index":1,"delta":{"content":"x"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":null}}]}"#,
            r#"{"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]}"#,
        ] {
            assembly.take(Bytes::from_static(chunk.as_bytes())).unwrap();
        }
        assert_eq!((assembly.text(), assembly.is_finished()), ("aéb", true));
    }

    #[test]
    fn an_answer_that_never_ends_is_cut_off() {
        let words = "x".repeat(1024 * 1024);
        let chunk = format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{words}"}}}}]}}"#);
        let chunk = Bytes::from(chunk);
        let mut assembly = Assembly::default();
        let taken = (0..9).map(|_| assembly.take(chunk.clone())).take_while(Result::is_ok).count();
        assert_eq!(taken, 8);
    }

    #[test]
    fn a_whole_answer_is_read_and_passed_as_it_came() {
        let body = r#"{"id":"x","choices":[{"message":{"role":"assistant","content":"hi"},"n":1.0}],"new":[ 1 ]}"#;
        let whole = Whole::read(body.as_bytes()).unwrap();
        assert_eq!(whole.text(), "hi");
        assert_eq!(whole.body(None).unwrap(), body);
        for body in [
            "",
            "[]",
            "{}",
            r#"{"choices":[]}"#,
            r#"{"error":{"message":"no"}}"#,
            r#"{"choices":[{"message":{"content":"a"},"finish_reason":"error"}]}"#,
        ] {
            assert!(Whole::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
