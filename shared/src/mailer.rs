//! The client of SES.

use aws_sdk_sesv2::{
    Client,
    error::ProvideErrorMetadata,
    types::{Body, Content, Destination, EmailContent, Message},
};

use crate::error::{Error, Result};

/// What a mail says.
#[derive(Debug)]
pub struct Text {
    /// The subject.
    pub subject: String,
    /// As plain text.
    pub plain: String,
    /// As HTML.
    pub html: String,
}

/// What mails are sent through: SES.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    from: String,
}

impl Mailer {
    /// Mails from this address.
    #[must_use]
    pub fn new(client: Client, from: String) -> Self {
        Self { client, from }
    }

    /// Sends one mail, to each recipient.
    ///
    /// # Errors
    /// [`Error::Internal`] when SES does not take it.
    pub async fn send(&self, to: Vec<String>, text: Text) -> Result<()> {
        let content =
            |data: String| Content::builder().data(data).charset("UTF-8").build().map_err(|e| Error::internal("mail", e));
        let body = Body::builder().text(content(text.plain)?).html(content(text.html)?).build();
        let message = Message::builder().subject(content(text.subject)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().set_to_addresses(Some(to)).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        sent.map(drop).map_err(|error| Error::of_service("SendEmail", error.code(), error.message(), &error))
    }
}
