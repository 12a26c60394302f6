//! What clients ask, and how it reads on the wire.

use mixd::xmpp::{Tag, ns};

/// The service's domain.
pub const DOMAIN: &str = "mix.example";

/// A set of nodes: 1 messages, 2 participants, 4 information; 8 stands for a node that no channel has.
pub type Nodes = u8;

/// The nodes by their bits.
pub const NODES: [(Nodes, &str); 4] = [
    (1, "urn:xmpp:mix:nodes:messages"),
    (2, "urn:xmpp:mix:nodes:participants"),
    (4, "urn:xmpp:mix:nodes:info"),
    (8, "urn:xmpp:mix:nodes:cauldron"),
];

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Body,
    Reaction,
    State,
    Marker,
    NoStore,
    Empty,
}

/// A row as a client names it: one that it may know of, or an invented one.
#[derive(Clone, Debug)]
pub struct RowName {
    /// The channel's tag and the row's number.
    pub row: Option<(u64, u64)>,
    pub id: String,
}

/// A query of an archive.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    pub with: Option<String>,
    pub start: Option<u64>,
    pub end: Option<u64>,
    pub after: Option<RowName>,
    pub before: Option<Option<RowName>>,
    pub after_id: Option<RowName>,
    pub before_id: Option<RowName>,
    pub ids: Vec<RowName>,
    pub max: Option<usize>,
    pub flip: bool,
}

/// One thing that is asked.
#[derive(Clone, Debug)]
pub enum Op {
    Create(Option<&'static str>),
    Destroy(String),
    Join {
        channel: String,
        nick: Option<String>,
        nodes: Nodes,
    },
    Leave {
        channel: String,
    },
    SetNick {
        channel: String,
        nick: Option<String>,
    },
    Update {
        channel: String,
        add: Nodes,
        remove: Nodes,
    },
    Subscribe {
        channel: String,
        node: Nodes,
        wanted: bool,
    },
    Say {
        channel: String,
        token: String,
        origin: Option<String>,
        said: Said,
    },
    SetInfo {
        channel: String,
        name: String,
    },
    Items {
        channel: String,
        node: Nodes,
    },
    History {
        channel: String,
        paging: Box<Paging>,
    },
    Bounds {
        channel: String,
    },
    Retain {
        channel: String,
        days: u64,
    },
    List,
    /// Register a nick with the service.
    Register(String),
    Unregister,
    Describe {
        channel: String,
    },
    Garbage {
        channel: Option<String>,
        xml: String,
        conditions: &'static [&'static str],
    },
}

/// A request, and whose it is.
#[derive(Clone, Debug)]
pub struct Ask {
    pub account: String,
    /// The resource that asks; none where the home server asks for its account.
    pub resource: Option<String>,
    pub id: String,
    /// Whether it comes by delegation.
    pub wrapped: bool,
    pub op: Op,
}

impl Ask {
    /// The address that asks.
    pub fn from(&self) -> String {
        match &self.resource {
            Some(resource) => format!("{}/{resource}", self.account),
            None => self.account.clone(),
        }
    }

    /// Where the answer goes, and its id.
    pub fn key(&self) -> (String, String) {
        match self.wrapped {
            true => (domain_of(&self.account).to_owned(), format!("outer-{}", self.id)),
            false => (self.from(), self.id.clone()),
        }
    }

