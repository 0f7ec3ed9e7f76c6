//! Settings as operators write them, rightly and wrongly.

use std::time::Duration;

use trueup_core::{Enforcement, ModelId, Units};

use super::{
    Flags, LogFormat, OnExpiry, ProviderSettings, Settings, SettingsError, SimulatedProvider,
    Sources,
};
use crate::config::WindowRule;

const SOUND: &str = r#"
default_plan = "free"
[models.big]
charge = { premium = 1 }
fallback = ["small"]
[models.small]
charge = { standard = 1 }
[plans.free.meters.premium]
limit = 5
window = "month"
[plans.free.meters.standard]
window = { days = 30 }
enforcement = "soft"
"#;

fn sources(text: &str, env: &[(&str, &str)]) -> Sources {
    Sources {
        file_name: "trueup.toml".to_owned(),
        file_text: text.to_owned(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        flags: Flags::default(),
    }
}

fn load(text: &str, env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    sources(text, env).load()
}

#[test]
fn a_short_file_is_enough() {
    let settings = load(SOUND, &[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(settings.database_url.expose(), "sqlite:trueup.db");
    assert_eq!(
        (settings.hold_ttl_s, settings.max_connections, settings.max_requests),
        (120, 16_384, 4096)
    );
    assert_eq!(settings.on_expiry, OnExpiry::Release);
    assert_eq!(settings.log, LogFormat::Text);
    assert!(!settings.demo && settings.auth.jwt_secret.is_none());

    let plan = &settings.catalog.plans["free"];
    let premium = &plan.meters[&"premium".parse().unwrap()];
    assert_eq!((premium.limit, premium.window), (Units::new(5), WindowRule::Month));
    assert_eq!(premium.enforcement, Enforcement::Hard);
    let standard = &plan.meters[&"standard".parse().unwrap()];
    assert_eq!((standard.limit, standard.window), (None, WindowRule::Days(30)));
    assert_eq!(standard.enforcement, Enforcement::Soft);
    let big: ModelId = "big".parse().unwrap();
    assert_eq!(settings.catalog.models[&big].fallback, ["small".parse().unwrap()]);
}

#[test]
fn the_committed_file_is_sound() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../trueup.toml");
    let settings = load(&std::fs::read_to_string(path).unwrap(), &[]).unwrap();
    assert_eq!(settings.catalog.default_plan, "free");
    assert!(matches!(settings.providers[..], [ProviderSettings::Simulated(_)]));
}

#[test]
fn the_environment_wins_over_the_file_and_flags_win_over_both() {
    let text = format!("listen = \"127.0.0.1:1\"\nhold_ttl_s = 60\n{SOUND}");
    let env = [("TRUEUP_LISTEN", "127.0.0.1:2"), ("TRUEUP_HOLD_TTL_S", "30"), ("HOME", "/")];
    let mut sources = sources(&text, &env);
    let settings = sources.load().unwrap();
    assert_eq!((settings.listen.port(), settings.hold_ttl_s), (2, 30));
    sources.flags.listen = Some("127.0.0.1:3".to_owned());
    assert_eq!(sources.load().unwrap().listen.port(), 3);
}

#[test]
fn every_kind_of_variable_is_read() {
    let secret = "12345678901234567890123456789012";
    let settings = load(
        SOUND,
        &[
            ("TRUEUP_JWT_SECRET", secret),
            ("TRUEUP_API_KEY", "first-key-0123456, second-key-012345"),
            ("TRUEUP_CORS_ORIGINS", "https://a.example,http://localhost:3000"),
            ("TRUEUP_ON_EXPIRY", "charge"),
            ("TRUEUP_LOG", "json"),
            ("TRUEUP_SHUTDOWN_GRACE_S", "0"),
            ("TRUEUP_SWEEP_INTERVAL_MS", "50"),
            ("TRUEUP_MAX_CONNECTIONS", "100"),
            ("TRUEUP_JWKS_URL", ""),
            ("TRUEUP_CONFIG", "elsewhere.toml"),
        ],
    );
    let settings = settings.unwrap();
    // A secret of digits is text all the same.
    assert_eq!(settings.auth.jwt_secret.as_ref().unwrap().expose(), secret);
    assert_eq!(settings.auth.api_key_hashes.len(), 2);
    assert_eq!(settings.auth.api_key_hashes[1], crate::auth::hash_api_key("second-key-012345"));
    assert_eq!(settings.cors_origins.len(), 2);
    assert_eq!(settings.on_expiry, OnExpiry::Charge);
    assert_eq!(settings.log, LogFormat::Json);
    assert_eq!(settings.sweep_interval, Duration::from_millis(50));
    assert_eq!(settings.max_connections, 100);
    assert_eq!(settings.auth.jwks_url, None);
    assert!(!format!("{settings:?}").contains(secret));
}

#[test]
fn an_openai_provider_takes_its_key_from_the_variable_that_it_names() {
    let text = format!(
        r#"{SOUND}
[[providers]]
kind = "openai"
base_url = "https://api.example.com/v1/"
api_key_env = "EXAMPLE_KEY"
headers = {{ "X-Team" = "blue-team-secret" }}
models = ["big"]
[[providers]]
kind = "simulated"
"#
    );
    let settings = load(&text, &[("EXAMPLE_KEY", "sk-hidden")]).unwrap();
    let [ProviderSettings::OpenAi(provider), ProviderSettings::Simulated(_)] =
        &settings.providers[..]
    else {
        panic!("{:?}", settings.providers);
    };
    assert_eq!(provider.base_url, "https://api.example.com/v1");
    assert_eq!(provider.api_key.as_ref().unwrap().expose(), "sk-hidden");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("sk-hidden") && !shown.contains("blue-team-secret"), "{shown}");
    let (big, small) = ("big".parse().unwrap(), "small".parse().unwrap());
    assert_eq!([&big, &small].map(|model| settings.providers[0].serves(model)), [true, false]);
}

#[test]
fn a_simulation_follows_its_script() {
    let script = "kind = \"simulated\"\nfirst_token_ms = 5\ntokens_per_second = 0\n\
                  tokens = 9\nfailing_models = [\"big\"]";
    let settings = load(&format!("{SOUND}\n[[providers]]\n{script}\n"), &[]).unwrap();
    let expected = SimulatedProvider {
        first_token_delay: Duration::from_millis(5),
        tokens_per_second: 0,
        tokens: Some(9),
        failing_models: vec!["big".parse().unwrap()],
    };
    assert!(
        matches!(&settings.providers[..], [ProviderSettings::Simulated(it)] if *it == expected)
    );
}

/// Puts `line` above everything, in place of the line that begins with the same key.
fn with(line: &str) -> String {
    let key = line.split('=').next().unwrap_or_default();
    let rest: Vec<_> = SOUND.lines().filter(|it| !it.starts_with(key)).collect();
    format!("{line}\n{}", rest.join("\n"))
}

/// Each file -> the key that is named, and a part of the mend.
fn check_wrong<const N: usize>(cases: [(String, &str, &str); N]) {
    for (text, key, mend) in cases {
        let error = load(&text, &[]).expect_err(&text);
        assert_eq!(error.key, key, "{error}\n{text}");
        assert!(error.problem.contains(mend), "{error}\nlacks {mend:?}");
    }
}

#[test]
fn a_wrong_setting_is_named_with_its_mend() {
    check_wrong([
        (with("lisen = \"127.0.0.1:1\""), "lisen", "take it out, or use one of listen"),
        (with("listen = \"localhost\""), "listen", "as 127.0.0.1:8787"),
        (with("listen = 5"), "listen", "must be a text"),
        (with("database_url = \"mysql:x\""), "database_url", "as sqlite:trueup.db"),
        (with("jwt_secret = \"short\""), "jwt_secret", "at least 32 bytes"),
        (with("jwks_url = \"http://id.example.com\""), "jwks_url", "https://"),
        (with("jwt_issuer = \"\""), "jwt_issuer", "must not be empty"),
        (with("api_key = [\"short\"]"), "api_key", "at least 16 characters"),
        (with("api_key = 5"), "api_key", "a list of texts"),
        (with("api_key = \" , ,\""), "api_key", "one key at least; leave it out for none"),
        (with("api_key = [\"\"]"), "api_key", "at least 16 characters"),
        (with("max_connections = 0"), "max_connections", "from 1 to 1000000"),
        (with("max_requests = 0"), "max_requests", "from 1 to 1000000"),
        (with("engines = 65"), "engines", "a whole number from 1 to 64"),
        (with("keep_alive_s = 0"), "keep_alive_s", "a whole number from 1 to 300"),
        (with("bus_url = \"nats://host\""), "bus_url", "leave it out, or name a Postgres"),
        (with("bus_url = \"redis://host\""), "bus_url", "as nats://host:4222"),
        (with("bus_url = \"nats:\""), "bus_url", "as nats://host:4222"),
        (
            with("database_url = \"postgres://\""),
            "database_url",
            "as postgres://user:password@host",
        ),
        (with("hold_ttl_s = 0"), "hold_ttl_s", "from 1 to 3600"),
        (with("hold_ttl_s = -1"), "hold_ttl_s", "a whole number from 1 to 3600"),
        (with("hold_ttl_s = 1.5"), "hold_ttl_s", "a whole number from 1 to 3600"),
        (with("sweep_interval_ms = \"x\""), "sweep_interval_ms", "a whole number from 10 to 60000"),
        (with("shutdown_grace_s = -1"), "shutdown_grace_s", "a whole number from 0 to 3600"),
        (with("max_connections = -1"), "max_connections", "a whole number from 1 to 1000000"),
        (with("on_expiry = \"keep\""), "on_expiry", "one of release, charge"),
        (with("log = \"xml\""), "log", "one of text, json"),
        (with("cors_origins = [\"https://a.example/x\"]"), "cors_origins", "without a path"),
        (with("default_plan = \"pro\""), "default_plan", "one of free"),
        (SOUND.replace("default_plan = \"free\"", ""), "default_plan", "one of free"),
        ("default_plan = \"free\"".to_owned(), "default_plan", "add one, as [plans."),
    ]);
}

#[test]
fn a_wrong_catalog_is_named_with_its_mend() {
    let model = |line: &str| format!("{SOUND}\n[models.other]\n{line}");
    let meter = |line: &str| format!("{SOUND}\n[plans.free.meters.other]\n{line}");
    check_wrong([
        (model("charge = { tokens = 0 }"), "models.other.charge.tokens", "at least 1"),
        (model("charge = { Tokens = 1 }"), "models.other.charge.Tokens", "a-z"),
        (
            model("charge = { premium = 9007199254740992 }"),
            "models.other.charge.premium",
            "to 9007",
        ),
        (model("charge = { premium = 1.5 }"), "models.other.charge.premium", "a whole number"),
        (model("charge = { tokens = 1 }"), "plans.free.meters", "lacks tokens, which model other"),
        (model("fallback = []"), "models.other.charge", "is missing"),
        (model("charge = {}\nfallback = [\"x\"]"), "models.other.fallback", "names x, which is no"),
        (model("charge = {}\nfallback = [\"other\"]"), "models.other.fallback", "itself"),
        (model("charge = {}\nfallback = [\"big\", \"big\"]"), "models.other.fallback", "twice"),
        (model("charge = {}\nfalback = []"), "models.other.falback", "one of charge, fallback"),
        (format!("{SOUND}\n[models.\"a b\"]\ncharge = {{}}"), "models.a b", "without spaces"),
        (meter("window = \"year\""), "plans.free.meters.other.window", "hour, day, week, month"),
        (
            meter("window = { days = 3, hours = 1 }"),
            "plans.free.meters.other.window",
            "hour, day, week, month",
        ),
        (meter("window = { days = 0 }"), "plans.free.meters.other.window.days", "from 1 to 3660"),
        (meter("window = { days = 3661 }"), "plans.free.meters.other.window.days", "1 to 3660"),
        (meter("limit = 5"), "plans.free.meters.other.window", "is missing"),
        (
            meter("window = \"day\"\nlimit = 9007199254740992"),
            "plans.free.meters.other.limit",
            "for unlimited",
        ),
        (
            meter("window = \"day\"\nenforcement = \"firm\""),
            "plans.free.meters.other.enforcement",
            "one of hard, soft",
        ),
    ]);
}

#[test]
fn a_wrong_provider_is_named_with_its_mend() {
    let provider = |line: &str| format!("{SOUND}\n[[providers]]\n{line}");
    check_wrong([
        (provider("kind = \"anthropic\""), "providers.0.kind", "one of simulated, openai"),
        (provider("kind = \"openai\""), "providers.0.base_url", "http(s)://"),
        (provider("kind = \"simulated\"\napi_key = \"x\""), "providers.0", "takes no address"),
        (provider("kind = \"simulated\"\ntokens = 0"), "providers.0.tokens", "from 1 to"),
        (
            provider("kind = \"simulated\"\nfailing_models = [\"gone\"]"),
            "providers.0.failing_models",
            "which is no model",
        ),
        (provider("kind = \"openai\"\ntokens = 9"), "providers.0", "is no simulation"),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\napi_key_env = \"NO\""),
            "providers.0.api_key_env",
            "is not set",
        ),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\nmodels = [\"huge\"]"),
            "providers.0.models",
            "names huge, which is no model",
        ),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\nmodels = []"),
            "providers.0.models",
            "must name a model",
        ),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\napi_key = \"\""),
            "providers.0.api_key",
            "in one line",
        ),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\napi_key = \"a\\nb\""),
            "providers.0.api_key",
            "in one line",
        ),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\nheaders = { Host = \"c\" }"),
            "providers.0.headers.Host",
            "set by the connection itself",
        ),
        (
            provider("kind = \"openai\"\nbase_url = \"http://x\"\nheaders = { \"a b\" = \"c\" }"),
            "providers.0.headers.a b",
            "a valid HTTP header",
        ),
    ]);
}

