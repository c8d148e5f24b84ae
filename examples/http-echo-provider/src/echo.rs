//! What a request is answered.

use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::{Method, Request, Response};
use std::convert::Infallible;

/// A text of ours, or the request's own body on its way back.
type Body = Either<Full<Bytes>, Incoming>;

/// Answers one request. It cannot fail: hyper refuses what is not HTTP before this is called.
pub async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.method() == Method::GET && request.uri().path() == "/healthz" {
        return Ok(Response::new(Either::Left(Full::from("ok\n"))));
    }
    let (parts, body) = request.into_parts();
    let mut response = Response::new(Either::Right(body));
    let headers = response.headers_mut();
    headers.insert("x-echo-method", value(parts.method.as_str()));
    headers.insert("x-echo-target", value(&parts.uri.to_string()));
    if let Some(kind) = parts.headers.get(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, kind.clone());
    }
    Ok(response)
}

/// A method and a target come out of a request's first line, which has no byte a header forbids;
/// whatever else might is left out.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
