//! Requests and answers of the services, as JSON.

use aws_smithy_runtime_api::client::{
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::Value;

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    request: HttpRequest,
    /// What is called, as `DynamoDB_20120810.Query`.
    pub(super) target: String,
    /// The SDK's name of the call; all its attempts share it.
    pub(super) invocation: String,
    /// Bytes as the SDK wrote them.
    pub(super) size: usize,
    pub(super) body: Value,
}

impl Asked {
    pub(super) fn of(request: HttpRequest) -> Self {
        let header = |name| request.headers().get(name).unwrap_or_default().to_owned();
        let (mut target, invocation) = (header("x-amz-target"), header("amz-sdk-invocation-id"));
        if request.uri().ends_with("/v2/email/outbound-emails") {
            target = "SES.SendEmail".into();
        }
        let bytes = request.body().bytes().unwrap_or_default();
        let (size, body) = (bytes.len(), serde_json::from_slice(bytes).unwrap_or_default());
        Self { request, target, invocation, size, body }
    }

    /// What is called of which service.
    pub(super) fn action(&self) -> &str {
        self.target.rsplit('.').next().unwrap_or_default()
    }

    /// It is a call of the table's service.
    pub(super) fn is_of_table(&self) -> bool {
        self.target.starts_with("DynamoDB")
    }

    /// Asks for what it costs, and reads an index of another table if one is given.
    pub(super) fn watch(&mut self, stale: Option<&str>) {
        if self.is_of_table() {
            self.body["ReturnConsumedCapacity"] = "INDEXES".into();
        }
        if let Some(table) = stale.filter(|_| self.body.get("IndexName").is_some()) {
            self.body["TableName"] = table.into();
        }
    }

    pub(super) fn to_request(&self) -> HttpRequest {
        let body = self.body.to_string();
        let mut request = self.request.try_clone().unwrap();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        request
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Value,
}

impl Told {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: vec![("content-type".into(), "application/x-amz-json-1.0".into())], body }
    }

    pub(super) async fn of(response: HttpResponse) -> Result<Self, ConnectorError> {
        let status = response.status().as_u16();
        let kept = |name: &&str| !["content-length", "x-amz-crc32"].contains(name);
        let headers = response.headers().iter().filter(|(name, _)| kept(name));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let bytes = response.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
        Ok(Self { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let body = SdkBody::from(self.body.to_string());
        let mut response = HttpResponse::new(self.status.try_into().unwrap(), body);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
