//! A stanza as it came: its head, read into types, and its tree.
//!
//! The framer has checked size, depth and attributes before anything is parsed here, so a tree is never deep enough to
//! overflow a stack. Where a stanza cannot be read, its sender and id still are, so that an error can be sent.

use super::{Condition, Parts, StanzaError, address, ns};
use jid::{BareJid, Jid};
use minidom::{Element, Node};

/// The three kinds of stanza (RFC 6120 §8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `<iq/>`
    Iq,
    /// `<message/>`
    Message,
    /// `<presence/>`
    Presence,
}

impl Kind {
    /// The element name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Iq => "iq",
            Kind::Message => "message",
            Kind::Presence => "presence",
        }
    }
}

/// One stanza from the host server, which vouches for `from`.
#[derive(Clone, Debug)]
pub struct Stanza {
    /// iq, message or presence.
    pub kind: Kind,
    /// The authenticated sender.
    pub from: Jid,
    /// An address of the service.
    pub to: Jid,
    /// The id that the sender gave. An empty one counts as none.
    pub id: Option<String>,
    /// The type as sent; empty when there was none.
    pub type_: String,
    /// The whole tree, in the namespace `jabber:client`.
    pub element: Element,
}

/// A stanza that cannot be read, with what is needed to answer its sender.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// The kind, where the start tag tells it.
    pub kind: Option<Kind>,
    /// The sender.
    pub from: Option<Jid>,
    /// The address.
    pub to: Option<Jid>,
    /// The sender's id.
    pub id: Option<String>,
    /// Whether it may be answered: errors and results are not.
    pub answerable: bool,
    /// What is wrong with it.
    pub error: StanzaError,
}

impl Stanza {
    /// Reads one whole stanza.
    ///
    /// # Errors
    /// [`Unreadable`] when it is no well-formed stanza with a `from` and a `to`.
    pub fn parse(bytes: &[u8]) -> Result<Stanza, Box<Unreadable>> {
        let unreadable =
            |text: &str| Box::new(Unreadable::from_head(bytes, StanzaError::new(Condition::BadRequest, text)));
        let element = Element::from_reader_with_prefixes(bytes, ns::CLIENT.to_owned())
            .map_err(|error| unreadable(&format!("the stanza cannot be read: {error}")))?;
        let element = if element.has_ns(ns::COMPONENT) { in_client_ns(element) } else { element };
        let kind = match element.name() {
            "iq" => Kind::Iq,
            "message" => Kind::Message,
            "presence" => Kind::Presence,
            _ => return Err(unreadable("neither iq, message nor presence")),
        };
        if !element.has_ns(ns::CLIENT) {
            return Err(unreadable("a stanza of another namespace"));
        }
        let address = |name: &str| element.attr(name).and_then(|text| address::jid(text).ok());
        let (Some(from), Some(to)) = (address("from"), address("to")) else {
            return Err(unreadable("a stanza without a valid from and to"));
        };
        let id = element.attr("id").filter(|id| !id.is_empty()).map(str::to_owned);
        let type_ = element.attr("type").unwrap_or_default().to_owned();
        if kind == Kind::Iq && (id.is_none() || !matches!(&*type_, "get" | "set" | "result" | "error")) {
            return Err(unreadable("an iq needs an id and a type of get, set, result or error"));
        }
        Ok(Stanza { kind, from, to, id, type_, element })
    }

    /// The account of the sender.
    pub fn sender(&self) -> BareJid {
        self.from.to_bare()
    }

    /// RFC 6120 §8.2.3: the only child of a request. `None` where there is none or more than one.
    pub fn payload(&self) -> Option<&Element> {
        let mut children = self.element.parts();
        children.next().filter(|_| children.next().is_none())
    }

    /// Whether it is an answer: those are never answered.
    pub fn is_answer(&self) -> bool {
        self.type_ == "error" || (self.kind == Kind::Iq && self.type_ == "result")
    }

    /// The name of the defined condition, where the stanza carries an error.
    pub fn error_condition(&self) -> Option<&str> {
        let error = self.element.part("error", ns::CLIENT)?;
        error.parts().find(|child| child.has_ns(ns::STANZAS) && child.name() != "text").map(|child| child.name())
    }
}

impl Unreadable {
    /// Reads what the start tag at the beginning of `bytes` says, however broken the rest is.
    pub fn from_head(bytes: &[u8], error: StanzaError) -> Unreadable {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start();
        let tag = text.strip_prefix('<').unwrap_or_default();
        let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(0);
        let name = tag[..end].split_once(':').map_or(&tag[..end], |(_, name)| name);
        let kind = [Kind::Message, Kind::Presence, Kind::Iq].into_iter().find(|kind| kind.name() == name);
        let mut head = Unreadable { kind, from: None, to: None, id: None, answerable: true, error };
        if kind.is_none() {
            return head;
        }
        for (name, value) in head_attributes(&tag[end..]) {
            match name {
                "from" => head.from = address::jid(&value).ok(),
                "to" => head.to = address::jid(&value).ok(),
                // An id too long to be echoed is not worth an answer that nobody can match.
                "id" => head.id = (!value.is_empty() && value.len() <= 1024).then_some(value),
                "type" => head.answerable = value != "error" && value != "result",
                _ => {}
            }
        }
        head
    }
}

