//! The built-in provider: scripted, deterministic, and without a network.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use trueup_core::ModelId;

use super::{ProviderError, Reply};
use crate::clock::Clock;
use crate::config::SimulatedProvider;
use crate::gateway::completion::{Completion, FinishReason, TokenUsage};
use crate::gateway::request::ChatRequest;
use crate::gateway::sse;

/// A scripted provider.
#[derive(Clone, Debug)]
pub struct Simulated {
    script: Arc<SimulatedProvider>,
    clock: Clock,
}

impl Simulated {
    /// A provider that follows `script`.
    pub fn new(script: SimulatedProvider, clock: Clock) -> Self {
        Self { script: Arc::new(script), clock }
    }

    pub(super) async fn ask(
        &self,
        request: &ChatRequest,
        model: &ModelId,
    ) -> Result<Reply, ProviderError> {
        if self.script.failing_models.contains(model) {
            return Err(ProviderError::Injected);
        }
        let answer = Answer::to(request, model, self.script.tokens);
        let completion = self.completion(model)?;
        if request.stream() {
            let chunks = answer.chunks(&completion).map_err(|error| broken(&error))?;
            return Ok(Reply::Stream(paced(chunks, &self.script)));
        }
        let tokens = u32::try_from(answer.tokens.len()).unwrap_or(u32::MAX);
        let speaking = token_interval(&self.script).saturating_mul(tokens);
        tokio::time::sleep(self.script.first_token_delay + speaking).await;
        let text = answer.tokens.concat();
        let whole = completion.whole(&text, answer.finish_reason, Some(answer.usage));
        Ok(Reply::Whole(whole.map_err(|error| broken(&error))?))
    }

    fn completion(&self, model: &ModelId) -> Result<Completion, ProviderError> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| broken(&error))?;
        Ok(Completion {
            id: format!("chatcmpl-{:032x}", u128::from_be_bytes(name)),
            created: self.clock.now().millis() / 1000,
            model: model.as_str().to_owned(),
        })
    }
}

fn token_interval(script: &SimulatedProvider) -> Duration {
    Duration::from_secs(1).checked_div(script.tokens_per_second).unwrap_or_default()
}

fn broken(error: &impl ToString) -> ProviderError {
    ProviderError::Broken(error.to_string())
}

// The role, the tokens, the finish, the usage, the end: only tokens take time.
fn paced(
    chunks: VecDeque<(Bytes, bool)>,
    script: &SimulatedProvider,
) -> futures::stream::BoxStream<'static, Result<Bytes, ProviderError>> {
    let (first, next) = (script.first_token_delay, token_interval(script));
    futures::stream::unfold((chunks, first), move |(mut chunks, delay)| async move {
        let (chunk, is_token) = chunks.pop_front()?;
        if !is_token {
            return Some((Ok(chunk), (chunks, delay)));
        }
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        Some((Ok(chunk), (chunks, next)))
    })
    .boxed()
}

struct Answer {
    tokens: Vec<String>,
    finish_reason: FinishReason,
    usage: TokenUsage,
}

impl Answer {
    fn to(request: &ChatRequest, model: &ModelId, tokens: Option<u32>) -> Self {
        let text = compose(&request.said().content, model);
        let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
        let length = tokens.map_or(words.len(), |count| count as usize);
        let asked = request.max_tokens().map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        let kept = asked.map_or(length, |most| most.min(length));
        let finish_reason = if kept < length { FinishReason::Length } else { FinishReason::Stop };
        let tokens: Vec<_> = words.into_iter().cycle().take(kept).collect();
        // Four bytes a token: the rule of thumb that OpenAI gives for English.
        let prompt_tokens = request.prompt_bytes().div_ceil(4);
        let usage = TokenUsage::new(prompt_tokens as u64, tokens.len() as u64);
        Self { tokens, finish_reason, usage }
    }

    fn chunks(&self, it: &Completion) -> serde_json::Result<VecDeque<(Bytes, bool)>> {
        let mut chunks = VecDeque::from([(it.role_chunk()?, false)]);
        for token in &self.tokens {
            chunks.push_back((it.text_chunk(token)?, true));
        }
        chunks.push_back((it.finish_chunk(self.finish_reason)?, false));
        chunks.push_back((it.usage_chunk(Some(self.usage))?, false));
        chunks.push_back((Bytes::from_static(sse::DONE), false));
        Ok(chunks)
    }
}