#[test]
fn a_wrong_variable_is_named_with_its_mend() {
    for (name, value, mend) in [
        ("TRUEUP_LISTN", "127.0.0.1:1", "TRUEUP_LISTEN"),
        ("TRUEUP_MODELS", "x", "is no setting"),
        ("TRUEUP_HOLD_TTL_S", "soon", "a whole number from 1 to 3600"),
        ("TRUEUP_LOG", "xml", "one of text, json"),
        ("TRUEUP_API_KEY", ",,", "one key at least"),
        ("TRUEUP_API_KEY", " ", "one key at least"),
        ("TRUEUP_MAX_CONNECTIONS", "many", "a whole number from 1 to 1000000"),
    ] {
        let error = load(SOUND, &[(name, value)]).unwrap_err();
        assert_eq!(error.key, name, "{error}");
        assert!(error.problem.contains(mend), "{error}");
    }
}

#[test]
fn what_is_wrong_in_the_file_is_told_whatever_stands_over_it() {
    for (line, variable, mend) in [
        ("hold_ttl_s = \"soon\"", ("TRUEUP_HOLD_TTL_S", "60"), "a whole number from 1 to 3600"),
        ("listen = 5", ("TRUEUP_LISTEN", "127.0.0.1:1"), "must be a text"),
        ("log = \"xml\"", ("TRUEUP_LOG", "json"), "one of text, json"),
    ] {
        let error = load(&with(line), &[variable]).expect_err(line);
        assert_eq!(Some(error.key.as_str()), line.split(' ').next(), "{error}");
        assert!(error.problem.contains(mend), "{error}");
    }
}

