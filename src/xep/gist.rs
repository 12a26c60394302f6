//! A hash of what a message says. It tells a repeat of a message from another message with the same id.
//!
//! Some clients number their messages from 1 with each start, so an equal id is not enough. A repeat has the same
//! bodies and files, and names the same messages. Other children may differ, such as the time at which it was first
//! sent.

use crate::xmpp::ns;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The elements that are bodies or files (XEP-0447, XEP-0446, XEP-0066), or that name another message: their names and
/// namespaces as they are written in the archive.
const SAYS: [(&str, Option<&str>); 12] = [
    ("body", None),
    ("subject", None),
    ("file-sharing", Some(ns::FILE_SHARING)),
    ("file", Some(ns::FILE_METADATA)),
    ("x", Some(ns::OOB)),
    ("reactions", Some(ns::REACTIONS)),
    ("retract", Some(ns::RETRACT)),
    ("retract", Some(ns::RETRACT_0)),
    ("apply-to", Some(ns::FASTEN)),
    ("replace", Some(ns::CORRECT)),
    ("reply", Some(ns::REPLY)),
    ("forwarded", Some(ns::FORWARD)),
];
/// The elements of encrypted messages, whose contents differ each time.
const CONCEALS: [(&str, Option<&str>); 4] = [
    ("encrypted", Some(ns::OMEMO)),
    ("encrypted", Some(ns::OMEMO_LEGACY)),
    ("openpgp", Some(ns::OPENPGP)),
    ("x", Some(ns::PGP)),
];

/// The hash of every encrypted message. Two of them are told apart by their ids alone; an encrypted one and a plain one
/// by this.
const CONCEALED: u64 = 0;

/// The hash of a message, from its children as they are archived.
pub fn of(payload: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    for child in (Children { rest: payload }) {
        if CONCEALS.iter().any(|kind| is(child, *kind)) {
            return CONCEALED;
        }
        if SAYS.iter().any(|kind| is(child, *kind)) {
            child.hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Whether an element that the service wrote has this name and namespace. `None` is the namespace of stanzas.
fn is(element: &str, (name, ns): (&str, Option<&str>)) -> bool {
    let Some(rest) = element.strip_prefix('<').and_then(|rest| rest.strip_prefix(name)) else { return false };
    match (ns, rest.strip_prefix(" xmlns='")) {
        (Some(ns), Some(stated)) => stated.strip_prefix(ns).is_some_and(|rest| rest.starts_with('\'')),
        (None, None) => rest.starts_with(['>', ' ', '/']),
        _ => false,
    }
}

/// The outermost elements of a text that the service wrote. Such a text has no comments, and each `<` in it begins a
/// tag.
struct Children<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.rest.find('<')?;
        let (mut depth, mut at) = (0_usize, start);
        loop {
            let tag = &self.rest[at..];
            let end = end_of_tag(tag)?;
            match (tag.starts_with("</"), tag[..end].ends_with("/>")) {
                (true, _) => depth = depth.checked_sub(1)?,
                (false, false) => depth += 1,
                (false, true) => {}
            }
            at += end;
            if depth == 0 {
                let child = &self.rest[start..at];
                self.rest = &self.rest[at..];
                return Some(child);
            }
            at += self.rest[at..].find('<')?;
        }
    }
}

/// The end of a tag: behind the first `>` that is in no attribute value.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quoted = false;
    let end = tag.bytes().position(|byte| {
        quoted ^= byte == b'\'';
        byte == b'>' && !quoted
    });
    end.map(|end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::write_children;
    use minidom::Element;

    fn kept(children: &str) -> String {
        let message: Element = format!("<message xmlns='jabber:client'>{children}</message>").parse().unwrap();
        let mut out = String::new();
        write_children(&message, |_| true, &mut out);
        out
    }

    fn gist(children: &str) -> u64 {
        of(&kept(children))
    }

    #[test]
    fn the_outermost_elements_are_found_as_they_were_written() {
        let written =
            kept("<a b='&gt;/&apos;&lt;'><c/><c>x &gt; y &lt;/a&gt;</c></a><d xmlns='e' f='&quot;'/> <g>h</g>");
        let parsed: Vec<String> = Children { rest: &written }.map(str::to_owned).collect();
        let message: Element = format!("<m xmlns='jabber:client'>{written}</m>").parse().unwrap();
        let expected: Vec<String> = message
            .children()
            .map(|child| {
                let mut out = String::new();
                crate::xmpp::write_element(child, ns::CLIENT, &mut out);
                out
            })
            .collect();
        assert_eq!((parsed.len(), parsed), (3, expected));
        for broken in ["", "<", "<a", "<a>", "</a>", "a", "<a></a></a>"] {
            assert!(Children { rest: broken }.count() <= 1, "{broken}");
        }
    }

    #[test]
    fn what_differs_in_a_body_or_a_file_says_something_else() {
        let file = |url: &str| format!("<x xmlns='jabber:x:oob'><url>{url}</url></x>");
        let sharing = |name: &str| {
            format!("<file-sharing xmlns='urn:xmpp:sfs:0'><file><name>{name}</name></file></file-sharing>")
        };
        let (a, with) = ("<body>a</body>".to_owned(), |more: &str| gist(&format!("<body>a</body>{more}")));
        let same = gist(&a);
        let marks = "<thread>t</thread><delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:41:07Z'/><origin-id xmlns='urn:xmpp:sid:0' id='1'/>";
        assert_eq!(with(marks), same);
        // XHTML has a body of its own.
        assert_eq!(
            with(
                "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>b</body></html>"
            ),
            same
        );
        let others = [
            gist("<body>b</body>"),
            gist("<body xml:lang='de'>a</body>"),
            gist(""),
            with(&file("a")),
            with(&file("b")),
            with(&sharing("c")),
            gist("<reactions xmlns='urn:xmpp:reactions:0' id='a'><reaction>x</reaction></reactions>"),
            gist("<reactions xmlns='urn:xmpp:reactions:0' id='b'><reaction>x</reaction></reactions>"),
            with("<retract xmlns='urn:xmpp:message-retract:1' id='a'/>"),
            with("<reply xmlns='urn:xmpp:reply:0' id='a'/>"),
        ];
        let all: std::collections::BTreeSet<_> = others.into_iter().chain([same]).collect();
        assert_eq!(all.len(), 11);
    }

    #[test]
    fn what_is_encrypted_says_the_same_and_nothing_plain() {
        for encrypted in [
            "<encrypted xmlns='eu.siacs.conversations.axolotl'><header/><payload>x</payload></encrypted>",
            "<encrypted xmlns='urn:xmpp:omemo:2'><payload>x</payload></encrypted>",
            "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
            "<x xmlns='jabber:x:encrypted'>x</x>",
        ] {
            assert_eq!(
                gist(&format!("<body>I sent you an encrypted message</body>{encrypted}")),
                CONCEALED,
                "{encrypted}"
            );
        }
    }
}
