//! The framer with sane, odd and hostile bytes, in chunks of every size.

use super::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

const LIMITS: StanzaLimits = StanzaLimits {
    stanza_bytes_max: 4096,
    stanza_depth_max: 8,
    stanza_elements_max: 40,
    attribute_bytes_max: 100,
    start_tag_bytes_max: 120,
    attributes_max: 6,
};
const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' id='a>b'>";

fn frames(bytes: &[u8], mut chunk_bytes: impl FnMut() -> usize) -> Vec<String> {
    let (mut framer, mut found, mut rest) = (Framer::new(LIMITS), Vec::new(), bytes);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(chunk_bytes().clamp(1, rest.len()));
        rest = after;
        let fed = framer.feed(chunk, |frame| {
            found.push(match frame {
                Frame::Header(b) => format!("header {}", String::from_utf8_lossy(b)),
                Frame::StreamError(b) => format!("error {}", String::from_utf8_lossy(b)),
                Frame::Stanza(b) => format!("stanza {}", String::from_utf8_lossy(b)),
                Frame::Oversize(b, excess) => format!("{excess:?} {}", String::from_utf8_lossy(b)),
                Frame::Handshake => "handshake".to_owned(),
                Frame::End => "end".to_owned(),
            });
        });
        if let Err(error) = fed {
            found.push(format!("not xmpp: {error}"));
            break;
        }
    }
    found
}

/// The frames behind the header, the same for every chunking.
fn behind_header(stream: &str) -> Vec<String> {
    let bytes = format!("{HEADER}{stream}").into_bytes();
    let whole = frames(&bytes, || usize::MAX);
    assert_eq!(whole, frames(&bytes, || 1));
    assert_eq!(whole, frames(&bytes, || 7));
    assert!(whole[0].starts_with("header <stream:stream"), "{whole:?}");
    whole[1..].to_vec()
}

#[test]
fn a_stream_is_cut_at_its_top_level_elements() {
    let found = behind_header(
        "<handshake/> \n<iq a='/>' b=\"'>\"><x><y/></x>a>b</iq><presence/><stream:error><z/></stream:error></stream:stream>",
    );
    assert_eq!(
        found,
        [
            "handshake",
            "stanza <iq a='/>' b=\"'>\"><x><y/></x>a>b</iq>",
            "stanza <presence/>",
            "error <stream:error><z/></stream:error>",
            "end"
        ]
    );
}

#[test]
fn markup_inside_comments_cdata_and_instructions_is_no_markup() {
    let inner = "<a><!-- </a> - -- > <b> --><![CDATA[</a><c>]>]]]><?x </a>?x??></a>";
    assert_eq!(
        behind_header(&format!("<!-- <q> --><?php <z> ?>{inner}<b/>")),
        [format!("stanza {inner}"), "stanza <b/>".to_owned()]
    );
}

#[test]
fn what_no_stream_holds_ends_it() {
    for (stream, end) in [("text", "text"), ("<!DOCTYPE a>", "declaration"), ("<![CDATA[x]]>", "declaration")] {
        let found = behind_header(stream);
        assert!(found[0].starts_with("not xmpp") && found[0].contains(end), "{found:?}");
    }
    let inside = behind_header("<a><!ENTITY b 'c'></a>");
    assert!(inside[0].contains("declaration"), "{inside:?}");
    for other in ["HTTP/1.1 400 Bad Request\r\n", "<html></html>"] {
        assert!(frames(other.as_bytes(), || 3)[0].starts_with("not xmpp"));
    }
}

#[test]
fn what_is_over_a_limit_is_reported_with_its_start_tag_and_passed_over() {
    let head = "<message from='a@b/c' to='d@e' id='1'>";
    let cases = [
        ("Bytes", format!("<body>{}</body>", "x".repeat(9000))),
        ("Depth", format!("{}{}", "<a>".repeat(8), "</a>".repeat(8))),
        ("Elements", "<a/>".repeat(40)),
        ("AttributeBytes", format!("<a b='{}'/>", "y".repeat(101))),
        ("Attributes", "<a b='' c='' d='' e='' f='' g='' h=''/>".to_owned()),
        ("StartTagBytes", format!("<a b='{0}' c='{0}'/>", "y".repeat(60))),
        ("StartTagBytes", format!("<{}/>", "n".repeat(120))),
        ("Bytes", format!("{}{}", "<a>".repeat(37_000), "</a>".repeat(37_000))),
    ];
    for (excess, children) in cases {
        let found = behind_header(&format!("{head}{children}</message><presence/>"));
        assert_eq!(found, [format!("{excess} {head}"), "stanza <presence/>".to_owned()]);
    }
}

