//! What a client reads out of replies. Lenient: fields it does not know are left alone.

use trueup_core::{Charge, Map, ModelId, Snapshot};

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
pub fn catalog(body: &str) -> Result<Map<ModelId, Charge>, Malformed> {
    let charge = |model: &Json| read::charge(model.get("charge")?);
    Json::read(body)
        .and_then(|json| read::members(json.get("models")?, ModelId::new, charge))
        .ok_or_else(|| Malformed::new("models", "is no catalog of models"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trueup_core::{
        Cause, Change, Charge, Enforcement, MeterId, MeterReading, OperationId, OperationOutcome,
        OperationState, Snapshot, Timestamp, Units, Version, Window,
    };

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

    fn any_charge() -> impl Strategy<Value = Charge> {
        let lines = prop::collection::btree_map("[a-z][a-z0-9_]{0,5}", 1..=Units::MAX.get(), 0..4);
        lines.prop_map(|lines| {
            let line = |(meter, units): (String, u64)| {
                (MeterId::new(&meter).unwrap(), Units::new(units).unwrap())
            };
            Charge::new(lines.into_iter().map(line)).unwrap()
        })
    }

    fn any_units() -> impl Strategy<Value = Units> {
        (0..=Units::MAX.get()).prop_map(|units| Units::new(units).unwrap())
    }

    fn any_instant() -> impl Strategy<Value = Timestamp> {
        (0..253_402_300_800_000_i64).prop_map(Timestamp::from_millis)
    }

    fn any_meter() -> impl Strategy<Value = (MeterId, MeterReading)> {
        let figures = (prop::option::of(any_units()), any_units(), any_units(), any::<bool>());
        ("[a-z][a-z0-9_]{0,5}", figures, any_instant(), any_instant()).prop_map(
            |(name, (limit, used, held, soft), start, end)| {
                let enforcement = if soft { Enforcement::Soft } else { Enforcement::Hard };
                let window = Window { start, end };
                let reading = MeterReading { limit, used, held, enforcement, window };
                (MeterId::new(&name).unwrap(), reading)
            },
        )
    }

    fn any_operation() -> impl Strategy<Value = OperationOutcome> {
        let id =
            (any_instant(), any::<[u8; 10]>()).prop_map(|(at, it)| OperationId::new_v7(at, it));
        let state = prop::sample::select(OperationState::ALL.to_vec());
        let cause = prop::sample::select(Cause::ALL.to_vec());
        (id, any_units(), state, cause, any_charge(), any_charge()).prop_map(
            |(id, version, state, cause, requested, counted)| OperationOutcome {
                id,
                version: Version(version.get()),
                state,
                cause,
                requested,
                counted,
            },
        )
    }

    fn any_change() -> impl Strategy<Value = Change> {
        let cause = prop::sample::select(Cause::ALL.to_vec());
        (any_units(), cause, "[a-z][a-z0-9_]{0,5}", any::<i64>()).prop_map(
            |(version, cause, meter, units)| Change {
                version: Version(version.get()),
                cause,
                meter: MeterId::new(&meter).unwrap(),
                units,
            },
        )
    }

    fn any_snapshot() -> impl Strategy<Value = Snapshot> {
        let ids = ("[!-~]{1,128}", "[!-~]{1,128}");
        let versions = (any_units(), any_units(), any_instant(), any::<bool>());
        let lists = (
            prop::collection::vec(any_meter(), 0..4),
            prop::collection::vec(any_operation(), 0..4),
            prop::collection::vec(any_change(), 0..4),
        );
        (ids, versions, lists).prop_map(
            |((account, epoch), (since, version, as_of, reset), (meters, operations, changes))| {
                Snapshot {
                    account: account.parse().unwrap(),
                    epoch: epoch.parse().unwrap(),
                    since: Version(since.get()),
                    version: Version(version.get()),
                    as_of,
                    reset,
                    meters: meters.into_iter().collect(),
                    operations,
                    changes,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_the_server_writes_is_read_as_it_was_meant(snapshot in any_snapshot()) {
            let body = serde_json::to_string(&crate::snapshot::Snapshot::from(&snapshot)).unwrap();
            prop_assert_eq!(snapshot_in(&body), Some(snapshot));
        }

        #[test]
        fn no_body_panics(body in "\\PC{0,60}") {
            let _ = (snapshot_in(&body), error_code(&body), catalog(&body));
        }
    }
}
