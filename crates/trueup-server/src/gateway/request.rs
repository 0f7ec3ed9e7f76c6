//! A chat request as OpenAI's clients send it: what the gateway must know is read, the rest passes.

use serde::Deserialize;
use trueup_core::{Fingerprint, ModelId};
use trueup_protocol::ErrorCode;

use super::members::Members;
use crate::error::ApiError;
use crate::fingerprint;

/// A request that can be admitted.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    members: Members,
    model: ModelId,
    stream: bool,
    said: Said,
}

/// The newest message that is not the assistant's: what the user did to get an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `user`, `system` or `tool`.
    pub role: &'static str,
    /// Its text; parts that are not text are left out.
    pub content: String,
}

impl ChatRequest {
    /// Reads a request body.
    ///
    /// # Errors
    /// [`ApiError`] that names the field at fault.
    pub fn read(members: Members) -> Result<Self, ApiError> {
        let model: String = required(&members, "model", "a model of GET /v1/catalog")?;
        let model = ModelId::new(&model).map_err(|_| ApiError::unknown_model(&model))?;
        let stream = optional(&members, "stream", "true or false")?.unwrap_or(false);
        // One operation is charged once, so it may ask for one answer.
        if optional::<u64>(&members, "n", "1")?.is_some_and(|n| n != 1) {
            return Err(invalid("n", "must be 1: an operation is charged for one answer"));
        }
        if stream {
            let shape = "an object such as {\"include_usage\": true}";
            optional::<Members>(&members, "stream_options", shape)?;
        }
        let said = said(&members)?;
        Ok(Self { members, model, stream, said })
    }

    /// The model asked for.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Whether the answer is to come as events.
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// The newest message that is not the assistant's.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// Tells a retry from another request under the same operation: everything but the model, which
    /// the ledger compares itself, and the way in which the answer travels.
    pub fn fingerprint(&self, conversation: Option<&str>) -> Fingerprint {
        let aside = ["model", "stream", "stream_options"];
        let mut members: Vec<_> =
            self.members.iter().filter(|(name, _)| !aside.contains(name)).collect();
        members.sort_unstable();
        let said = members.into_iter().flat_map(|(name, value)| [name, value]);
        fingerprint::of_texts([conversation.unwrap_or_default()].into_iter().chain(said))
    }

    /// The most tokens that the answer may have.
    pub fn max_tokens(&self) -> Option<u64> {
        let read = |name| self.members.read::<u64>(name).ok().flatten();
        read("max_completion_tokens").or_else(|| read("max_tokens"))
    }

    /// Bytes of all messages: what a simulated prompt is counted by.
    pub fn prompt_bytes(&self) -> usize {
        self.members.get("messages").map_or(0, str::len)
    }

    /// The body for a provider: as it came, with `model` in the place of the model asked for, and
    /// usage asked for in any case, since the last chunk must carry it.
    ///
    /// # Errors
    /// When it cannot be written; never for a body that was read.
    pub fn body_for(&self, model: &ModelId) -> serde_json::Result<Vec<u8>> {
        let mut members = self.members.clone();
        members.set("model", model.as_str())?;
        if self.stream {
            let mut options: Members = members.read("stream_options")?.unwrap_or_default();
            options.set("include_usage", &true)?;
            members.set("stream_options", &options)?;
        }
        serde_json::to_vec(&members)
    }
}

fn said(members: &Members) -> Result<Said, ApiError> {
    let messages: Vec<Members> = required(members, "messages", "an array of objects")?;
    let mut newest = None;
    for (at, message) in messages.iter().enumerate() {
        let role: Option<String> = message.read("role").ok().flatten();
        let role = match role.as_deref() {
            Some("user") => "user",
            Some("system" | "developer") => "system",
            Some("tool" | "function") => "tool",
            Some("assistant") => continue,
            _ => {
                let allowed = "must be system, developer, user, assistant, tool or function";
                return Err(invalid(&format!("messages[{at}].role"), allowed));
            }
        };
        newest = Some((at, role, message));
    }
    let Some((at, role, message)) = newest else {
        return Err(invalid("messages", "must hold a message that is not the assistant's"));
    };
    let content = text_of(message).ok_or_else(|| {
        invalid(&format!("messages[{at}].content"), "must be a text or an array of parts")
    })?;
    Ok(Said { role, content })
}

fn text_of(message: &Members) -> Option<String> {
    if let Ok(text) = message.read::<String>("content") {
        return Some(text.unwrap_or_default());
    }
    let parts: Vec<Members> = message.read("content").ok()??;
    let texts: Vec<String> =
        parts.iter().filter_map(|part| part.read("text").ok().flatten()).collect();
    Some(texts.join("\n"))
}

fn required<'a, T: Deserialize<'a>>(
    members: &'a Members,
    name: &str,
    shape: &str,
) -> Result<T, ApiError> {
    optional(members, name, shape)?
        .ok_or_else(|| invalid(name, &format!("is missing; it must be {shape}")))
}

fn optional<'a, T: Deserialize<'a>>(
    members: &'a Members,
    name: &str,
    shape: &str,
) -> Result<Option<T>, ApiError> {
    members.read(name).map_err(|_| invalid(name, &format!("must be {shape}")))
}

fn invalid(param: &str, message: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidValue, format!("{param} {message}.")).at(param)
}

#[cfg(test)]
mod tests {
    use super::{ChatRequest, Said};
    use trueup_core::ModelId;

