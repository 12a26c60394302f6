//! Which web pages may send requests: those of the API's own origin and those that the operator listed (Fetch, CORS
//! protocol).
//!
//! A browser sends its stored credentials with a request, whatever page makes it. So a request from a page of another
//! site is refused before anything is done in the account's name.

use super::fault::Fault;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};

/// Says which site a request comes from. Browsers set it and pages cannot.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, range");
/// The response headers that pages may read in addition to the usual ones.
const EXPOSED: HeaderValue = HeaderValue::from_static("message-id, reason, retry-after, content-range");
/// How long a browser may remember a preflight, in seconds.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// Origins that the operator listed, such as `https://chat.example.org`.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The origins that are listed.
    pub fn new(listed: &[String]) -> Origins {
        Origins(listed.to_vec())
    }

    /// The origin of a request, if it is listed.
    pub fn listed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        self.0.iter().any(|listed| listed == text).then(|| origin.clone())
    }

    /// Refuses a request that a page of another site makes.
    ///
    /// # Errors
    /// 400.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), Fault> {
        let headers = request.headers();
        if self.listed(headers).is_some() {
            return Ok(());
        }
        let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
        let is_own = match (site, headers.get(header::ORIGIN)) {
            (Some(site), _) => matches!(site, b"same-origin" | b"none"),
            (None, Some(origin)) => headers.get(header::HOST).is_some_and(|host| is_of(origin, host)),
            // The request was not made by a page.
            (None, None) => true,
        };
        if is_own { Ok(()) } else { Err(Fault::bad("Origin: this page may not ask; list it in http.origins")) }
    }

    /// Whether a request is a preflight for a listed page.
    pub fn is_preflight<B>(&self, request: &Request<B>) -> bool {
        let headers = request.headers();
        *request.method() == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && self.listed(headers).is_some()
    }
}

/// Whether an origin is that of a host.
fn is_of(origin: &HeaderValue, host: &HeaderValue) -> bool {
    let (Ok(origin), Ok(host)) = (origin.to_str(), host.to_str()) else { return false };
    origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
}

/// Lets a page of a listed origin read a response.
pub fn open<B>(response: &mut Response<B>, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    // A cache must not give the answer for one page to another.
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

/// Says what a page of a listed origin may send.
pub fn allow<B>(response: &mut Response<B>) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_may_not_ask_unless_they_are_listed() {
        let origins = Origins::new(&["https://chat.example.org".to_owned()]);
        for (headers, may) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://chat.example.org")], true),
            (&[("origin", "https://API.example.org:8443")], true),
            (&[("origin", "https://api.example.org")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://chat.example.org")], true),
            (&[("origin", "https://chat.example.org.evil.example")], false),
        ] {
            let mut request = Request::builder().header("host", "api.example.org:8443");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(origins.check(&request.body(()).unwrap()).is_ok(), may, "{headers:?}");
        }
    }
}
