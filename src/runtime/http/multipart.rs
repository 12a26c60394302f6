//! Reads `multipart/form-data` (RFC 7578) as it arrives.
//!
//! Invariant: memory holds one piece of the body as it came, a delimiter, and the headers of one part, which have a
//! limit of their own.

use super::body::Inflow;
use super::fault::Fault;
use hyper::body::Bytes;
use memchr::memmem;

/// The maximum of the headers of one part, in bytes.
const HEAD_BYTES_MAX: usize = 8192;
const LONG_HEAD: &str = "the headers of a part are too long";
/// The maximum of parts in one body. No method takes as many as ten.
const PARTS_MAX: usize = 16;
/// The maximum of a boundary, in bytes (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// The source of the body.
pub trait BodySource {
    /// The next bytes; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Fault>> + Send;
}

impl BodySource for Inflow {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        Inflow::next(self).await
    }
}

/// A body in parts.
pub struct Multipart<S> {
    source: S,
    /// The delimiter: line break, two hyphens, boundary.
    delimiter: Vec<u8>,
    kept: Vec<u8>,
    within: bool,
    parts: usize,
}

/// The head of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The field's name.
    pub name: String,
    /// The file's name, if the part is a file.
    pub file_name: Option<String>,
    /// The media type that it claims, in lower case.
    pub media_type: Option<String>,
}

/// The boundary in a media type; `None` where that is not multipart.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut found = parameters(rest).into_iter().filter(|(name, _)| name == "boundary").map(|(_, value)| value);
    let boundary = found.next().filter(|boundary| !boundary.is_empty() && boundary.len() <= BOUNDARY_BYTES_MAX)?;
    found.next().is_none().then_some(boundary)
}

impl<S: BodySource> Multipart<S> {
    /// The parts of a body with this boundary.
    pub fn new(source: S, boundary: &str) -> Multipart<S> {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter may stand at the very beginning. What precedes it is skipped like a part.
        Multipart { source, delimiter, kept: b"\r\n".to_vec(), within: true, parts: 0 }
    }

    /// The next part. The rest of the part before it is skipped.
    ///
    /// # Errors
    /// 400 where the body is no valid multipart.
    pub async fn next_part(&mut self) -> Result<Option<PartHead>, Fault> {
        while self.within {
            self.next_bytes().await?;
        }
        while self.kept.len() < 2 {
            self.fill().await?;
        }
        if self.kept.starts_with(b"--") {
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(Fault::bad(format!("there are more than {PARTS_MAX} parts")));
        }
        let end = loop {
            if let Some(end) = memmem::find(&self.kept, b"\r\n\r\n") {
                break end;
            }
            if self.kept.len() > HEAD_BYTES_MAX {
                return Err(Fault::bad(LONG_HEAD));
            }
            self.fill().await?;
        };
        if end > HEAD_BYTES_MAX {
            return Err(Fault::bad(LONG_HEAD));
        }
        let head = std::str::from_utf8(&self.kept[..end]).ok().and_then(read_head);
        let head = head.ok_or(Fault::bad("a part has no Content-Disposition: form-data with a name"))?;
        self.kept.drain(..end + 4);
        // The part is empty: the line break that ended its headers is the one of its delimiter.
        self.kept.splice(..0, *b"\r\n");
        self.within = true;
        self.first_break().await?;
        Ok(Some(head))
    }

    /// Removes the line break that was put before a part's content, unless the content is empty.
    async fn first_break(&mut self) -> Result<(), Fault> {
        while self.kept.len() < self.delimiter.len() {
            self.fill().await?;
        }
        if !self.kept.starts_with(&self.delimiter) {
            self.kept.drain(..2);
        }
        Ok(())
    }

    /// The next bytes of the part; `None` at its end.
    ///
    /// # Errors
    /// 400 where the body ends within a part.
    pub async fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            if let Some(end) = memmem::find(&self.kept, &self.delimiter) {
                if end > 0 {
                    return Ok(Some(self.kept.drain(..end).collect()));
                }
                self.kept.drain(..self.delimiter.len());
                self.within = false;
                return Ok(None);
            }
            let safe = (self.kept.len() + 1).saturating_sub(self.delimiter.len());
            if safe > 0 {
                return Ok(Some(self.kept.drain(..safe).collect()));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), Fault> {
        let bytes = self.source.next().await?.ok_or(Fault::bad("the body ends within a part"))?;
        self.kept.extend_from_slice(&bytes);
        Ok(())
    }
}

/// Parses the headers of a part.
fn read_head(text: &str) -> Option<PartHead> {
    let (padding, lines) = text.split_once("\r\n").unwrap_or((text, ""));
    if !padding.bytes().all(|b| matches!(b, b' ' | b'\t')) {
        return None;
    }
    let header = |wanted: &str| {
        let named = lines.split("\r\n").filter_map(|line| line.split_once(':'));
        let mut found = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
        // A header that is there twice is refused: no two readers may differ in which of them counts.
        found.next().map_or(Some(None), |value| found.next().is_none().then_some(Some(value)))
    };
    let (kind, rest) = header("content-disposition")??.split_once(';')?;
    let media_type = header("content-type")?.and_then(|value| value.split(';').next());
    let parameters = parameters(rest);
    let parameter = |wanted: &str| {
        let mut found = parameters.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        found.next().map_or(Some(None), |value| found.next().is_none().then_some(Some(value)))
    };
    let head = PartHead {
        name: parameter("name")?.filter(|name| !name.is_empty())?,
        file_name: parameter("filename")?,
        media_type: media_type.map(|text| text.trim().to_ascii_lowercase()),
    };
    kind.trim().eq_ignore_ascii_case("form-data").then_some(head)
}

