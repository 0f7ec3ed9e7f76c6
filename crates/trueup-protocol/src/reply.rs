//! What a client reads out of replies. Lenient: fields it does not know are left alone.

use std::collections::BTreeMap;

use trueup_core::{Charge, ModelId, Snapshot};

use crate::decode::Malformed;
use crate::json::Json;
use crate::read;

/// Finds the snapshot in a reply: the reply itself, `trueup` in a chat reply or chunk, `usage` in
/// an error. `None` when there is none.
pub fn snapshot_in(body: &str) -> Option<Snapshot> {
    let json = Json::read(body)?;
    let carried = json.get("trueup").or_else(|| json.get("usage"));
    read::snapshot(carried.unwrap_or(&json))
}

/// The code of an error reply, when it is one of ours.
pub fn error_code(body: &str) -> Option<String> {
    let json = Json::read(body)?;
    json.get("error")?.get("code")?.text().map(str::to_owned)
}

/// Reads `GET /v1/catalog`: model -> charge.
///
/// # Errors
/// When the body is no catalog.
pub fn catalog(body: &str) -> Result<BTreeMap<ModelId, Charge>, Malformed> {
    let model = |(name, model): &(String, Json)| {
        Some((ModelId::new(name).ok()?, read::charge(model.get("charge")?)?))
    };
    let read = |json: Json| json.get("models")?.members()?.iter().map(model).collect();
    Json::read(body).and_then(read).ok_or_else(|| Malformed::new("models", "is no catalog of models"))
}

#[cfg(test)]
mod tests {
    use super::{catalog, error_code, snapshot_in};

    const SNAPSHOT: &str = r#"{"account":"acct_7","epoch":"e1","since":41,"version":44,
        "as_of":"2026-11-24T03:00:00Z","reset":false,"later_field":[1],
        "meters":{"premium_messages":{"limit":100,"used":37,"held":1,"enforcement":"hard",
          "window":{"start":"2026-11-01T00:00:00Z","end":"2026-12-01T00:00:00Z"}}},
        "operations":[{"id":"01932f5c-7d2a-7c3e-9a1b-0123456789ab","version":43,"state":"settled",
          "cause":"fallback","requested":{"premium_messages":1},"charged":{"standard_messages":1}}],
        "changes":[{"version":44,"cause":"grant","meter":"premium_messages","units":50}]}"#;

    #[test]
    fn the_snapshot_is_found_wherever_it_travels() {
        let plain = snapshot_in(SNAPSHOT).unwrap();
        assert_eq!(plain.version.0, 44);
        let chunk = format!(
            r#"{{"id":"x","choices":[],"usage":{{"total_tokens":3}},"trueup":{SNAPSHOT}}}"#
        );
        assert_eq!(snapshot_in(&chunk), Some(plain.clone()));
        let error = format!(r#"{{"error":{{"code":"usage_limit_exceeded"}},"usage":{SNAPSHOT}}}"#);
        assert_eq!(snapshot_in(&error), Some(plain));
        assert_eq!(error_code(&error).as_deref(), Some("usage_limit_exceeded"));
    }

    #[test]
    fn what_carries_no_snapshot_gives_none() {
        for body in ["", "[]", "{}", r#"{"usage":{"total_tokens":3}}"#, r#"{"trueup":null}"#] {
            assert_eq!(snapshot_in(body), None, "{body}");
        }
        for (from, to) in [
            ("\"used\":37", "\"used\":9007199254740992"),
            ("\"used\":37", "\"used\":-1"),
            ("\"used\":37", "\"used\":1.5"),
            ("hard", "harder"),
            ("03:00:00Z", "03:00:00+01:00"),
            ("settled", "sold"),
        ] {
            assert_eq!(snapshot_in(&SNAPSHOT.replace(from, to)), None, "{to}");
        }
    }

    #[test]
    fn a_catalog_is_read_leniently_and_checked() {
        let read =
            catalog(r#"{"models":{"gpt-5":{"charge":{"tokens":2},"fallback":[]}},"meters":[]}"#);
        assert_eq!(read.unwrap().len(), 1);
        assert!(catalog(r#"{"models":{"gpt-5":{"charge":{"tokens":0}}}}"#).is_err());
        assert!(catalog("{}").is_err());
    }
}