    /// The stanza.
    pub fn xml(&self) -> String {
        let at = |channel: &str| format!("{channel}@{DOMAIN}");
        let core = |name| Tag::in_ns(name, ns::MIX_CORE);
        let iq = |kind, to: &str, payload| self.iq(kind, to, payload);
        match &self.op {
            Op::Create(name) => iq("set", DOMAIN, core("create").attr_opt("channel", *name)),
            Op::Destroy(name) => iq("set", DOMAIN, core("destroy").attr("channel", name)),
            Op::Join { channel, nick, nodes } => {
                let nick = nick.as_ref().map(|nick| Tag::new("nick").text(nick));
                let join = core("join").children(node_tags("subscribe", *nodes)).child_opt(nick);
                self.through_account(channel, "client-join", join)
            }
            Op::Leave { channel } => self.through_account(channel, "client-leave", core("leave")),
            Op::SetNick { channel, nick } => {
                let nick = nick.as_ref().map(|nick| Tag::new("nick").text(nick));
                iq("set", &at(channel), core("setnick").child_opt(nick))
            }
            Op::Update { channel, add, remove } => {
                let update = core("update-subscription").children(node_tags("subscribe", *add));
                iq("set", &at(channel), update.children(node_tags("unsubscribe", *remove)))
            }
            Op::Subscribe { channel, node, wanted } => {
                let name = NODES.iter().find(|(bit, _)| bit == node).map(|(_, name)| *name);
                let action = Tag::new(if *wanted { "subscribe" } else { "unsubscribe" });
                let action = action.attr_opt("node", name).attr("jid", &self.account);
                iq("set", &at(channel), Tag::in_ns("pubsub", ns::PUBSUB).child(action))
            }
            Op::Say { channel, token, origin, said } => self.say(&at(channel), token, origin.as_deref(), *said),
            Op::SetInfo { channel, name } => {
                let field = |var, value| Tag::new("field").attr("var", var).child(Tag::new("value").text(value));
                let form = Tag::in_ns("x", ns::FORM).attr("type", "result").child(field("FORM_TYPE", ns::MIX_CORE));
                let item = Tag::new("item").child(form.child(field("Name", name)));
                let publish = Tag::new("publish").attr("node", ns::NODE_INFO).child(item);
                iq("set", &at(channel), Tag::in_ns("pubsub", ns::PUBSUB).child(publish))
            }
            Op::Items { channel, node } => {
                let name = NODES.iter().find(|(bit, _)| bit == node).map(|(_, name)| *name);
                let items = Tag::new("items").attr_opt("node", name);
                iq("get", &at(channel), Tag::in_ns("pubsub", ns::PUBSUB).child(items))
            }
            Op::History { channel, paging } => iq("set", &at(channel), paging.tag(&self.id)),
            Op::Bounds { channel } => {
                iq("get", &at(channel), Tag::in_ns("metadata", ns::MAM).attr("node", ns::NODE_MESSAGES))
            }
            Op::Register(nick) => {
                let nick = Tag::new("nick").text(nick);
                iq("set", DOMAIN, Tag::in_ns("register", ns::MIX_MISC).child(nick))
            }
            Op::Unregister => iq("set", DOMAIN, Tag::in_ns("register", ns::MIX_MISC).child(Tag::new("remove"))),
            Op::Retain { channel, days } => {
                let settings = Tag::in_ns("settings", ns::GROUP).attr("retention-days", days.to_string());
                iq("set", &at(channel), settings)
            }
            Op::List => iq("get", DOMAIN, Tag::in_ns("query", ns::DISCO_ITEMS)),
            Op::Describe { channel } => iq("get", &at(channel), Tag::in_ns("query", ns::DISCO_INFO)),
            Op::Garbage { xml, .. } => xml.replace("$FROM", &self.from()).replace("$ID", &self.id),
        }
    }

    fn iq(&self, kind: &str, to: &str, payload: Tag) -> String {
        let iq = Tag::new("iq").attr("type", kind).attr("id", &self.id).attr("from", self.from()).attr("to", to);
        iq.child(payload).into_xml()
    }

    /// A join or a leave: by delegation, or as it is.
    fn through_account(&self, channel: &str, name: &'static str, payload: Tag) -> String {
        let channel = format!("{channel}@{DOMAIN}");
        if !self.wrapped {
            return self.iq("set", &channel, payload);
        }
        let client = Tag::in_ns(name, ns::MIX_PAM).attr("channel", &channel).child(payload);
        let inner = Tag::in_ns("iq", ns::CLIENT).attr("type", "set").attr("id", &self.id).attr("from", self.from());
        let forwarded = Tag::in_ns("forwarded", ns::FORWARD).child(inner.child(client));
        let (host, id) = self.key();
        let iq = Tag::new("iq").attr("type", "set").attr("id", id).attr("from", host).attr("to", DOMAIN);
        iq.child(Tag::in_ns("delegation", "urn:xmpp:delegation:2").child(forwarded)).into_xml()
    }

