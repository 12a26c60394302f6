//! Pads long tags with white space, without which a host server may not see that they have ended.
//!
//! libexpat from 2.6 on puts off parsing an incomplete token again until it has twice as much data as at the last try
//! (hosts.md, J.1). So a tag that arrives in several reads is seen only when as much again has come behind it. In a
//! quiet stream nothing comes, and the tag waits with everything behind it. Any bytes will do. So white space goes to
//! the end of what is written, between two stanzas, where it means nothing (RFC 6120 §4.6.1). None is needed where more
//! stanzas follow.

use memchr::{memchr, memrchr};

/// A tag up to this length, in bytes, arrives in one or two reads and is parsed in time: a network segment holds more.
const TAG_BYTES: usize = 1024;

/// Appends to complete stanzas as many spaces as their tags need behind them.
pub fn pad(stanzas: &mut Vec<u8>) {
    stanzas.resize(stanzas.len() + wanted(stanzas), b' ');
}

/// How many bytes are missing behind the tags: the length of the longest one, less what already follows it.
///
/// A tag matters only if it is longer than what follows it, so the steps backwards grow with the distance.
fn wanted(stanzas: &[u8]) -> usize {
    let (mut wanted, mut end) = (0, stanzas.len());
    while end > 0 {
        // A tag that begins behind this and ends before `end` is short, or followed by as much as it is long.
        let from = end.saturating_sub(TAG_BYTES.max(stanzas.len() - end));
        end = match memchr(b'<', &stanzas[from..end]) {
            Some(at) => from + at,
            None => {
                let Some(start) = memrchr(b'<', &stanzas[..from]) else { return wanted };
                let tag = memchr(b'>', &stanzas[start..]).map_or(stanzas.len() - start, |at| at + 1);
                if tag > TAG_BYTES {
                    wanted = wanted.max(tag.saturating_sub(stanzas.len() - start - tag));
                }
                start
            }
        };
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// The same, by looking at every tag.
    fn plainly(text: &str) -> usize {
        let tag = |(at, _): (usize, _)| {
            let len = text[at..].find('>').unwrap() + 1;
            if len > TAG_BYTES { len.saturating_sub(text.len() - at - len) } else { 0 }
        };
        text.match_indices('<').map(tag).max().unwrap_or(0)
    }

    fn padded(text: &str) -> usize {
        let mut stanzas = text.as_bytes().to_vec();
        pad(&mut stanzas);
        assert!(stanzas.starts_with(text.as_bytes()) && stanzas[text.len()..].iter().all(|&byte| byte == b' '));
        let spaces = stanzas.len() - text.len();
        pad(&mut stanzas);
        assert_eq!(stanzas.len(), text.len() + spaces, "what is padded needs no more");
        spaces
    }

    #[test]
    fn a_long_tag_has_as_much_behind_it_as_it_is_long() {
        let tag = |bytes: usize| format!("<a b='{}'/>", "x".repeat(bytes - 9));
        assert_eq!(padded(&tag(TAG_BYTES)), 0);
        assert_eq!(padded(&tag(8000)), 8000);
        assert_eq!(padded(&format!("<m>{}</m>", tag(8000))), 7996);
        assert_eq!(padded(&format!("<m>{}<b>{}</b></m>", tag(8000), "x".repeat(5000))), 8000 - 5000 - 11);
        assert_eq!(padded(&format!("{}{}", tag(8000), tag(8000))), 8000, "the second stands behind the first");
        assert_eq!(padded(&format!("<{0}></{0}>", "n".repeat(5000))), 5003, "end tags are read like any other");
        assert_eq!(padded(""), 0);
    }

    /// Text is read as it comes, whatever its length.
    #[test]
    fn long_text_needs_nothing() {
        assert_eq!(padded(&format!("<m><body>{}</body></m>", "x".repeat(100_000))), 0);
    }

    #[test]
    fn whatever_stands_in_a_block_no_tag_is_missed() {
        let mut dice = StdRng::seed_from_u64(7);
        for _ in 0..3000 {
            let mut text = String::new();
            for _ in 0..dice.random_range(0..40) {
                let long = 1 << dice.random_range(1..14);
                let length = dice.random_range(1..=long);
                match dice.random_range(0..3) {
                    0 => text.push_str(&format!("<{}>", "t".repeat(length))),
                    1 => text.push_str(&format!("</{}>", "e".repeat(length))),
                    _ => text.push_str(&format!("<a>{}</a>", "x".repeat(length))),
                }
            }
            assert_eq!(padded(&text), plainly(&text));
        }
    }
}
