//! Who is let in: browser tokens, sound and forged; API keys; and who may make which call.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{API_KEY, House, SECRET, START};
use crate::keys::{Pair, Publisher, RSA_PUBLIC};

/// Seconds of 1970 until the house's clock.
const NOW: i64 = START.millis() / 1000;
/// `{"alg":"none","typ":"JWT"}`
const ALG_NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";

/// Sound claims with some replaced; null takes one out.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "iss": "trueup", "aud": "trueup", "sub": "ann", "exp": NOW + 60 });
    let fields = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    claims
}

fn sign(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

fn sound(changes: &Value) -> String {
    sign(Algorithm::HS256, SECRET.as_bytes(), &claims(changes))
}

async fn enter(house: &House, token: &str) -> (u16, String) {
    let reply = house.get("/v1/usage").bearer(token).send().await;
    let code = reply.body["error"]["code"].as_str().unwrap_or_default().to_owned();
    if reply.status.as_u16() == 401 {
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    (reply.status.as_u16(), code)
}

#[tokio::test]
async fn a_token_must_have_sound_claims() {
    let house = House::open().await;
    let at = |seconds: f64| f64::from(u32::try_from(NOW).unwrap()) + seconds;
    let long = "a".repeat(129);
    for (changes, code) in [
        (json!({}), ""),
        (json!({ "acct": "team" }), ""),
        (json!({ "aud": ["other", "trueup"] }), ""),
        (json!({ "nbf": NOW + 5 }), ""),
        // A maker's clock may be ten seconds off.
        (json!({ "exp": NOW - 9 }), ""),
        (json!({ "exp": NOW - 10 }), "token_expired"),
        // RFC 7519 lets times have fractions, and some makers write them.
        (json!({ "exp": at(60.5), "nbf": at(9.9), "iat": at(-0.25) }), ""),
        (json!({ "exp": at(-9.9) }), ""),
        (json!({ "exp": at(-10.1) }), "token_expired"),
        (json!({ "nbf": at(10.1) }), "unauthorized"),
        (json!({ "iat": "now" }), "unauthorized"),
        (json!({ "exp": 0 }), "token_expired"),
        (json!({ "exp": null }), "unauthorized"),
        (json!({ "exp": "9999999999" }), "unauthorized"),
        (json!({ "exp": -1 }), "unauthorized"),
        (json!({ "iss": null }), "unauthorized"),
        (json!({ "iss": "other" }), "unauthorized"),
        (json!({ "iss": ["trueup"] }), "unauthorized"),
        (json!({ "aud": null }), "unauthorized"),
        (json!({ "aud": "other" }), "unauthorized"),
        (json!({ "aud": ["other"] }), "unauthorized"),
        (json!({ "aud": [] }), "unauthorized"),
        (json!({ "aud": 5 }), "unauthorized"),
        (json!({ "sub": null }), "unauthorized"),
        (json!({ "sub": "" }), "unauthorized"),
        (json!({ "sub": "a b" }), "unauthorized"),
        (json!({ "sub": long }), "unauthorized"),
        (json!({ "sub": 7 }), "unauthorized"),
        (json!({ "acct": "" }), "unauthorized"),
        (json!({ "acct": 7 }), "unauthorized"),
        (json!({ "nbf": NOW + 11 }), "unauthorized"),
    ] {
        let status = if code.is_empty() { 200 } else { 401 };
        assert_eq!(enter(&house, &sound(&changes)).await, (status, code.to_owned()), "{changes}");
    }
}

#[tokio::test]
async fn a_forged_token_leads_nowhere() {
    let house = House::open().await;
    let good = sound(&json!({}));
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let bobs = sound(&json!({ "sub": "bob" }));
    let bobs_payload = bobs.split('.').nth(1).unwrap();
    let other_secret = b"another-secret-another-secret-00";
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let critical = jsonwebtoken::encode(&critical, &claims(&json!({})), &key).unwrap();
    for (what, token) in [
        ("no signature wanted", format!("{ALG_NONE}.{payload}.")),
        ("no signature wanted, one given", format!("{ALG_NONE}.{payload}.{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("somebody else's claims", format!("{header}.{bobs_payload}.{signature}")),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..20])),
        ("another secret", sign(Algorithm::HS256, other_secret, &claims(&json!({})))),
        ("another algorithm", sign(Algorithm::HS384, SECRET.as_bytes(), &claims(&json!({})))),
        ("yet another", sign(Algorithm::HS512, SECRET.as_bytes(), &claims(&json!({})))),
        ("a public key", Pair::rsa().sign(&claims(&json!({})))),
        ("headers that must be understood", critical),
        ("nothing of the kind", "hello".to_owned()),
        ("dots", "..".to_owned()),
        ("an API key that is not ours", format!("{API_KEY}x")),
        ("the secret itself", SECRET.to_owned()),
    ] {
        assert_eq!(enter(&house, &token).await, (401, "unauthorized".to_owned()), "{what}");
    }
    assert_eq!(enter(&house, &good).await.0, 200);
}

#[tokio::test]
async fn published_keys_let_in_what_they_signed() {
    let pairs = [Pair::rsa(), Pair::ec(), Pair::ed()];
    let publisher = Publisher::start(&pairs.clone().map(|pair| pair.public())).await;
    let house = House::with(&format!("jwks_url = \"{}\"", publisher.url)).await;
    for pair in &pairs {
        assert_eq!(enter(&house, &pair.sign(&claims(&json!({})))).await.0, 200, "{}", pair.id);
        let expired = pair.sign(&claims(&json!({ "exp": NOW - 60 })));
        assert_eq!(enter(&house, &expired).await, (401, "token_expired".to_owned()));
        let elsewhere = pair.sign(&claims(&json!({ "aud": "other" })));
        assert_eq!(enter(&house, &elsewhere).await.0, 401, "{}", pair.id);
        // Without a name, the only key of its kind is meant.
        let nameless = Header::new(pair.algorithm);
        let nameless = jsonwebtoken::encode(&nameless, &claims(&json!({})), &pair.key).unwrap();
        assert_eq!(enter(&house, &nameless).await.0, 200, "{}", pair.id);
    }
    assert_eq!(publisher.fetches(), 1);
}

#[tokio::test]
async fn the_key_decides_the_algorithm_and_not_the_token() {
    let (rsa, ec, ed) = (Pair::rsa(), Pair::ec(), Pair::ed());
    let publisher = Publisher::start(&[rsa.public(), ec.public(), ed.public()]).await;
    let claims = claims(&json!({}));
    let named = |algorithm, id: &str, key: &EncodingKey| {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, &claims, key).unwrap()
    };
    let public_as_secret = EncodingKey::from_secret(RSA_PUBLIC);
    let forged = [
        named(Algorithm::HS256, "rsa", &public_as_secret),
        named(Algorithm::RS384, "rsa", &rsa.key),
        named(Algorithm::RS512, "rsa", &rsa.key),
        named(Algorithm::PS256, "rsa", &rsa.key),
        named(Algorithm::ES256, "rsa", &ec.key),
        named(Algorithm::RS256, "ec", &rsa.key),
        named(Algorithm::EdDSA, "ed", &Pair::other_ed().key),
        named(Algorithm::EdDSA, "nobody", &ed.key),
    ];
    // With a shared secret beside the published keys, neither opens what is the other's.
    for first in ["", "jwt_secret = \"0123456789abcdef0123456789abcdef\"\n"] {
        let house = House::with(&format!("{first}jwks_url = \"{}\"", publisher.url)).await;
        for (at, token) in forged.iter().enumerate() {
            let expected = (401, "unauthorized".to_owned());
            assert_eq!(enter(&house, token).await, expected, "{at} {first}");
        }
        let by_secret = if first.is_empty() { 401 } else { 200 };
        assert_eq!(enter(&house, &sound(&json!({}))).await.0, by_secret);
        assert_eq!(enter(&house, &rsa.sign(&claims)).await.0, 200);
    }
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_passed_over() {
    let (rsa, ed, short) = (Pair::rsa(), Pair::ed(), Pair::short_rsa());
    let mut for_encryption = ed.public();
    for_encryption["use"] = json!("enc");
    let mut for_another = rsa.public();
    for_another["alg"] = json!("RS512");
    let unknown = json!({ "kty": "lattice", "kid": "new" });
    let secret = json!({ "kty": "oct", "kid": "oct", "k": "c2VjcmV0" });
    let set = [for_encryption, for_another, short.public(), unknown, secret];
    let publisher = Publisher::start(&set).await;
    let house = House::with(&format!("jwks_url = \"{}\"", publisher.url)).await;
    for pair in [rsa, ed, short] {
        assert_eq!(enter(&house, &pair.sign(&claims(&json!({})))).await.0, 401, "{}", pair.id);
    }
}

#[tokio::test]
async fn keys_change_in_turn() {
    let (old, new) = (Pair::ed(), Pair::other_ed());
    let publisher = Publisher::start(&[old.public()]).await;
    let house = House::with(&format!("jwks_url = \"{}\"", publisher.url)).await;
    let day = json!({ "exp": NOW + 86_400 });
    let (by_old, by_new) = (old.sign(&claims(&day)), new.sign(&claims(&day)));
    assert_eq!(enter(&house, &by_old).await.0, 200);

    // Strangers cannot make the server hammer the publisher.
    for _ in 0..5 {
        assert_eq!(enter(&house, &by_new).await.0, 401);
    }
    assert_eq!(publisher.fetches(), 1);

    // A key that appears is found once the publisher may be asked again.
    publisher.set(Some(&[new.public()]));
    house.wait_ms(31_000);
    assert_eq!(enter(&house, &by_new).await.0, 200);
    assert_eq!(publisher.fetches(), 2);
    // One that was withdrawn is not taken any more.
    assert_eq!(enter(&house, &by_old).await.0, 401);

    // While the publisher is away, what was read stays good, and what was not cannot be judged.
    publisher.set(None);
    house.wait_ms(11 * 60_000);
    assert_eq!(enter(&house, &by_new).await.0, 200);
    assert_eq!(enter(&house, &by_old).await, (503, "unavailable".to_owned()));
    publisher.set(Some(&[old.public()]));
    house.wait_ms(31_000);
    assert_eq!(enter(&house, &by_old).await.0, 200);
    assert_eq!(enter(&house, &by_new).await.0, 401);
}

#[tokio::test]
async fn a_browser_makes_no_call_of_a_backend() {
    let house = House::open().await;
    let (token, id) = (house.token("ann"), house.new_id());
    let body = json!({});
    for (method, path) in [
        (Method::POST, "/v1/operations".to_owned()),
        (Method::POST, format!("/v1/operations/{id}/settle")),
        (Method::POST, format!("/v1/operations/{id}/release")),
        (Method::POST, format!("/v1/operations/{id}/extend")),
        (Method::GET, "/v1/accounts/ann".to_owned()),
        (Method::PUT, "/v1/accounts/ann".to_owned()),
        (Method::POST, "/v1/accounts/ann/grants".to_owned()),
        (Method::GET, "/v1/accounts/ann/entries".to_owned()),
    ] {
        let call = || house.call(method.clone(), &path).json(&body);
        call().bearer(&token).send().await.refused(403, "forbidden");
        call().send().await.refused(401, "unauthorized");
        call().bearer("x").send().await.refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_browser_acts_for_itself_alone() {
    let house = House::open().await;
    let token = house.token_of("team", "ann");
    let call = |name: &'static str, value: &str| {
        let call = house.get("/v1/usage").bearer(&token).header(name, value);
        async move { call.send().await }
    };
    call("trueup-account", "team").await.expect(200);
    call("trueup-actor", "ann").await.expect(200);
    call("trueup-account", "bob").await.refused(403, "forbidden");
    call("trueup-actor", "bob").await.refused(403, "forbidden");
}

#[tokio::test]
async fn credentials_come_in_one_header_of_one_form() {
    let house = House::open().await;
    let token = house.token("ann");
    for (value, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer {token}"), 200),
        (format!("Basic {token}"), 401),
        (token.clone(), 401),
        ("Bearer ".to_owned(), 401),
        ("Bearer".to_owned(), 401),
    ] {
        let reply = house.get("/v1/usage").header("authorization", &value).send().await;
        assert_eq!(reply.status.as_u16(), status, "{value}");
    }
    let twice = house.get("/v1/usage").bearer(&token).bearer(&house.token("bob")).send().await;
    twice.refused(401, "unauthorized");
}
