//! Behind an API Gateway HTTP API: what the gateway adds that the routes do not know.

use std::convert::Infallible;

use axum::{Router, http::Uri, response::Response};
use lambda_http::{
    Request, RequestExt,
    request::RequestContext,
    tower::{Service, ServiceBuilder},
};

/// A service as the function that the gateway calls.
pub fn behind(service: Router) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone {
    ServiceBuilder::new().map_request(without_stage).service(service)
}

/// Takes the prefix of a named stage off the path (`/prod/api/health`); `$default` has none.
fn without_stage(mut request: Request) -> Request {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else { return request };
    let stage = context.stage.as_deref().unwrap_or_default();
    let path = request.uri().path();
    let inner = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage)).filter(|rest| rest.starts_with('/'));
    if let Some(inner) = inner.filter(|_| !stage.is_empty()) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{inner}{query}").parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}
