//! Settings: read from the environment once, every bad one named.

use std::{collections::BTreeMap, fmt};

use ipnet::IpNet;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::{crypto::secret::Secret, input::rules::Words, models::company::Plan, storage::rate::Limit, text};

/// Where the product runs; some defaults differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As functions.
    Cloud,
    /// On one machine.
    Local,
}

/// What a function must find in its environment beside what all do. What it does not need it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// `VOKI_AUTH_SECRET`: to make tokens.
    AuthSecret,
    /// `VOKI_DATA_SECRET`: to seal and open secrets that lie in the table.
    DataSecret,
    /// `VOKI_PUBLIC_URL`: to make links.
    PublicUrl,
    /// `VOKI_QUEUE_URL`: to queue deliveries.
    Queue,
    /// `VOKI_MAIL_FROM`: to send mails.
    Mail,
}

impl Need {
    /// The variable.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::AuthSecret => "VOKI_AUTH_SECRET",
            Self::DataSecret => "VOKI_DATA_SECRET",
            Self::PublicUrl => "VOKI_PUBLIC_URL",
            Self::Queue => "VOKI_QUEUE_URL",
            Self::Mail => "VOKI_MAIL_FROM",
        }
    }
}

/// The secrets that a function was given.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// `VOKI_AUTH_SECRET`: seals the keys that sign, proves refresh tokens.
    pub auth: Option<Secret>,
    /// `VOKI_DATA_SECRET`: seals secrets that lie in the table.
    pub data: Option<Secret>,
}

impl Secrets {
    /// Reads those that are needed; what is wrong is noted in `variables`.
    pub fn read(variables: &mut Variables, needs: &[Need]) -> Self {
        let mut read = |need: Need| {
            let parsed = |text: &str| Secret::parse(text).map(Some);
            if needs.contains(&need) { variables.required(need.variable(), parsed) } else { None }
        };
        Self { auth: read(Need::AuthSecret), data: read(Need::DataSecret) }
    }

    /// Both, from one: what a laptop has.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self { auth: Some(secret.derive("auth")), data: Some(secret.derive("data")) }
    }
}

/// Settings that the cloud and the local stack share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `VOKI_PUBLIC_URL`: what links begin with.
    pub public_url: String,
    /// `VOKI_MAIL_FROM`: whom mails are from, an address or `Name <address>`.
    pub mail_from: String,
    /// `VOKI_SIGNUP`: `open`, `closed` or `token:<secret>`.
    pub signup: Signup,
    /// `VOKI_DEFAULT_PLAN`: a new tenant's.
    pub default_plan: Plan,
    /// `VOKI_RATE_LIMIT_AUTH`: `requests/seconds` or `off`.
    pub auth_limit: Option<Limit>,
    /// `VOKI_RATE_LIMIT_PUBLIC`: `requests/seconds` or `off`.
    pub public_limit: Option<Limit>,
    /// `VOKI_CORS_ORIGINS`: comma-separated, or `*`.
    pub cors_origins: Vec<String>,
    /// `VOKI_TRUSTED_PROXIES`: address ranges whose forwarded header is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `VOKI_WEBHOOK_ALLOW_PRIVATE`: `1` allows http and private receivers.
    pub webhook_allow_private: bool,
    /// `RUST_LOG`: which log lines are written, such as `info` or `warn,shared=debug`.
    pub log: Targets,
}

/// Who may sign up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signup {
    /// Everybody.
    Open,
    /// Nobody.
    Closed,
    /// Who sends this in `X-Signup-Token`.
    Token(String),
}