    fn say(&self, to: &str, token: &str, origin: Option<&str>, said: Said) -> String {
        let body = || Tag::new("body").text(format!("{token} <&>'\"\u{1F600}"));
        let content = match said {
            Said::Body | Said::NoStore => Some(body()),
            Said::Reaction => Some(Tag::in_ns("reactions", ns::REACTIONS).attr("id", "none")),
            Said::State => Some(Tag::in_ns("composing", ns::CHAT_STATES)),
            Said::Marker => Some(Tag::in_ns("displayed", ns::MARKERS).attr("id", "none")),
            Said::Empty => None,
        };
        Tag::new("message")
            .attr("type", "groupchat")
            .attr("id", &self.id)
            .attr("from", self.from())
            .attr("to", to)
            .child_opt(content)
            .child(Tag::new("thread").text(token))
            .child_opt((said == Said::NoStore).then(|| Tag::in_ns("no-store", ns::HINTS)))
            .child_opt(origin.map(|id| Tag::in_ns("origin-id", ns::SID).attr("id", id)))
            .child_opt(
                (said == Said::Body).then(|| Tag::in_ns("mix", ns::MIX_CORE).child(Tag::new("nick").text("liar"))),
            )
            .child_opt((said == Said::Body).then(|| Tag::in_ns("stanza-id", ns::SID).attr("by", to).attr("id", "1")))
            .into_xml()
    }
}

impl Paging {
    fn tag(&self, query_id: &str) -> Tag {
        let stamp = |ms: u64| mixd::channel::Stamp(ms).to_xmpp();
        let field = |var: &str, values: Vec<String>| {
            Tag::new("field").attr("var", var).children(values.iter().map(|value| Tag::new("value").text(value)))
        };
        let one = |var: &str, value: Option<String>| value.map(|value| field(var, vec![value]));
        let id = |name: &Option<RowName>| name.as_ref().map(|name| name.id.clone());
        let form = Tag::in_ns("x", ns::FORM)
            .attr("type", "submit")
            .child(field("FORM_TYPE", vec![ns::MAM.to_owned()]))
            .child_opt(one("with", self.with.clone()))
            .child_opt(one("start", self.start.map(stamp)))
            .child_opt(one("end", self.end.map(stamp)))
            .child_opt(one("after-id", id(&self.after_id)))
            .child_opt(one("before-id", id(&self.before_id)))
            .child_opt(
                (!self.ids.is_empty()).then(|| field("ids", self.ids.iter().map(|name| name.id.clone()).collect())),
            );
        let text = |name, text: Option<String>| text.map(|text| Tag::new(name).text(text));
        let before = self.before.as_ref().map(|name| id(name).unwrap_or_default());
        let set = Tag::in_ns("set", ns::RSM)
            .child_opt(text("max", self.max.map(|max| max.to_string())))
            .child_opt(text("after", id(&self.after)))
            .child_opt(text("before", before));
        let flip = self.flip.then(|| Tag::new("flip-page"));
        Tag::in_ns("query", ns::MAM)
            .attr("node", ns::NODE_MESSAGES)
            .attr("queryid", query_id)
            .child(form)
            .child(set)
            .child_opt(flip)
    }
}

fn node_tags(name: &'static str, nodes: Nodes) -> impl Iterator<Item = Tag> {
    let wanted = NODES.into_iter().filter(move |(bit, _)| nodes & bit != 0);
    wanted.map(move |(_, node)| Tag::new(name).attr("node", node))
}

/// The domain of an address.
pub fn domain_of(address: &str) -> &str {
    let bare = address.split('/').next().unwrap_or_default();
    bare.split_once('@').map_or(bare, |(_, domain)| domain)
}