    const HELLO: &str = r#"[{"role":"user","content":"hello"}]"#;

    fn parse(body: &str) -> Result<ChatRequest, String> {
        ChatRequest::read(serde_json::from_str(body).unwrap()).map_err(|error| {
            let body = error.envelope("").error;
            format!("{} {}", body.code, body.param.unwrap_or_default())
        })
    }

    #[test]
    fn a_body_is_read_or_the_field_at_fault_is_named() {
        let cases = [
            (r#"{"model":"m","messages":HELLO}"#, Ok(())),
            (
                r#"{"model":"m","messages":HELLO,"stream":null,"n":null,"stream_options":null}"#,
                Ok(()),
            ),
            (r#"{"model":"m","messages":HELLO,"n":1,"stream":true}"#, Ok(())),
            (r#"{"model":"m","messages":HELLO,"n":2}"#, Err("invalid_value n")),
            (r#"{"model":"m","messages":HELLO,"n":1.0}"#, Err("invalid_value n")),
            (r#"{"model":"m","messages":HELLO,"n":"1"}"#, Err("invalid_value n")),
            (r#"{"model":"m","messages":HELLO,"stream":1}"#, Err("invalid_value stream")),
            (
                r#"{"model":"m","messages":HELLO,"stream":true,"stream_options":7}"#,
                Err("invalid_value stream_options"),
            ),
            (r#"{"model":"m n","messages":HELLO}"#, Err("unknown_model model")),
            (r#"{"model":null,"messages":HELLO}"#, Err("invalid_value model")),
            (r#"{"model":7,"messages":HELLO}"#, Err("invalid_value model")),
            (r#"{"messages":HELLO}"#, Err("invalid_value model")),
            (r#"{"model":"m"}"#, Err("invalid_value messages")),
            (r#"{"model":"m","messages":[]}"#, Err("invalid_value messages")),
            (r#"{"model":"m","messages":{}}"#, Err("invalid_value messages")),
            (r#"{"model":"m","messages":["hello"]}"#, Err("invalid_value messages")),
            (r#"{"model":"m","messages":[["user","x"]]}"#, Err("invalid_value messages")),
            (
                r#"{"model":"m","messages":[{"role":"user","role":"tool"}]}"#,
                Err("invalid_value messages"),
            ),
            (
                r#"{"model":"m","messages":[{"content":"x"}]}"#,
                Err("invalid_value messages[0].role"),
            ),
            (r#"{"model":"m","messages":[{"role":7}]}"#, Err("invalid_value messages[0].role")),
            (
                r#"{"model":"m","messages":[{"role":"root"}]}"#,
                Err("invalid_value messages[0].role"),
            ),
            (
                r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
                Err("invalid_value messages[0].content"),
            ),
            (
                r#"{"model":"m","messages":[{"role":"assistant","content":"x"}]}"#,
                Err("invalid_value messages"),
            ),
        ];
        for (body, expected) in cases {
            let body = body.replace("HELLO", HELLO);
            assert_eq!(parse(&body).map(drop), expected.map_err(str::to_owned), "{body}");
        }
    }

    #[test]
    fn the_newest_message_that_is_not_the_assistants_is_what_was_said() {
        let cases = [
            (r#"[{"role":"user","content":"a"},{"role":"user","content":"b"}]"#, ("user", "b")),
            (
                r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#,
                ("user", "a"),
            ),
            (r#"[{"role":"tool","tool_call_id":"1","content":"42"}]"#, ("tool", "42")),
            (r#"[{"role":"developer","content":"be kind"}]"#, ("system", "be kind")),
            (
                r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"b"}]}]"#,
                ("user", "a\nb"),
            ),
            (r#"[{"role":"user","content":null}]"#, ("user", "")),
            (r#"[{"role":"user"}]"#, ("user", "")),
        ];
        for (messages, (role, content)) in cases {
            let request = parse(&format!(r#"{{"model":"m","messages":{messages}}}"#)).unwrap();
            assert_eq!(*request.said(), Said { role, content: content.to_owned() }, "{messages}");
        }
    }

    #[test]
    fn a_provider_gets_the_body_as_it_came_but_for_model_and_usage() {
        let model = ModelId::new("other").unwrap();
        let sent =
            |body: &str| String::from_utf8(parse(body).unwrap().body_for(&model).unwrap()).unwrap();
        assert_eq!(
            sent(&format!(
                r#"{{"x_new":[1.0, {{"a":1e2}}],"model":"m","messages":{HELLO},"temperature":0.70}}"#
            )),
            format!(
                r#"{{"x_new":[1.0, {{"a":1e2}}],"model":"other","messages":{HELLO},"temperature":0.70}}"#
            )
        );
        assert_eq!(
            sent(&format!(
                r#"{{"model":"m","stream":true,"stream_options":{{"include_usage":false,"z":1}},"messages":{HELLO}}}"#
            )),
            format!(
                r#"{{"model":"other","stream":true,"stream_options":{{"include_usage":true,"z":1}},"messages":{HELLO}}}"#
            )
        );
        assert_eq!(
            sent(&format!(r#"{{"model":"m","stream":true,"messages":{HELLO}}}"#)),
            format!(
                r#"{{"model":"other","stream":true,"messages":{HELLO},"stream_options":{{"include_usage":true}}}}"#
            )
        );
    }
}
