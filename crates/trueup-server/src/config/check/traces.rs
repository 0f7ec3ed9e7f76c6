//! Where traces go. OpenTelemetry has variables of its own for that, which hold where ours is not set.

use super::{SettingsError, Sources};
use crate::config::TracesSettings;

/// What a collector's address is continued with.
const PATH: &str = "/v1/traces";
/// The address for traces alone, which is taken as it is, and that for everything.
const VARIABLES: [(&str, &str); 2] =
    [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""), ("OTEL_EXPORTER_OTLP_ENDPOINT", PATH)];

pub(super) fn read(
    setting: Option<&str>,
    sources: &Sources,
) -> Result<Option<TracesSettings>, SettingsError> {
    let Some((key, address, path)) = address(setting, sources) else { return Ok(None) };
    let endpoint = format!("{}{path}", address.trim_end_matches('/'));
    let endpoint = reqwest::Url::parse(&endpoint).ok().filter(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none();
        ["http", "https"].contains(&url.scheme())
            && is_bare
            && !url.path().ends_with(&PATH.repeat(2))
    });
    let Some(endpoint) = endpoint else {
        let problem = "must be the address of a collector that takes OTLP over HTTP, as \
                       http://127.0.0.1:4318; what opens it belongs into OTEL_EXPORTER_OTLP_HEADERS";
        return Err(SettingsError::new(key, problem));
    };
    let service_name = sources.variable("OTEL_SERVICE_NAME").map(ToOwned::to_owned);
    Ok(Some(TracesSettings { endpoint, service_name }))
}

/// The address, by what it was said, and what it is continued with.
fn address<'a>(
    setting: Option<&'a str>,
    sources: &'a Sources,
) -> Option<(&'static str, &'a str, &'static str)> {
    if let Some(address) = setting {
        return Some(("otlp_endpoint", address, PATH)).filter(|_| !address.is_empty());
    }
    let is_off =
        sources.variable("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
            || sources.variable("OTEL_TRACES_EXPORTER") == Some("none");
    let found = |(name, path)| Some((name, sources.variable(name)?, path));
    VARIABLES.into_iter().find_map(found).filter(|_| !is_off)
}
