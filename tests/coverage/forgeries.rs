//! Access tokens that somebody made up: each differs in one thing from a token that is accepted, and none is.

use std::collections::BTreeSet;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::{NOW, World};

use crate::{Misses, brief, roles, said};

/// The parts of a token: header, claims, signature.
struct Parts {
    header: Value,
    claims: Value,
    signature: Vec<u8>,
    original: String,
}

/// The key that signs the world's tokens; its maker may use it, to see what is refused although it was signed.
fn ours() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

impl Parts {
    fn of(token: &str) -> Self {
        let parts: Vec<Vec<u8>> = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let json = |part: &[u8]| serde_json::from_slice(part).unwrap();
        Self { header: json(&parts[0]), claims: json(&parts[1]), signature: parts[2].clone(), original: token.into() }
    }

    fn text(header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        format!("{}.{}", encode(header), encode(claims))
    }

    /// With another header and claims, and the signature of before.
    fn unsigned(&self, header: &Value, claims: &Value) -> String {
        format!("{}.{}", Self::text(header, claims), URL_SAFE_NO_PAD.encode(&self.signature))
    }

    /// With another header and claims, signed by a key.
    fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
        let text = Self::text(header, claims);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes());
        format!("{text}.{signature}")
    }
}

/// The object with another value of a field; without the field, if there is none.
fn with(object: &Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    let mut object = object.clone();
    match value.into() {
        Some(value) => object[name] = value,
        None => drop(object.as_object_mut().unwrap().remove(name)),
    }
    object
}

