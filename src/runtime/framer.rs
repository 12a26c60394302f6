//! Cuts the bytes of a component's stream into whole top-level elements, without reading them into trees.
//!
//! Every byte is looked at once, whatever the chunks. Memory is bounded by [`StanzaLimits`]: an element over a limit is
//! skipped and reported with its start tag alone, so that its sender gets an error and the stream goes on. The frames
//! are the same however the input is cut into chunks.

mod half;

pub use half::HalfRead;

use crate::steps;
use memchr::{memchr, memchr3};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How much is kept of the start tag of an element over a limit, in bytes. Two addresses and an id fit.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How many bytes that are scanned and kept together count as one step.
const BYTES_A_STEP: usize = 64;
/// The buffer is freed after an element larger than this, in bytes.
const BUFFER_BYTES_KEPT: usize = 64 * 1024;

/// Limits of one stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StanzaLimits {
    /// The whole stanza, in bytes.
    pub stanza_bytes_max: usize,
    /// How deep its elements nest; the stanza itself is 1.
    pub stanza_depth_max: usize,
    /// How many elements it has, including itself.
    pub stanza_elements_max: usize,
    /// The value of one attribute as written, in bytes.
    pub attribute_bytes_max: usize,
    /// Attributes of one element.
    pub attributes_max: usize,
    /// One start tag, in bytes: as received, and as written with the namespaces that it inherits.
    pub start_tag_bytes_max: usize,
}

/// The limit that an element exceeds. Of several, the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Excess {
    /// [`StanzaLimits::stanza_bytes_max`]
    Bytes,
    /// [`StanzaLimits::stanza_depth_max`]
    Depth,
    /// [`StanzaLimits::stanza_elements_max`]
    Elements,
    /// [`StanzaLimits::attribute_bytes_max`]
    AttributeBytes,
    /// [`StanzaLimits::attributes_max`]
    Attributes,
    /// [`StanzaLimits::start_tag_bytes_max`]
    StartTagBytes,
}

