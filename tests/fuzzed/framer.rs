//! Bytes of a stream: cut the same however they come, nothing over a limit, and as a parser of whole documents sees it.

#[path = "bound.rs"]
pub mod bound;

use bound::within;
use minidom::Element;
use mixd::runtime::framer::{Excess, Frame, Framer, StanzaLimits};
use mixd::xmpp::{Condition, Stanza, StanzaError, Unreadable, ns};

/// Small, so that inputs of a few bytes reach them.
const LIMITS: StanzaLimits = StanzaLimits {
    stanza_bytes_max: 400,
    stanza_depth_max: 6,
    stanza_elements_max: 12,
    attribute_bytes_max: 80,
    start_tag_bytes_max: 120,
    attributes_max: 6,
};
/// How much of a start tag may be kept of what is over a limit, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADER: &str = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>";

/// One thing that the stream said.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Header(Vec<u8>),
    Handshake,
    StreamError(Vec<u8>),
    Stanza(Vec<u8>),
    Oversize(Vec<u8>, Excess),
    End,
}

/// Feeds a stream that begins with its header, and another one where the input itself has to bring it.
pub fn feed(input: &[u8]) {
    let opened = [HEADER.as_bytes(), input].concat();
    for stream in [input, &opened] {
        let whole = within(stream.len(), || cut(stream, &mut || usize::MAX));
        assert_eq!(whole, cut(stream, &mut || 1), "cut otherwise byte by byte");
        // Sizes that the input draws, so that a finding can be repeated.
        let mut state = input.iter().fold(7_u32, |state, byte| state.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        let mut size = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as usize % 32 + 1
        };
        assert_eq!(whole, cut(stream, &mut size), "cut otherwise in chunks");
        whole.0.iter().for_each(check);
    }
    agree_with_a_parser(input, &opened);
}

fn cut(stream: &[u8], size: &mut dyn FnMut() -> usize) -> (Vec<Said>, bool) {
    let (mut framer, mut said, mut rest) = (Framer::new(LIMITS), Vec::new(), stream);
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(size().min(rest.len()));
        rest = behind;
        let fed = framer.feed(chunk, |frame| {
            said.push(match frame {
                Frame::Header(bytes) => Said::Header(bytes.to_vec()),
                Frame::Handshake => Said::Handshake,
                Frame::StreamError(bytes) => Said::StreamError(bytes.to_vec()),
                Frame::Stanza(bytes) => Said::Stanza(bytes.to_vec()),
                Frame::Oversize(bytes, excess) => Said::Oversize(bytes.to_vec(), excess),
                Frame::End => Said::End,
            });
        });
        if fed.is_err() {
            return (said, false);
        }
    }
    (said, true)
}

/// What is handed on keeps to the limits, and can be read or answered without a panic.
fn check(said: &Said) {
    match said {
        Said::Stanza(bytes) | Said::StreamError(bytes) => {
            assert!(bytes.len() <= LIMITS.stanza_bytes_max, "{} bytes", bytes.len());
            assert!(bytes.starts_with(b"<") && bytes.ends_with(b">"), "no whole element");
            let read = Stanza::parse(bytes);
            // What is told of a stanza that cannot be read is what is read of one that can.
            if let Ok(stanza) = read {
                let head = Unreadable::from_head(bytes, StanzaError::new(Condition::BadRequest, ""));
                assert!(depth(&stanza.element) <= LIMITS.stanza_depth_max, "too deep");
                assert!(head.kind.is_none_or(|kind| kind == stanza.kind), "{head:?} of {stanza:?}");
            }
        }
        Said::Oversize(head, _) => {
            assert!(head.len() <= HEAD_BYTES_MAX, "{} bytes", head.len());
            Unreadable::from_head(head, StanzaError::new(Condition::PolicyViolation, ""));
        }
        Said::Header(_) | Said::Handshake | Said::End => {}
    }
}

fn depth(element: &Element) -> usize {
    1 + element.children().map(depth).max().unwrap_or(0)
}

/// What is one well-formed document has as many elements for the framer as for the parser, each with the same name.
fn agree_with_a_parser(input: &[u8], opened: &[u8]) {
    // A document deep enough would overflow the parser's stack.
    if input.len() > 4096 {
        return;
    }
    let document = [opened, b"</stream:stream>"].concat();
    let Ok(tree) = Element::from_reader_with_prefixes(&document[..], ns::COMPONENT.to_owned()) else { return };
    let (said, is_stream) = cut(&document, &mut || usize::MAX);
    if !is_stream {
        return;
    }
    let local =
        |name: &[u8]| String::from_utf8_lossy(name.rsplit(|b| *b == b':').next().unwrap_or_default()).into_owned();
    // Behind its end a stream is not read.
    let names = said.split(|said| *said == Said::End).next().unwrap_or_default();
    let names = names.iter().filter_map(|said| match said {
        Said::Handshake => Some("handshake".to_owned()),
        Said::Stanza(bytes) | Said::StreamError(bytes) | Said::Oversize(bytes, _) => {
            let name = &bytes[1..];
            let end = name.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'));
            Some(local(&name[..end.unwrap_or(name.len())]))
        }
        Said::Header(_) | Said::End => None,
    });
    let names: Vec<String> = names.collect();
    let elements: Vec<String> = tree.children().map(|child| child.name().to_owned()).collect();
    assert_eq!(names, elements, "a parser sees other elements: {}", String::from_utf8_lossy(&document));
    assert!(said.contains(&Said::End), "a parser sees the end: {}", String::from_utf8_lossy(&document));
}
