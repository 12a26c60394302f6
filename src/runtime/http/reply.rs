//! The result of a request, and how it becomes an HTTP response.

use super::fault::Fault;
use super::files::Stored;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// How many bytes of a file are read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// The header that says in words what is wrong.
const REASON: HeaderName = HeaderName::from_static("reason");
/// Its maximum, in characters.
const REASON_CHARS_MAX: usize = 200;
/// The codes that have another meaning in HTTP, or none.
const NOT_HTTP: [u16; 5] = [407, 411, 443, 444, 457];

/// The result of a request that was served.
#[derive(Debug)]
pub enum HttpReply {
    /// The code 200 alone.
    Done,
    /// No content: the status 204.
    Nothing,
    /// The code 200 for a message, with the number of its row.
    Sent(u64),
    /// A JSON text.
    Json(String),
    /// A picture in memory.
    Picture {
        /// Its media type.
        media_type: &'static str,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A file, or a part of it.
    File {
        /// The file, at the first byte to send.
        file: Stored,
        /// The first and the last byte, if it is a part.
        part: Option<(u64, u64)>,
    },
    /// A part that the file does not have.
    NoSuchPart {
        /// The length of the file, in bytes.
        len: u64,
    },
    /// The URL of a file that is kept elsewhere.
    Elsewhere(String),
}

/// The response to a request.
pub fn respond(served: Result<HttpReply, Fault>, strict_status: bool) -> Response<Content> {
    let mut response = match served {
        Ok(reply) => replied(reply),
        Err(fault) => refused(fault, strict_status),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

fn refused(fault: Fault, strict_status: bool) -> Response<Content> {
    let code = fault.code;
    let status = if !strict_status && NOT_HTTP.contains(&code) { 400 } else { code };
    let mut response = text(code.to_string());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    match code {
        401 => {
            let challenge = HeaderValue::from_static("Basic realm=\"mixd\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        405 => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        _ => {}
    }
    if let Some(seconds) = fault.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(reason) = fault.why.as_deref().and_then(reason) {
        headers.insert(REASON, reason);
    }
    response
}

/// A reason as the value of a header: one line, cut at the maximum.
fn reason(why: &str) -> Option<HeaderValue> {
    let why: String = why.chars().take(REASON_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    HeaderValue::from_bytes(why.as_bytes()).ok()
}

fn replied(reply: HttpReply) -> Response<Content> {
    match reply {
        HttpReply::Done => text("200".to_owned()),
        HttpReply::Nothing => {
            let mut response = Response::new(Content::Bytes(None));
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        HttpReply::Sent(row) => {
            let mut response = text("200".to_owned());
            response.headers_mut().insert("message-id", HeaderValue::from(row));
            response
        }
        HttpReply::Json(json) => text(json),
        HttpReply::Picture { media_type, bytes } => typed(media_type, Content::Bytes(Some(bytes.into()))),
        HttpReply::File { file, part } => file_response(file, part),
        HttpReply::NoSuchPart { len } => {
            let mut response = text("416".to_owned());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(&mut response, header::CONTENT_RANGE, format!("bytes */{len}"));
            response
        }
        HttpReply::Elsewhere(url) => {
            let mut response = Response::new(Content::Bytes(None));
            *response.status_mut() = StatusCode::FOUND;
            set(&mut response, header::LOCATION, url);
            response
        }
    }
}

fn file_response(file: Stored, part: Option<(u64, u64)>) -> Response<Content> {
    let Stored { file, len, media_type, hash } = file;
    let left = part.map_or(len, |(first, last)| last - first + 1);
    let mut response = typed(media_type, Content::File { file, left });
    set(&mut response, header::ETAG, format!("\"{hash}\""));
    set(&mut response, header::ACCEPT_RANGES, "bytes".to_owned());
    if let Some((first, last)) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(&mut response, header::CONTENT_RANGE, format!("bytes {first}-{last}/{len}"));
    }
    response
}

/// A code alone is JSON, too: a number.
fn text(json: String) -> Response<Content> {
    typed("application/json", Content::Bytes(Some(json.into())))
}

fn typed(media_type: &'static str, content: Content) -> Response<Content> {
    let mut response = Response::new(content);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn set(response: &mut Response<Content>, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The body of a response.
#[derive(Debug)]
pub enum Content {
    /// Bytes in memory.
    Bytes(Option<Bytes>),
    /// A file that is read as it is sent.
    File {
        /// The file, at the next byte.
        file: tokio::fs::File,
        /// How many bytes are left to send.
        left: u64,
    },
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let (file, left) = match &mut *self {
            Content::Bytes(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::File { left: 0, .. } => return Poll::Ready(None),
            Content::File { file, left } => (file, left),
        };
        let mut chunk = vec![0; usize::try_from(*left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES)];
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(Pin::new(file).poll_read(cx, &mut buffer))?;
        let read = buffer.filled().len();
        if read == 0 {
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        chunk.truncate(read);
        *left -= read as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Content::Bytes(None) | Content::File { left: 0, .. })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Content::Bytes(bytes) => bytes.as_ref().map_or(0, Bytes::len) as u64,
            Content::File { left, .. } => *left,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_statuses_unless_that_would_mislead_an_http_library() {
        let status = |code, strict| respond(Err(Fault::new(code)), strict).status().as_u16();
        for code in [400, 401, 403, 404, 407, 411, 443, 444, 457, 500] {
            assert_eq!(status(code, true), code);
            let expected = if NOT_HTTP.contains(&code) { 400 } else { code };
            assert_eq!(status(code, false), expected);
        }
        let Content::Bytes(Some(body)) = respond(Err(Fault::new(443)), false).into_body() else { panic!("no body") };
        assert_eq!(&body[..], b"443");
    }

    #[test]
    fn who_is_unknown_is_told_how_to_log_in() {
        let response = respond(Err(Fault { retry_after_s: Some(7), ..Fault::new(401) }), true);
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
        assert_eq!(response.headers()["retry-after"], "7");
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        let told = |why: &str| respond(Err(Fault::bad(why.to_owned())), true).headers()["reason"].clone();
        assert_eq!(told("gs: expected a text"), "gs: expected a text");
        assert_eq!(told("a\r\nSet-Cookie: b"), "a  Set-Cookie: b");
        assert_eq!(told(&"ä".repeat(1000)).as_bytes(), "ä".repeat(REASON_CHARS_MAX).as_bytes());
    }
}
