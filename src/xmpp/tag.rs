//! Writing XML: a builder for what the service says, and the way back from minidom trees to text.
//!
//! Invariant: characters that XML 1.0 forbids are dropped here, so none is ever sent.

use super::Parts;
use minidom::{Element, Node};

/// The namespace of `xml:lang`. Its prefix is never declared.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An element under construction. Children inherit its namespace unless they state their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    name: &'static str,
    head: String,
    body: String,
}

impl Tag {
    /// An element in the namespace of its parent.
    pub fn new(name: &'static str) -> Tag {
        let mut head = String::with_capacity(64);
        head.push('<');
        head.push_str(name);
        Tag { name, head, body: String::new() }
    }

    /// An element that states its namespace.
    pub fn in_ns(name: &'static str, ns: &str) -> Tag {
        Tag::new(name).attr("xmlns", ns)
    }

    /// Reserves room for so many bytes of content, so that a long element is not moved while it grows.
    pub fn with_room(mut self, bytes: usize) -> Tag {
        self.head.reserve(192);
        self.body.reserve(bytes);
        self
    }

    /// Adds an attribute.
    pub fn attr(mut self, name: &str, value: impl AsRef<str>) -> Tag {
        let value = value.as_ref();
        self.head.reserve(name.len() + value.len() + " =''".len());
        self.head.push(' ');
        self.head.push_str(name);
        self.head.push_str("='");
        value_into(value, &mut self.head);
        self.head.push('\'');
        self
    }

    /// Adds an attribute, where there is a value.
    pub fn attr_opt(self, name: &str, value: Option<impl AsRef<str>>) -> Tag {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Adds a child.
    pub fn child(mut self, child: Tag) -> Tag {
        child.write(&mut self.body);
        self
    }

    /// Adds a child, where there is one.
    pub fn child_opt(self, child: Option<Tag>) -> Tag {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Adds children.
    pub fn children(mut self, children: impl IntoIterator<Item = Tag>) -> Tag {
        for child in children {
            child.write(&mut self.body);
        }
        self
    }

    /// Adds text.
    pub fn text(mut self, text: impl AsRef<str>) -> Tag {
        escape_into(text.as_ref(), &mut self.body);
        self
    }

    /// Adds content that is well-formed XML already: a stored payload, or an element written before.
    pub fn raw(mut self, content: &str) -> Tag {
        self.body.push_str(content);
        self
    }

    /// Appends the element to `out`.
    pub fn write(&self, out: &mut String) {
        out.push_str(&self.head);
        if self.body.is_empty() {
            out.push_str("/>");
        } else {
            out.push('>');
            out.push_str(&self.body);
            out.push_str("</");
            out.push_str(self.name);
            out.push('>');
        }
    }

    /// The length of the written element, in bytes.
    pub fn bytes(&self) -> usize {
        self.head.len() + self.body.len() + self.name.len() + 4
    }

    /// The whole element as text.
    pub fn into_xml(self) -> String {
        let mut out = String::with_capacity(self.head.len() + self.body.len() + 24);
        self.write(&mut out);
        out
    }

    /// The element in two halves, divided where another attribute would stand. The fan-out writes `to` between them.
    pub fn into_halves(self) -> (String, String) {
        let rest = [">", &self.body, "</", self.name, ">"].concat();
        (self.head, rest)
    }
}

/// Appends `text`, escaped for content and for attributes in either quote.
pub fn escape_into(text: &str, out: &mut String) {
    escape_beside(text, PLAIN_SPACE, out);
}

/// White space that is written as it is, in text and in attribute values.
const PLAIN_SPACE: &[u8] = b"\t\n";
const NONE: &[u8] = b"";

/// Bytes at which a character may begin that is not written as it is: markup, control characters, U+FFFE and U+FFFF.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut byte = 0;
    while byte < b' ' as usize {
        stops[byte] = true;
        byte += 1;
    }
    let (markup, mut n) = (b"<>&'\"\xEF", 0);
    while n < markup.len() {
        stops[markup[n] as usize] = true;
        n += 1;
    }
    stops
};

/// Appends `text` like [`escape_into`], with the white space in `plain` as it is.
fn escape_beside(text: &str, plain: &[u8], out: &mut String) {
    out.reserve(text.len());
    let (bytes, mut from, mut at) = (text.as_bytes(), 0, 0);
    while let Some(ahead) = bytes[at..].iter().position(|byte| STOPS[usize::from(*byte)]) {
        at += ahead;
        let (instead, len) = match bytes[at] {
            byte if plain.contains(&byte) => {
                at += 1;
                continue;
            }
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'&' => ("&amp;", 1),
            b'\'' => ("&apos;", 1),
            b'"' => ("&quot;", 1),
            b'\r' => ("&#xD;", 1),
            b'\t' => ("&#x9;", 1),
            b'\n' => ("&#xA;", 1),
            0xEF if matches!(bytes[at..], [_, 0xBF, 0xBE | 0xBF, ..]) => ("", 3),
            0xEF => {
                at += 3;
                continue;
            }
            _ => ("", 1),
        };
        out.push_str(&text[from..at]);
        out.push_str(instead);
        at += len;
        from = at;
    }
    out.push_str(&text[from..]);
}

/// Whether XML 1.0 allows a character (XML 1.0 §2.2).
pub fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

/// Appends the value of an attribute. Tabs and line breaks become references, since a reader turns plain ones into
/// spaces (XML 1.0 §3.3.3): an id that holds one has to come back as it was sent.
pub fn value_into(value: &str, out: &mut String) {
    escape_beside(value, NONE, out);
}

/// Appends `element` for a place whose default namespace is `around`.
///
/// Recurses as deep as the element, which the framer bounds.
pub fn write_element(element: &Element, around: &str, out: &mut String) {
    out.push('<');
    out.push_str(element.name());
    let own = (!element.has_ns(around)).then(|| element.ns());
    if let Some(ns) = &own {
        out.push_str(" xmlns='");
        escape_into(ns, out);
        out.push('\'');
    }
    for (n, ((attr_ns, name), value)) in element.attrs().iter().enumerate() {
        let attr_ns: &str = attr_ns;
        out.push(' ');
        if attr_ns == XML {
            out.push_str("xml:");
        } else if !attr_ns.is_empty() {
            out.push_str(&format!("xmlns:n{n}='"));
            escape_into(attr_ns, out);
            out.push_str(&format!("' n{n}:"));
        }
        out.push_str(name);
        out.push_str("='");
        value_into(value, out);
        out.push('\'');
    }
    let mut nodes = element.nodes().peekable();
    if nodes.peek().is_none() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    write_nodes(nodes, own.as_deref().unwrap_or(around), out);
    out.push_str("</");
    out.push_str(element.name());
    out.push('>');
}

/// The lengths of an element's start tags as [`write_element`] writes them, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The longest one.
    pub longest: usize,
    /// All of them together.
    pub all: usize,
}