/// A part of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The stream header: its start tag.
    Header(&'a [u8]),
    /// An empty or filled `<handshake/>`.
    Handshake,
    /// A complete stream error.
    StreamError(&'a [u8]),
    /// Any other complete element.
    Stanza(&'a [u8]),
    /// An element over a limit: its start tag, or the beginning of it.
    Oversize(&'a [u8], Excess),
    /// The end tag of the stream.
    End,
}

/// The input is no XML stream. It cannot be told where the next stanza starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotXmpp(pub &'static str);

#[derive(Clone, Copy, Debug)]
enum At {
    /// Between tags.
    Text,
    /// Behind `<`.
    Markup,
    /// In a start tag.
    StartTag,
    /// In the value of an attribute that ends with this quote.
    Value(u8),
    /// In an end tag.
    EndTag,
    /// Behind `<!`, with the number of bytes read of what may follow.
    Declaration(&'static [u8], usize),
    /// In a comment, CDATA or an instruction: `seen` of the `need` marks that stand before the closing `>`.
    Until { mark: u8, need: u8, seen: u8 },
}

/// The state between two chunks.
#[derive(Debug)]
pub struct Framer {
    limits: StanzaLimits,
    at: At,
    opened: bool,
    depth: usize,
    /// The part of the current element that is kept.
    kept: Vec<u8>,
    len: usize,
    head_len: Option<usize>,
    excess: Option<Excess>,
    elements: usize,
    attributes: usize,
    value_len: usize,
    tag_len: usize,
    last: u8,
}

impl Framer {
    /// A framer before the stream header.
    pub fn new(limits: StanzaLimits) -> Framer {
        Framer {
            limits,
            at: At::Text,
            opened: false,
            depth: 0,
            kept: Vec::new(),
            len: 0,
            head_len: None,
            excess: None,
            elements: 0,
            attributes: 0,
            value_len: 0,
            tag_len: 0,
            last: 0,
        }
    }

    /// The limits of stanzas.
    pub fn limits(&self) -> StanzaLimits {
        self.limits
    }

    /// Takes the next bytes, and passes each frame that they complete to `each`.
    ///
    /// # Errors
    /// [`NotXmpp`]: the stream is unusable from here on.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Frame<'_>)) -> Result<(), NotXmpp> {
        while !bytes.is_empty() {
            let taken = match self.at {
                At::Text => self.text(bytes)?,
                At::Markup => self.markup(bytes[0]),
                At::StartTag => self.start_tag(bytes, &mut each)?,
                At::Value(quote) => self.value(bytes, quote),
                At::EndTag => self.end_tag(bytes, &mut each),
                At::Declaration(rest, n) => self.declaration(bytes[0], rest, n)?,
                At::Until { mark, need, seen } => self.until(bytes, mark, need, seen),
            };
            steps::take(1 + taken / BYTES_A_STEP);
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Result<usize, NotXmpp> {
        let end = memchr(b'<', bytes).unwrap_or(bytes.len());
        if self.depth > 0 {
            self.keep(&bytes[..end]);
        } else if !bytes[..end].iter().all(u8::is_ascii_whitespace) {
            return Err(NotXmpp("the peer sends text where stanzas belong"));
        }
        if end == bytes.len() {
            return Ok(end);
        }
        if self.depth == 0 {
            self.begin();
        }
        self.keep(b"<");
        self.at = At::Markup;
        Ok(end + 1)
    }

    fn markup(&mut self, byte: u8) -> usize {
        self.at = match byte {
            b'/' => At::EndTag,
            b'!' => At::Declaration(b"", 0),
            b'?' => At::Until { mark: b'?', need: 1, seen: 0 },
            _ => {
                self.elements += 1;
                self.exceed_if(self.elements > self.limits.stanza_elements_max, Excess::Elements);
                (self.attributes, self.tag_len) = (0, 1);
                self.last = b'<';
                self.at = At::StartTag;
                return 0;
            }
        };
        self.keep(&[byte]);
        1
    }

    fn start_tag(&mut self, bytes: &[u8], each: &mut impl FnMut(Frame<'_>)) -> Result<usize, NotXmpp> {
        let Some(end) = memchr3(b'>', b'\'', b'"', bytes) else {
            self.keep_of_tag(bytes);
            self.last = bytes[bytes.len() - 1];
            return Ok(bytes.len());
        };
        self.keep_of_tag(&bytes[..=end]);
        let before = if end > 0 { bytes[end - 1] } else { self.last };
        self.last = bytes[end];
        if bytes[end] == b'>' {
            self.at = At::Text;
            self.head_len.get_or_insert(self.len);
            self.opening(before == b'/', each)?;
        } else {
            self.attributes += 1;
            self.exceed_if(self.attributes > self.limits.attributes_max, Excess::Attributes);
            self.value_len = 0;
            self.at = At::Value(bytes[end]);
        }
        Ok(end + 1)
    }

    fn opening(&mut self, closed: bool, each: &mut impl FnMut(Frame<'_>)) -> Result<(), NotXmpp> {
        if !self.opened {
            if self.excess.is_some() || !matches!(name(&self.kept), b"stream:stream" | b"stream") {
                return Err(NotXmpp("the peer does not open an XMPP stream"));
            }
            self.opened = true;
            each(Frame::Header(&self.kept));
            if closed {
                each(Frame::End);
            }
            return Ok(());
        }
        self.depth += 1;
        self.exceed_if(self.depth > self.limits.stanza_depth_max, Excess::Depth);
        if closed {
            self.close(each);
        }
        Ok(())
    }

    fn value(&mut self, bytes: &[u8], quote: u8) -> usize {
        let end = memchr(quote, bytes);
        self.value_len += end.unwrap_or(bytes.len());
        self.exceed_if(self.value_len > self.limits.attribute_bytes_max, Excess::AttributeBytes);
        let taken = match end {
            Some(end) => {
                self.at = At::StartTag;
                end + 1
            }
            None => bytes.len(),
        };
        self.keep_of_tag(&bytes[..taken]);
        taken
    }

    fn end_tag(&mut self, bytes: &[u8], each: &mut impl FnMut(Frame<'_>)) -> usize {
        let Some(end) = memchr(b'>', bytes) else {
            self.keep(bytes);
            return bytes.len();
        };
        self.keep(&bytes[..=end]);
        self.at = At::Text;
        if self.depth == 0 {
            each(Frame::End);
        } else {
            self.close(each);
        }
        end + 1
    }

    fn declaration(&mut self, byte: u8, rest: &'static [u8], n: usize) -> Result<usize, NotXmpp> {
        let rest = match (n, byte) {
            (0, b'-') => &b"--"[..],
            // Outside a stanza there is no text, so no CDATA section either.
            (0, b'[') if self.depth > 0 => b"[CDATA[",
            _ => rest,
        };
        if rest.get(n) != Some(&byte) {
            return Err(NotXmpp("the peer sends a declaration inside the stream (RFC 6120 §11.1)"));
        }
        self.keep(&[byte]);
        self.at = match n + 1 == rest.len() {
            true => At::Until { mark: if rest == b"--" { b'-' } else { b']' }, need: 2, seen: 0 },
            false => At::Declaration(rest, n + 1),
        };
        Ok(1)
    }

    fn until(&mut self, bytes: &[u8], mark: u8, need: u8, seen: u8) -> usize {
        if seen == 0 {
            let taken = memchr(mark, bytes).map_or(bytes.len(), |at| at + 1);
            let seen = u8::from(bytes[taken - 1] == mark);
            self.keep(&bytes[..taken]);
            self.at = At::Until { mark, need, seen };
            return taken;
        }
        self.keep(&bytes[..1]);
        self.at = match bytes[0] {
            b'>' if seen >= need => At::Text,
            byte if byte == mark => At::Until { mark, need, seen: need.min(seen + 1) },
            _ => At::Until { mark, need, seen: 0 },
        };
        1
    }

    fn begin(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(BUFFER_BYTES_KEPT);
        (self.len, self.head_len, self.excess, self.elements) = (0, None, None, 0);
    }

    fn keep_of_tag(&mut self, bytes: &[u8]) {
        self.tag_len += bytes.len();
        self.exceed_if(self.tag_len > self.limits.start_tag_bytes_max, Excess::StartTagBytes);
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        self.exceed_if(self.len > self.limits.stanza_bytes_max, Excess::Bytes);
        let room = match (self.excess, self.head_len) {
            (None, _) => bytes.len(),
            (Some(_), None) => HEAD_BYTES_MAX.saturating_sub(self.kept.len()),
            (Some(_), Some(_)) => 0,
        };
        self.kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    fn exceed_if(&mut self, over: bool, excess: Excess) {
        if !over {
            return;
        }
        self.excess = Some(self.excess.map_or(excess, |earlier| earlier.min(excess)));
        self.kept.truncate(self.head_len.unwrap_or(HEAD_BYTES_MAX).min(HEAD_BYTES_MAX));
    }

    fn close(&mut self, each: &mut impl FnMut(Frame<'_>)) {
        self.depth -= 1;
        if self.depth > 0 {
            return;
        }
        each(match (self.excess, name(&self.kept)) {
            (Some(excess), _) => Frame::Oversize(&self.kept, excess),
            (None, b"handshake") => Frame::Handshake,
            (None, b"stream:error" | b"error") => Frame::StreamError(&self.kept),
            (None, _) => Frame::Stanza(&self.kept),
        });
        self.begin();
    }
}

/// The name in the start tag at the head of `tag`.
fn name(tag: &[u8]) -> &[u8] {
    let rest = tag.get(1..).unwrap_or_default();
    let end = rest.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>')).unwrap_or(rest.len());
    &rest[..end]
}

#[cfg(test)]
#[path = "framer_tests.rs"]
mod tests;