fn compose(said: &str, model: &ModelId) -> String {
    const BODIES: [&str; 4] = [
        "Nothing here was thought about for long: the words are scripted, and only the counting \
         is real. One message was set aside before the first word and is charged with the last. \
         Stop me in the middle and see what the meter does.",
        "I would start small: write down what must be true, make it visible, and let the numbers \
         argue. The meter beside this text is such a number, and it was right before I began, \
         while I speak, and after I end.",
        "There are three good answers to that and one of them is tea. While it draws, look at \
         the meter: held while I speak, used when I am done, and given back if I fail. It does \
         not guess.",
        "Short answer: yes, with care. Long answer: every message is an operation with a name of \
         its own, so asking twice by accident is asking once, and a lost reply is found again by \
         its name.",
    ];
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut quoted: String = line.chars().take(60).collect();
    if quoted.len() < line.len() {
        quoted.push('…');
    }
    let pick = line.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(byte));
    let body = BODIES.get(pick % BODIES.len()).copied().unwrap_or_default();
    if quoted.is_empty() {
        return format!("This is {model}. {body}");
    }
    format!("This is {model}, about “{quoted}”. {body}")
}

#[cfg(test)]
mod tests {
    use super::Simulated;
    use crate::clock::Clock;
    use crate::config::SimulatedProvider;
    use crate::gateway::provider::{ProviderError, Reply};
    use crate::gateway::request::ChatRequest;
    use futures::StreamExt;
    use serde_json::Value;
    use std::time::Duration;
    use trueup_core::ModelId;

    fn request(more: &str) -> ChatRequest {
        let body = format!(
            r#"{{"model":"gpt-5","messages":[{{"role":"user","content":"Is it raining?"}}]{more}}}"#
        );
        ChatRequest::read(serde_json::from_str(&body).unwrap()).unwrap()
    }

    fn instant() -> SimulatedProvider {
        SimulatedProvider {
            first_token_delay: Duration::ZERO,
            tokens_per_second: 0,
            ..SimulatedProvider::default()
        }
    }

    async fn ask(script: SimulatedProvider, more: &str) -> Result<Reply, ProviderError> {
        let provider = Simulated::new(script, Clock::system());
        provider.ask(&request(more), &ModelId::new("gpt-5").unwrap()).await
    }

    async fn whole(more: &str) -> Value {
        match ask(instant(), more).await {
            Ok(Reply::Whole(body)) => serde_json::from_slice(&body).unwrap(),
            _ => panic!("no whole reply"),
        }
    }

    #[tokio::test]
    async fn a_stream_says_the_same_as_the_whole_and_ends_with_its_usage() {
        let Ok(Reply::Stream(stream)) = ask(instant(), r#","stream":true"#).await else {
            panic!("no stream");
        };
        let mut data: Vec<_> = stream.map(Result::unwrap).collect().await;
        assert_eq!(data.pop().unwrap(), "[DONE]");
        let chunks: Vec<Value> =
            data.iter().map(|data| serde_json::from_slice(data).unwrap()).collect();
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        let whole = whole("").await;
        assert_eq!(whole["choices"][0]["message"]["content"], text.as_str());
        assert!(text.contains("Is it raining?") && text.split(' ').count() > 20, "{text}");
        let usage = &chunks.last().unwrap()["usage"];
        assert_eq!(*usage, whole["usage"]);
        assert_eq!(usage["completion_tokens"], text.split(' ').count());
    }

    #[tokio::test]
    async fn an_answer_stops_at_the_tokens_asked_for() {
        for (more, tokens, reason) in [
            (r#","max_tokens":3"#, 3, "length"),
            (r#","max_completion_tokens":2,"max_tokens":9"#, 2, "length"),
            (r#","max_tokens":0"#, 0, "length"),
        ] {
            let body = whole(more).await;
            assert_eq!(body["usage"]["completion_tokens"], tokens, "{more}");
            assert_eq!(body["choices"][0]["finish_reason"], reason, "{more}");
        }
        assert_eq!(whole("").await["choices"][0]["finish_reason"], "stop");
    }

    #[tokio::test]
    async fn a_script_sets_the_length_and_who_fails() {
        let script = SimulatedProvider { tokens: Some(500), ..instant() };
        let Ok(Reply::Whole(body)) = ask(script, "").await else { panic!("no reply") };
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["usage"]["completion_tokens"], 500);

        let failing_models = vec![ModelId::new("gpt-5").unwrap()];
        let refused = ask(SimulatedProvider { failing_models, ..instant() }, "").await;
        assert!(matches!(refused, Err(ProviderError::Injected)));
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_come_at_the_speed_of_the_script() {
        let script = SimulatedProvider {
            tokens: Some(11),
            tokens_per_second: 10,
            ..SimulatedProvider::default()
        };
        let started = tokio::time::Instant::now();
        let Ok(Reply::Stream(stream)) = ask(script.clone(), r#","stream":true"#).await else {
            panic!("no stream");
        };
        stream.for_each(|_| std::future::ready(())).await;
        let expected = script.first_token_delay.as_millis() + 1000;
        assert!((expected..expected + 50).contains(&started.elapsed().as_millis()));
    }
}