impl Written {
    /// Measures the start tags of `element` and of everything in it. It stops once they are longer than `bytes_max`.
    pub fn of(element: &Element, bytes_max: usize) -> Written {
        let mut written = Written::default();
        written.add(element, &element.ns(), bytes_max);
        written
    }

    fn add(&mut self, element: &Element, around: &str, bytes_max: usize) {
        if self.all > bytes_max {
            return;
        }
        let ns = element.ns();
        let mut bytes = element.name().len() + "</>".len();
        if ns != around {
            bytes += " xmlns=''".len() + escaped_bytes(&ns);
        }
        for ((attr_ns, name), value) in element.attrs() {
            let attr_ns: &str = attr_ns;
            let stated = match attr_ns {
                "" => 0,
                XML => "xml:".len(),
                _ => " xmlns:n00='' n00:".len() + escaped_bytes(attr_ns),
            };
            bytes += " =''".len() + name.len() + stated + escaped_bytes(value);
        }
        self.longest = self.longest.max(bytes);
        self.all += bytes;
        element.parts().for_each(|child| self.add(child, &ns, bytes_max));
    }
}

/// The length of a value as it is written, in bytes.
fn escaped_bytes(value: &str) -> usize {
    let bytes = |byte: u8| match byte {
        b'\'' | b'"' => 6,
        b'&' | b'\r' | b'\t' | b'\n' => 5,
        b'<' | b'>' => 4,
        _ => 1,
    };
    value.bytes().map(bytes).sum()
}