#[test]
fn what_is_just_within_a_limit_passes() {
    let body = format!(
        "<a b='{}'>{}{}{}</a>",
        "y".repeat(100),
        "<a b='' c='' d='' e='' f='' g=''>".repeat(7),
        "<q/>".repeat(0),
        "</a>".repeat(7)
    );
    assert_eq!(behind_header(&body), [format!("stanza {body}")]);
    let full = format!("<a>{}</a>", "x".repeat(4096 - 7));
    assert_eq!(behind_header(&full), [format!("stanza {full}")]);
    let long = format!("<a b='{}' c='{}'/>", "y".repeat(50), "y".repeat(120 - 64));
    assert_eq!(behind_header(&long), [format!("stanza {long}")]);
    let wide = format!("<a>{}</a>", "<b/>".repeat(39));
    assert_eq!(behind_header(&wide), [format!("stanza {wide}")]);
}

#[test]
fn a_start_tag_without_end_keeps_no_more_than_its_beginning() {
    let mut framer = Framer::new(LIMITS);
    framer.feed(HEADER.as_bytes(), |_| ()).unwrap();
    framer.feed(b"<message from='a@b' to='c@d' x='", |_| ()).unwrap();
    for _ in 0..200 {
        framer.feed(&[b'z'; 100_000], |_| panic!("no frame ends here")).unwrap();
    }
    assert!(framer.kept.capacity() < 4 * HEAD_BYTES_MAX, "{}", framer.kept.capacity());
    let mut seen = 0;
    framer
        .feed(b"'/><presence/>", |frame| match frame {
            Frame::Oversize(head, Excess::Bytes) => {
                assert!(head.starts_with(b"<message from='a@b' to='c@d' x='zzz") && head.len() <= HEAD_BYTES_MAX);
                seen += 1;
            }
            other => assert_eq!((other, seen), (Frame::Stanza(b"<presence/>"), 1)),
        })
        .unwrap();
    assert_eq!(seen, 1);
}

/// A random document of odd but balanced markup.
fn grow(rng: &mut StdRng, depth: usize, out: &mut String) {
    let name = ["message", "iq", "a", "p:b", "handshake", "error"][rng.random_range(0..6)];
    out.push_str(&format!("<{name}"));
    for n in 0..rng.random_range(0..8) {
        let quote = if rng.random() { '\'' } else { '"' };
        let value = ["", ">", "/>", "</a>", "&lt;", "é", "<"][rng.random_range(0..7)].repeat(rng.random_range(0..40));
        out.push_str(&format!(" a{n} ={quote}{value}{quote}"));
    }
    if rng.random_range(0..4) == 0 {
        out.push_str(" />");
        return;
    }
    out.push('>');
    for _ in 0..rng.random_range(0..4) {
        match rng.random_range(0..6) {
            0 => out.push_str(&"te>xt ".repeat(rng.random_range(0..200))),
            1 => out.push_str("<!-- <a> -- -> -->"),
            2 => out.push_str("<![CDATA[ ]] ]> </a> ]]]>"),
            3 => out.push_str("<?pi <a> ? ?>"),
            _ if depth < 12 => grow(rng, depth + 1, out),
            _ => {}
        }
    }
    out.push_str(&format!("</{name}>"));
}

#[test]
fn every_chunking_gives_the_same_frames() {
    let mut oversize = 0;
    for seed in 0..300 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut stream = HEADER.to_owned();
        for _ in 0..6 {
            grow(&mut rng, 1, &mut stream);
            stream.push_str([" ", "", "\n"][rng.random_range(0..3)]);
        }
        // Broken bytes have to give the same result for every chunking, too.
        let mut bytes = stream.into_bytes();
        for _ in 0..rng.random_range(0..3) {
            let at = rng.random_range(HEADER.len()..bytes.len());
            bytes[at] = *b"<>'\"/!-[]?x".get(rng.random_range(0..11)).unwrap();
        }
        let whole = frames(&bytes, || usize::MAX);
        oversize += whole.iter().filter(|frame| frame.starts_with("Attribute") || frame.starts_with("Depth")).count();
        assert_eq!(whole, frames(&bytes, || 1), "seed {seed}");
        let mut cuts = StdRng::seed_from_u64(seed);
        assert_eq!(whole, frames(&bytes, || cuts.random_range(1..50)), "seed {seed}");
    }
    assert!(oversize > 50, "the generator has to reach the limits: {oversize}");
}