impl Settings {
    /// Reads the settings; what is wrong is noted in `variables`.
    pub fn read(variables: &mut Variables, place: Place, needs: &[Need]) -> Self {
        let local = place == Place::Local;
        let limit = |requests, seconds| Some(Limit { requests, seconds });
        Self {
            public_url: if local {
                variables.optional("VOKI_PUBLIC_URL", public_url).unwrap_or_default()
            } else if needs.contains(&Need::PublicUrl) {
                variables.required(Need::PublicUrl.variable(), public_url)
            } else {
                String::new()
            },
            mail_from: if local {
                variables.optional("VOKI_MAIL_FROM", sender).unwrap_or_else(|| "Voki <no-reply@voki.test>".into())
            } else if needs.contains(&Need::Mail) {
                variables.required(Need::Mail.variable(), sender)
            } else {
                String::new()
            },
            signup: variables.optional("VOKI_SIGNUP", signup).unwrap_or(if local { Signup::Open } else { Signup::Closed }),
            default_plan: variables.optional("VOKI_DEFAULT_PLAN", plan).unwrap_or(Plan::Enterprise),
            auth_limit: variables.optional("VOKI_RATE_LIMIT_AUTH", rate).unwrap_or(limit(5, 60)),
            public_limit: variables.optional("VOKI_RATE_LIMIT_PUBLIC", rate).unwrap_or(limit(30, 60)),
            cors_origins: variables.optional("VOKI_CORS_ORIGINS", origins).unwrap_or_else(|| vec!["*".into()]),
            trusted_proxies: variables.optional("VOKI_TRUSTED_PROXIES", networks).unwrap_or_default(),
            webhook_allow_private: variables.optional("VOKI_WEBHOOK_ALLOW_PRIVATE", switch).unwrap_or(local),
            log: variables.optional("RUST_LOG", log).unwrap_or_else(quiet),
        }
    }
}

fn log(text: &str) -> Result<Targets, String> {
    text.parse().map_err(|_| "must be a level, or levels of modules such as warn,shared=debug".into())
}

/// What is written unless the environment says otherwise; the embedded services tell of their clients' every mistake.
fn quiet() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("dynoxide", LevelFilter::ERROR)
        .with_target("s3s", LevelFilter::OFF)
}

fn public_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("must be an http or https URL".into()),
    }
}

fn sender(text: &str) -> Result<String, String> {
    let bare = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, bare)| bare);
    let plain = text.is_ascii() && !text.contains(char::is_control);
    let address = text::email(bare).ok().filter(|_| plain);
    address
        .map(|_| text.to_owned())
        .ok_or_else(|| "must be an address, or a name and an address such as Voki <no-reply@example.com>".into())
}

fn signup(text: &str) -> Result<Signup, String> {
    match (text, text.strip_prefix("token:")) {
        ("open", _) => Ok(Signup::Open),
        ("closed", _) => Ok(Signup::Closed),
        (_, Some(secret)) if !secret.is_empty() => Ok(Signup::Token(secret.to_owned())),
        _ => Err("must be open, closed or token:<secret>".into()),
    }
}

fn plan(text: &str) -> Result<Plan, String> {
    let known = || Plan::ALL.iter().map(|plan| plan.as_str()).collect::<Vec<_>>().join(", ");
    Plan::ALL.iter().copied().find(|plan| plan.as_str() == text).ok_or_else(|| format!("must be one of: {}", known()))
}

fn rate(text: &str) -> Result<Option<Limit>, String> {
    if text == "off" {
        return Ok(None);
    }
    let parsed = text.split_once('/').and_then(|(requests, seconds)| {
        let (requests, seconds) = (requests.parse().ok()?, seconds.parse().ok()?);
        (requests > 0 && (1..=86_400).contains(&seconds)).then_some(Limit { requests, seconds })
    });
    parsed.map(Some).ok_or_else(|| "must be requests/seconds, such as 5/60, or off".into())
}

fn origins(text: &str) -> Result<Vec<String>, String> {
    let origins: Vec<String> = text.split(',').map(|origin| origin.trim().trim_end_matches('/').to_owned()).collect();
    let valid = |origin: &String| {
        origin == "*" || url::Url::parse(origin).is_ok_and(|url| url.has_host() && url.origin().ascii_serialization() == *origin)
    };
    if origins.iter().all(valid) { Ok(origins) } else { Err("must be * or origins such as https://app.example.com".into()) }
}

fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let parse = |part: &str| part.parse().or_else(|_| part.parse::<std::net::IpAddr>().map(IpNet::from)).ok();
    text.split(',')
        .map(|part| parse(part.trim()))
        .collect::<Option<_>>()
        .ok_or_else(|| "must be address ranges such as 10.0.0.0/8".into())
}

/// A switch: `1` or `0`.
///
/// # Errors
/// When it is neither.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err("must be 1 or 0".into()),
    }
}

/// The environment while it is read: what is taken, what is wrong.
#[derive(Debug)]
pub struct Variables {
    given: BTreeMap<String, String>,
    flaws: Vec<String>,
}