/// Appends the children of a stanza for which `keep` is true, as they read inside a stanza.
pub fn write_children(stanza: &Element, mut keep: impl FnMut(&Element) -> bool, out: &mut String) {
    let ns = stanza.ns();
    for child in stanza.parts().filter(|child| keep(child)) {
        write_element(child, &ns, out);
    }
}

fn write_nodes<'a>(nodes: impl Iterator<Item = &'a Node>, around: &str, out: &mut String) {
    for node in nodes {
        match node {
            Node::Element(child) => write_element(child, around, out),
            Node::Text(text) => escape_into(text, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_dropped_and_markup_is_escaped() {
        let tag = Tag::new("body").attr("a", "'<\u{1}").text("a<b&\u{0}\u{FFFF}\u{1F600}\r");
        assert_eq!(tag.into_xml(), "<body a='&apos;&lt;'>a&lt;b&amp;\u{1F600}&#xD;</body>");
        // Others that begin with the same byte stay.
        let tag = Tag::new("body").text("\u{FFFE}\u{FFFD}\u{F000}x\u{FFFF}\u{1F}>\"");
        assert_eq!(tag.into_xml(), "<body>\u{FFFD}\u{F000}x&gt;&quot;</body>");
    }

    #[test]
    fn a_value_comes_back_as_it_was_sent_whatever_white_space_it_holds() {
        let value = "\ta\n\nb c\r";
        let xml = Tag::new("a").attr("xmlns", "x").attr("id", value).text("d\n\te").into_xml();
        assert_eq!(xml, "<a xmlns='x' id='&#x9;a&#xA;&#xA;b c&#xD;'>d\n\te</a>");
        let read: Element = xml.parse().unwrap();
        assert_eq!((read.attr("id"), &*read.text()), (Some(value), "d\n\te"));
        let mut again = String::new();
        write_element(&read, "x", &mut again);
        assert_eq!(again, "<a id='&#x9;a&#xA;&#xA;b c&#xD;'>d\n\te</a>");
    }

    #[test]
    fn a_tree_keeps_its_namespaces_through_text() {
        let source = "<message xmlns='jabber:client' xmlns:p='urn:p'><body xml:lang='de'>a &amp; b</body>\
                      <p:x p:y='1'><in xmlns='urn:q'/><none xmlns=''/></p:x></message>";
        let tree: Element = source.parse().unwrap();
        let mut text = String::new();
        write_children(&tree, |_| true, &mut text);
        let again: Element = format!("<message xmlns='jabber:client'>{text}</message>").parse().unwrap();
        assert!(text.starts_with("<body xml:lang='de'>a &amp; b</body><x xmlns='urn:p'"), "{text}");
        assert!(again.get_child("x", "urn:p").unwrap().has_child("in", "urn:q"));
        assert!(again.get_child("x", "urn:p").unwrap().has_child("none", ""));
    }

    #[test]
    fn what_start_tags_amount_to_is_known_before_they_are_written() {
        let source = "<message xmlns='jabber:client' xmlns:p='urn:p' id=\"'&quot;&amp;&#xA;&#xD;&lt;>\"><p:x p:y='1' xml:lang='de'/>\
                      <body>text</body></message>";
        let tree: Element = source.parse().unwrap();
        let mut text = String::new();
        write_element(&tree, "jabber:client", &mut text);
        let tags: Vec<usize> = text
            .split('<')
            .filter(|part| !part.is_empty() && !part.starts_with('/'))
            .map(|part| part.find('>').unwrap() + 2)
            .collect();
        let written = Written::of(&tree, usize::MAX);
        // A slash and two digits of a prefix are counted as if each tag had them.
        assert!(written.longest >= tags[1] && written.longest < tags[1] + 24, "{written:?} of {tags:?}");
        let all: usize = tags.iter().sum();
        assert!(written.all >= all && written.all < all + 64, "{written:?} of {tags:?}");
        assert_eq!(Written::of(&tree, 10).all, tags[0] + 1, "no more is looked at than is asked for");
    }

    #[test]
    fn the_halves_take_a_recipient_between_them() {
        let (head, rest) = Tag::new("message").attr("id", "1").child(Tag::new("body").text("x")).into_halves();
        assert_eq!(format!("{head} to='a@b'{rest}"), "<message id='1' to='a@b'><body>x</body></message>");
    }
}