/// Traces go where the settings say, or else where OpenTelemetry's own variables say.
#[test]
fn traces_go_where_they_are_wanted() {
    let own = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/");
    let exact = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces:4318/in");
    let named = with("otlp_endpoint = \"http://named:4318/otlp\"");
    for (file, env, endpoint) in [
        (SOUND, &[][..], None),
        (&named, &[], Some("http://named:4318/otlp/v1/traces")),
        (&named, &[own, exact], Some("http://named:4318/otlp/v1/traces")),
        (&named, &[("TRUEUP_OTLP_ENDPOINT", "http://b:1")], Some("http://b:1/v1/traces")),
        (SOUND, &[own], Some("http://all:4318/v1/traces")),
        (SOUND, &[own, exact], Some("https://traces:4318/in")),
        (&with("otlp_endpoint = \"\""), &[own, exact], None),
        (SOUND, &[own, ("OTEL_SDK_DISABLED", "true")], None),
        (SOUND, &[own, ("OTEL_TRACES_EXPORTER", "none")], None),
    ] {
        let traces = load(file, env).unwrap().traces;
        assert_eq!(traces.as_ref().map(|it| it.endpoint.as_str()), endpoint, "{file}\n{env:?}");
    }
    let env = [own, ("OTEL_SERVICE_NAME", "quota")];
    assert_eq!(load(SOUND, &env).unwrap().traces.unwrap().service_name.unwrap(), "quota");
    for (name, address) in [
        ("otlp_endpoint", "collector:4318"),
        ("otlp_endpoint", "grpc://collector:4317"),
        ("otlp_endpoint", "http://collector:4318/v1/traces"),
        ("otlp_endpoint", "http://user:a-secret@collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
    ] {
        let (file, env) = match name {
            "otlp_endpoint" => (with(&format!("{name} = \"{address}\"")), vec![]),
            name => (SOUND.to_owned(), vec![(name, address)]),
        };
        let error = load(&file, &env).unwrap_err();
        assert_eq!(error.key, name);
        assert!(error.problem.contains("as http://127.0.0.1:4318"), "{error}");
        assert!(!error.to_string().contains("a-secret"), "{error}");
    }
}

#[test]
fn a_complaint_never_repeats_a_value() {
    let misplaced = with("hold_ttl_s = \"a-secret-under-the-wrong-key\"");
    assert!(!load(&misplaced, &[]).unwrap_err().to_string().contains("a-secret"));
    let broken = "jwt_secret = \"a-secret\nlisten = 5";
    let error = load(broken, &[]).unwrap_err();
    assert!(error.key.contains("trueup.toml"), "{error}");
    assert!(!error.to_string().contains("a-secret"), "{error}");
}
