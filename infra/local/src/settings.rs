//! The settings of the local stack; `README.md` lists them.

use std::{net::SocketAddr, path::PathBuf};

use shared::app::{
    Settings,
    settings::{BadSettings, Place, Variables, switch},
};

use crate::aws::{Data, External};

/// The settings of the local stack.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// `VOKI_LISTEN`: the address of the API; port 0 picks a free one.
    pub listen: SocketAddr,
    /// `VOKI_DATA`: the data folder, or `memory`.
    pub data: Data,
    /// `VOKI_DEMO`: seeds the demo tenant at the first start.
    pub demo: bool,
    /// `VOKI_TABLE`: the table's name.
    pub table: String,
    /// `AWS_ENDPOINT_URL_…`: servers to use instead of the embedded ones.
    pub external: External,
    /// What the cloud has as well.
    pub shared: Settings,
}

impl LocalSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Those that are malformed or unknown.
    pub fn read(mut variables: Variables) -> Result<Self, BadSettings> {
        let settings = Self {
            listen: variables.optional("VOKI_LISTEN", address).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            data: variables.optional("VOKI_DATA", data).unwrap_or_else(|| Data::Folder(PathBuf::from(".voki"))),
            demo: variables.optional("VOKI_DEMO", switch).unwrap_or(true),
            table: variables.optional("VOKI_TABLE", table).unwrap_or_else(|| "voki".into()),
            external: External {
                dynamodb: variables.optional("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
                s3: variables.optional("AWS_ENDPOINT_URL_S3", endpoint),
                sqs: variables.optional("AWS_ENDPOINT_URL_SQS", endpoint),
            },
            shared: Settings::read(&mut variables, Place::Local),
        };
        variables.finish().map(|()| settings)
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address and a port such as 127.0.0.1:3000".into())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a reader")]
fn data(text: &str) -> Result<Data, String> {
    Ok(if text == "memory" { Data::Memory } else { Data::Folder(PathBuf::from(text)) })
}

/// A name that DynamoDB takes.
fn table(text: &str) -> Result<String, String> {
    let valid = (3..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if valid { Ok(text.to_owned()) } else { Err("must be 3 to 255 letters, digits, _, . or -".into()) }
}

fn endpoint(text: &str) -> Result<String, String> {
    let valid = ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if valid { Ok(text.to_owned()) } else { Err("must be an http or https URL".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<LocalSettings, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        LocalSettings::read(Variables::new(variables)).map_err(|flaw| flaw.to_string())
    }

    #[test]
    fn a_bad_value_or_an_unknown_name_is_named() {
        for (name, value) in [
            ("VOKI_LISTEN", "3000"),
            ("VOKI_DEMO", "yes"),
            ("VOKI_TABLE", "no spaces"),
            ("AWS_ENDPOINT_URL_S3", "localhost"),
            ("VOKI_DEMOS", "1"),
            ("VOKI_SIGNUP", "x"),
        ] {
            assert!(read(&[(name, value)]).unwrap_err().starts_with(&format!("{name}: ")));
        }
        assert!(read(&[("VOKI_LISTEN", "127.0.0.1:0"), ("HOME", "/")]).is_ok());
    }
}