/// The settings that stop the start, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(Vec<String>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for BadSettings {}

impl Variables {
    /// The process's environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Self {
        Self::new(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))),
        )
    }

    /// Variables by name.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { given: variables.into_iter().collect(), flaws: Vec::new() }
    }

    /// A variable that may be absent or empty.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.given.remove(name).filter(|text| !text.is_empty())?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.flaw(name, &reason);
                None
            }
        }
    }

    /// A variable is there and not empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.given.get(name).is_some_and(|text| !text.is_empty())
    }

    /// A variable that must be there; what comes back otherwise is a default that nobody will see.
    pub fn required<T: Default>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        if !self.has(name) {
            self.flaw(name, "is not set");
        }
        self.optional(name, parse).unwrap_or_default()
    }

    /// Notes what is wrong with a variable.
    pub fn flaw(&mut self, name: &str, reason: &str) {
        self.flaws.push(format!("{name}: {reason}"));
    }

    /// Everything was read: nothing wrong, and no `VOKI_…` left that nobody knows.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn finish(mut self) -> Result<(), BadSettings> {
        let unknown = self.given.keys().filter(|name| name.starts_with("VOKI_"));
        self.flaws.extend(unknown.map(|name| format!("{name}: is not a setting of this program")));
        if self.flaws.is_empty() { Ok(()) } else { Err(BadSettings(self.flaws)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let mut variables = Variables::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = Settings::read(&mut variables, Place::Local, &[]);
        variables.finish().map(|()| settings).map_err(|flaw| flaw.to_string())
    }

    #[test]
    fn the_defaults_of_a_laptop() {
        let settings = read(&[("PATH", "/bin")]).unwrap();
        assert_eq!(settings.signup, Signup::Open);
        assert_eq!(settings.auth_limit, Some(Limit { requests: 5, seconds: 60 }));
        assert!(settings.webhook_allow_private);
    }

    #[test]
    fn every_bad_value_is_named() {
        for (name, value) in [
            ("VOKI_SIGNUP", "maybe"),
            ("VOKI_SIGNUP", "token:"),
            ("VOKI_DEFAULT_PLAN", "gold"),
            ("VOKI_RATE_LIMIT_AUTH", "5"),
            ("VOKI_RATE_LIMIT_AUTH", "0/60"),
            ("VOKI_RATE_LIMIT_PUBLIC", "5/0"),
            ("VOKI_CORS_ORIGINS", "example.com"),
            ("VOKI_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("VOKI_WEBHOOK_ALLOW_PRIVATE", "yes"),
            ("VOKI_PUBLIC_URL", "voki"),
            ("VOKI_MAIL_FROM", "Voki"),
            ("RUST_LOG", "shared=loud"),
            ("VOKI_COLOUR", "blue"),
        ] {
            let flaw = read(&[(name, value)]).unwrap_err();
            assert!(flaw.starts_with(&format!("{name}: ")), "{flaw}");
        }
    }

    #[test]
    fn all_of_them_are_named_in_one_line() {
        let flaws = read(&[("VOKI_SIGNUP", "maybe"), ("VOKI_COLOUR", "blue"), ("VOKI_DEFAULT_PLAN", "gold")]).unwrap_err();
        assert!(
            flaws.contains("VOKI_SIGNUP: ") && flaws.contains("; VOKI_COLOUR: ") && flaws.contains("VOKI_DEFAULT_PLAN: "),
            "{flaws}"
        );
        assert_eq!(flaws.lines().count(), 1);
    }

    #[test]
    fn values_are_read() {
        let settings = read(&[
            ("VOKI_SIGNUP", "token:s3cret"),
            ("VOKI_RATE_LIMIT_AUTH", "off"),
            ("VOKI_RATE_LIMIT_PUBLIC", "7/10"),
            ("VOKI_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1"),
            ("VOKI_PUBLIC_URL", "https://voki.example.com/"),
        ])
        .unwrap();
        assert_eq!(settings.signup, Signup::Token("s3cret".into()));
        assert_eq!((settings.auth_limit, settings.public_limit), (None, Some(Limit { requests: 7, seconds: 10 })));
        assert_eq!(settings.trusted_proxies.len(), 2);
        assert_eq!(settings.public_url, "https://voki.example.com");
    }
}