/// XEP-0114 §3: a host server may write stanzas in the namespace of components. This puts such a stanza into that of
/// clients.
fn in_client_ns(mut element: Element) -> Element {
    let inner = element.take_nodes().into_iter().map(|node| match node {
        Node::Element(child) => Node::Element(in_client_ns(child)),
        text => text,
    });
    let inner: Vec<Node> = inner.collect();
    if element.has_ns(ns::COMPONENT) {
        let attributes = std::mem::take(element.attrs_mut());
        element = Element::builder(element.name(), ns::CLIENT).build();
        *element.attrs_mut() = attributes;
    }
    inner.into_iter().for_each(|node| element.append_node(node));
    element
}

/// The attributes of a start tag, in order, up to where it ends or is malformed. `rest` begins behind the element name.
fn head_attributes(mut rest: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some((name, after)) = rest.split_once('=') else { return found };
        let after = after.trim_start();
        let name = name.trim_end();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '\'' | '"')) else { return found };
        let Some((value, after)) = after[1..].split_once(quote) else { return found };
        if name.contains(['<', '>', '/']) {
            return found;
        }
        found.push((name, unescape(value)));
        rest = after;
    }
}

fn unescape(value: &str) -> String {
    if !value.contains('&') {
        return value.to_owned();
    }
    value.replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(xml: &str) -> Unreadable {
        *Stanza::parse(xml.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_message_of_an_unknown_type_is_still_read() {
        let stanza = Stanza::parse(b"<message from='a@b/c' to='d@e' type='foo'><body>x</body></message>").unwrap();
        assert_eq!((stanza.kind, &*stanza.type_), (Kind::Message, "foo"));
        assert_eq!(stanza.payload().unwrap().ns(), ns::CLIENT);
    }

    #[test]
    fn a_broken_stanza_still_tells_whom_to_answer() {
        let head = refused("<iq from='a@b/c&apos;' to='d@e' id='7' type='get'><p:x/></iq>");
        assert_eq!(head.from.unwrap().as_str(), "a@b/c'");
        assert_eq!((head.id.as_deref(), head.answerable), (Some("7"), true));
        assert!(!refused("<message from='a@b' to='d@e' type='error'><\u{1}/></message>").answerable);
    }

    #[test]
    fn a_stanza_in_the_namespace_of_components_is_one_also_by_prefix() {
        let attributes = "from='a@b/c' to='d@e' id='1' type='get'";
        let plain = format!("<iq xmlns='jabber:component:accept' {attributes}><q xmlns='x'><body/></q></iq>");
        let by_prefix = format!("<c:iq xmlns:c='jabber:component:accept' {attributes}><q xmlns='x'><body/></q></c:iq>");
        let client = format!("<c:iq xmlns:c='jabber:client' {attributes}><q xmlns='x'><body/></q></c:iq>");
        for xml in [plain, by_prefix, client] {
            let stanza = Stanza::parse(xml.as_bytes()).unwrap();
            assert!(stanza.element.is("iq", ns::CLIENT) && stanza.payload().unwrap().has_child("body", "x"), "{xml}");
        }
        let text = "<message xmlns='jabber:component:accept' from='a@b' to='d@e'>\
             <body>x</body><y xmlns='z'><body xmlns='jabber:component:accept'/></y></message>";
        let stanza = Stanza::parse(text.as_bytes()).unwrap();
        assert_eq!(stanza.element.get_child("body", ns::CLIENT).unwrap().text(), "x");
        assert!(stanza.element.get_child("y", "z").unwrap().has_child("body", ns::CLIENT));
        let broken = "<c:iq xmlns:c='jabber:component:accept' from='a@b/c' to='d@e' id='7' type='get'><p:x/></c:iq>";
        assert_eq!(refused(broken).id.as_deref(), Some("7"));
    }

    #[test]
    fn an_iq_without_id_or_with_a_bad_type_is_refused() {
        assert!(refused("<iq from='a@b/c' to='d@e' type='get'><x/></iq>").answerable);
        assert!(refused("<iq from='a@b/c' to='d@e' id='1' type='foo'><x/></iq>").kind == Some(Kind::Iq));
    }

    #[test]
    fn a_stanza_without_a_sender_has_nobody_to_answer() {
        assert_eq!(refused("<message to='d@e'/>").from, None);
        assert_eq!(refused("<message from='@' to='d@e'/>").from, None);
        assert_eq!(refused("<stream:features/>").kind, None);
    }
}
