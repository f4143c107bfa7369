//! The settings of the local stack; `README.md` lists them.

use std::{net::SocketAddr, path::PathBuf};

use shared::{
    app::{
        SdkConfig, Settings,
        cloud::{Credentials, endpoint, sdk, sdk_as},
        settings::{BadSettings, Place, Variables, switch},
    },
    crypto::secret::Secret,
};

use crate::aws::{ACCESS_KEY, Data, External, REGION, SECRET_KEY};

/// The settings of the local stack.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// `VOKI_LISTEN`: the address of the API; port 0 picks a free one.
    pub listen: SocketAddr,
    /// `VOKI_DATA`: the data folder, or `memory`.
    pub data: Data,
    /// `VOKI_SECRET`: from which keys follow, unless it is the data folder's own.
    pub secret: Option<Secret>,
    /// `VOKI_DEMO`: seeds the demo tenant at the first start.
    pub demo: bool,
    /// `AWS_ENDPOINT_URL_…`: servers to use instead of the embedded ones.
    pub external: External,
    /// As whom the servers are called: with the environment's credentials, where it names a server and has some.
    pub sdk: SdkConfig,
    /// What the cloud has as well.
    pub shared: Settings,
}

impl LocalSettings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Those that are malformed or unknown.
    pub fn read(mut variables: Variables) -> Result<Self, BadSettings> {
        let external = External {
            dynamodb: variables.optional("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
            s3: variables.optional("AWS_ENDPOINT_URL_S3", endpoint),
            sqs: variables.optional("AWS_ENDPOINT_URL_SQS", endpoint),
        };
        let named = external.dynamodb.is_some() || external.s3.is_some() || external.sqs.is_some();
        let settings = Self {
            listen: variables.optional("VOKI_LISTEN", address).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3000))),
            data: variables.optional("VOKI_DATA", data).unwrap_or_else(|| Data::Folder(PathBuf::from(".voki"))),
            secret: variables.optional("VOKI_SECRET", Secret::parse),
            demo: variables.optional("VOKI_DEMO", switch).unwrap_or(true),
            external,
            sdk: if named && variables.has("AWS_ACCESS_KEY_ID") {
                sdk(&mut variables)
            } else {
                let embedded = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local");
                sdk_as(embedded, REGION.into(), &mut variables)
            },
            shared: Settings::read(&mut variables, Place::Local, &[]),
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
            ("AWS_ENDPOINT_URL_S3", "localhost"),
            ("VOKI_DEMOS", "1"),
            ("VOKI_SIGNUP", "x"),
        ] {
            assert!(read(&[(name, value)]).unwrap_err().starts_with(&format!("{name}: ")));
        }
        assert!(read(&[("VOKI_LISTEN", "127.0.0.1:0"), ("HOME", "/")]).is_ok());
    }
}