/// Parameters such as `name=value; name="quoted; value"`, with names in lower case.
fn parameters(text: &str) -> Vec<(String, String)> {
    let (mut found, mut chars) = (Vec::new(), text.chars().peekable());
    while chars.peek().is_some() {
        let mut name = String::new();
        while let Some(c) = chars.next_if(|&c| c != '=' && c != ';') {
            name.push(c);
        }
        let mut value = String::new();
        if chars.next() == Some('=') {
            if chars.next_if_eq(&'"').is_some() {
                while let Some(c) = chars.next().filter(|&c| c != '"') {
                    value.extend(if c == '\\' { chars.next() } else { Some(c) });
                }
                chars.by_ref().find(|&c| c == ';');
            } else {
                value = chars.by_ref().take_while(|&c| c != ';').collect::<String>().trim().to_owned();
            }
        }
        found.push((name.trim().to_ascii_lowercase(), value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Chunks(std::vec::IntoIter<Bytes>);

    impl BodySource for Chunks {
        async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
            Ok(self.0.next())
        }
    }

    async fn read(text: &[u8], size: usize) -> Result<Vec<(PartHead, Vec<u8>)>, Fault> {
        let chunks: Vec<Bytes> = text.chunks(size).map(Bytes::copy_from_slice).collect();
        let mut parts = Multipart::new(Chunks(chunks.into_iter()), "XX");
        let mut found = Vec::new();
        while let Some(head) = parts.next_part().await? {
            let mut content = Vec::new();
            while let Some(bytes) = parts.next_bytes().await? {
                content.extend(bytes);
            }
            found.push((head, content));
        }
        Ok(found)
    }

    #[tokio::test]
    async fn parts_are_the_same_however_the_body_is_cut() {
        let text = b"preamble\r\n--XX \r\nContent-Disposition: form-data; name=\"gm\"\r\n\r\nuploadAvatar\r\n--XX\r\n\
                     content-type: Image/JPEG; a=b\r\nContent-Disposition: form-data; name=a; filename=\"x;\\\"y\"\r\n\r\n\
                     \r\n--X\r\n--Y\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--XX--\r\nrest";
        let head = |name: &str, file: Option<&str>| PartHead {
            name: name.into(),
            file_name: file.map(str::to_owned),
            media_type: file.map(|_| "image/jpeg".to_owned()),
        };
        for size in 1..text.len() + 1 {
            let expected = vec![
                (head("gm", None), b"uploadAvatar".to_vec()),
                (head("a", Some("x;\"y")), b"\r\n--X\r\n--Y\r\n".to_vec()),
                (head("empty", None), Vec::new()),
            ];
            assert_eq!(read(text, size).await, Ok(expected), "{size}");
        }
    }

    #[tokio::test]
    async fn what_is_cut_short_or_odd_is_refused_and_headers_have_an_end() {
        let long = [&b"--XX\r\nA: "[..], &[b'x'; 20_000], b"\r\n\r\n"].concat();
        for wrong in [
            &b""[..],
            b"--XX",
            b"--XX\r\n",
            b"--XX\r\n\r\nx\r\n--XX--",
            b"--XX\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--XX--",
            b"--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--",
            b"--XX\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--XX--",
            b"--XX\r\nContent-Disposition: form-data; name=\"\xFF\"\r\n\r\nx\r\n--XX--",
            b"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\nx\r\n--XX--",
            b"--XXY\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX--",
            b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--X",
            &long,
        ] {
            let refused = read(wrong, 7).await.map_err(|fault| fault.code);
            assert_eq!(refused, Err(400), "{}", String::from_utf8_lossy(wrong));
        }
        assert_eq!(read(b"--XX--", 3).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn parts_are_counted() {
        let part = "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
        let body = |count: usize| part.repeat(count) + "--XX--";
        assert_eq!(read(body(PARTS_MAX).as_bytes(), 4096).await.unwrap().len(), PARTS_MAX);
        let fault = read(body(PARTS_MAX + 1).as_bytes(), 4096).await.unwrap_err();
        assert_eq!((fault.code, fault.why.as_deref()), (400, Some("there are more than 16 parts")));
    }

    #[test]
    fn boundaries_are_read_from_media_types() {
        assert_eq!(boundary("multipart/form-data; boundary=----a1").as_deref(), Some("----a1"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").as_deref(), Some("a b"));
        for none in [
            "",
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=a; boundary=b",
        ] {
            assert_eq!(boundary(none), None, "{none}");
        }
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }
}