/// Every forgery, with what was changed.
fn forgeries(world: &World, token: &str) -> Vec<(String, String)> {
    let parts = Parts::of(token);
    let (header, claims) = (&parts.header, &parts.claims);
    let mut all: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| all.push((what.to_owned(), token));

    // The algorithm and the key.
    for algorithm in ["none", "None", "HS256", "RS256", "ES256", "PS256", "eddsa", "EdDSA ", ""] {
        let header = with(header, "alg", json!(algorithm));
        add(&format!("alg {algorithm:?}"), parts.unsigned(&header, claims));
        add(&format!("alg {algorithm:?}, without a signature"), format!("{}.", Parts::text(&header, claims)));
    }
    let public = ours().verifying_key();
    let confused = with(header, "alg", json!("HS256"));
    let text = Parts::text(&confused, claims);
    for (what, key) in [("bytes", public.as_bytes().to_vec()), ("text", URL_SAFE_NO_PAD.encode(public.as_bytes()).into_bytes())] {
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(&text).finalize().into_bytes();
        add(&format!("HMAC under the public key's {what}"), format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac)));
    }
    let theirs = SigningKey::from_bytes(&[66; 32]);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(theirs.verifying_key().as_bytes()) });
    add("another key under our kid", Parts::signed(header, claims, &theirs));
    add("another key with itself in the header", Parts::signed(&with(header, "jwk", jwk), claims, &theirs));
    let elsewhere = with(header, "jku", json!("https://evil.example/jwks.json"));
    add("another key with its address in the header", Parts::signed(&elsewhere, claims, &theirs));
    let certified = with(header, "x5u", json!("https://evil.example/certificate.pem"));
    add("another key with its certificate's address in the header", Parts::signed(&certified, claims, &theirs));
    for kid in [Some(json!("other")), Some(json!("")), Some(json!(7)), Some(json!("../keys")), None] {
        let header = with(header, "kid", kid.clone());
        add(&format!("kid {kid:?}"), Parts::signed(&header, claims, &ours()));
    }

    // The claims, with the signature of before.
    let others = [
        ("sub", world.id("acme.manager")),
        ("sub", world.id("globex.manager")),
        ("tenant", "globex"),
        ("role", "manager"),
        ("sid", world.id("acme.manager.session")),
    ];
    for (name, value) in others {
        let changed = with(claims, name, json!(value));
        if changed != *claims {
            add(&format!("{name} {value}"), parts.unsigned(header, &changed));
        }
    }
    add("exp later", parts.unsigned(header, &with(claims, "exp", json!(NOW.epoch() + 86_400))));

    // Claims that we would never sign.
    let now = NOW.epoch();
    for (name, value) in [
        ("exp", json!(now)),
        ("exp", json!(now + 901)),
        ("exp", json!(now + 86_400)),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("iat", json!(now + 120)),
        ("iat", json!("now")),
        ("iss", json!("evil")),
        ("iss", json!(null)),
        ("aud", json!("other-api")),
        ("aud", json!(["other-api"])),
        ("role", json!("owner")),
        ("role", json!(null)),
        ("role", json!(3)),
        ("tenant", json!(7)),
        ("sub", json!("nobody")),
        ("sub", json!(["x"])),
        ("sid", json!("")),
    ] {
        add(&format!("signed with {name} {value}"), Parts::signed(header, &with(claims, name, value), &ours()));
    }
    for name in ["sub", "tenant", "role", "sid", "iat", "exp", "iss", "aud"] {
        add(&format!("signed without {name}"), Parts::signed(header, &with(claims, name, None), &ours()));
    }

    // The signature and the form.
    let signature = |bytes: &[u8]| format!("{}.{}", Parts::text(header, claims), URL_SAFE_NO_PAD.encode(bytes));
    for (what, at) in [("first", 0), ("last", 63)] {
        let mut flipped = parts.signature.clone();
        flipped[at] ^= 1;
        add(&format!("a bit of the signature's {what} byte"), signature(&flipped));
    }
    add("half a signature", signature(&parts.signature[..32]));
    add("a signature and more", signature(&[&parts.signature[..], &[0]].concat()));
    add("zeros for a signature", signature(&[0; 64]));
    add("another token's signature", signature(&Parts::of(world.token("globex.manager")).signature));
    let token = &parts.original;
    let pieces: Vec<&str> = token.split('.').collect();
    for (what, forged) in [
        ("two parts", format!("{}.{}", pieces[0], pieces[1])),
        ("four parts", format!("{token}.{}", pieces[2])),
        ("five parts, as if encrypted", format!("{token}.x.y")),
        ("an empty header", format!(".{}.{}", pieces[1], pieces[2])),
        ("empty claims", format!("{}..{}", pieces[0], pieces[2])),
        ("a header that is no JSON", format!("e30x.{}.{}", pieces[1], pieces[2])),
        ("upper case", token.to_uppercase()),
        ("a space inside", token.replacen('.', ". ", 1)),
        ("padding", format!("{token}==")),
        ("standard base64", format!("{}.{}.{}", pieces[0], pieces[1], STANDARD.encode(&parts.signature))),
        ("the scheme twice", format!("Bearer {token}")),
        ("an API key's prefix", format!("vk_{token}")),
    ] {
        add(what, forged);
    }
    all
}

#[tokio::test]
async fn a_token_that_differs_in_one_thing_is_401_everywhere() {
    let (world, mut misses) = (World::start().await, Misses::default());
    let mut kinds = BTreeSet::new();
    for (operation, ask, _) in roles::guarded(&world) {
        let event = world.event(&operation, &ask);
        let token = event["headers"]["authorization"].as_str().unwrap().trim_start_matches("Bearer ").to_owned();
        for (what, forged) in forgeries(&world, &token) {
            let mut event = event.clone();
            event["headers"]["authorization"] = format!("Bearer {forged}").into();
            let answer = said(&world, operation.function, event).await;
            misses.unless(roles::unauthenticated(&answer), || format!("{operation} with {what} must be 401: {}", brief(&answer)));
            kinds.insert(what);
        }
        // The same token unchanged is let in.
        let answer = said(&world, operation.function, event).await;
        let status = answer["statusCode"].as_u64().unwrap_or_default();
        misses.unless((200..400).contains(&status), || format!("{operation} with the token itself: {}", brief(&answer)));
        world.reset().await;
    }
    assert!(kinds.len() >= 40, "{}", kinds.len());
    misses.none();
}
