//! Readable names for what the engine draws at random or seals.
//!
//! `{coven:1}` is the id of the first row of the channel coven, `{coven:hag66}` the id of its participant
//! `hag66@shakespeare.example` (another domain is written out), `{coven:visitor:cat}` that of `cat` where it has no record, `{coven:token:cat}` the token of an invitation of `cat`,
//! `{channel-1}` the first name that the service chose,
//! `{id-1}` the first stanza id that it drew, `{uuid-1}` the first other UUID. A channel that is created again under its name is `coven#2`.

use super::Unplayable;
use jid::BareJid;
use mixd::channel::Channel;
use mixd::xep::Sealer;
use std::collections::{BTreeSet, HashMap};

const HOME: &str = "@shakespeare.example";

/// Both directions, and what tells the names apart.
pub struct Names {
    sealer: Sealer,
    /// Every channel so far by its tag, by the name it has here.
    channels: Vec<(u64, String)>,
    aliases: HashMap<String, String>,
    /// The accounts that sent something.
    senders: BTreeSet<BareJid>,
    resources: usize,
    ids: usize,
    uuids: usize,
    chosen: usize,
}

impl Names {
    pub fn new(sealing_key: [u8; 16]) -> Names {
        Names {
            sealer: Sealer::new(sealing_key),
            channels: Vec::new(),
            aliases: HashMap::new(),
            senders: BTreeSet::new(),
            resources: 0,
            ids: 0,
            uuids: 0,
            chosen: 0,
        }
    }

    /// Learns that an account sent something: without a record in a channel it has an id there as well.
    pub fn learn_sender(&mut self, account: BareJid) {
        self.senders.insert(account);
    }

    /// Learns a channel and its people.
    pub fn learn(&mut self, channel: &Channel) {
        let tag = channel.profile().tag;
        if !self.channels.iter().any(|(known, _)| *known == tag) {
            let mut name = channel.name().to_string();
            if is_uuid(&name) {
                self.chosen += 1;
                let alias = format!("channel-{}", self.chosen);
                self.aliases.insert(name, format!("{{{alias}}}"));
                name = alias;
            }
            let earlier = self.channels.iter().filter(|(_, other)| other.split('#').next() == Some(&name)).count();
            self.channels.push((tag, if earlier == 0 { name } else { format!("{name}#{}", earlier + 1) }));
        }
        let Some((_, name)) = self.channels.iter().find(|(known, _)| *known == tag) else { return };
        let mut members: Vec<_> = channel.members().collect();
        members.sort_by(|a, b| a.jid.cmp(&b.jid));
        for member in members {
            let jid = member.jid.as_str();
            let alias = format!("{{{name}:{}}}", jid.strip_suffix(HOME).unwrap_or(jid));
            self.aliases.insert(member.id.to_string(), alias);
        }
        for account in &self.senders {
            let jid = account.as_str();
            let who = jid.strip_suffix(HOME).unwrap_or(jid);
            for ended in 0..3 {
                let later = if ended == 0 { String::new() } else { format!("#{}", ended + 1) };
                let id = self.sealer.visitor(tag, account, ended).to_string();
                self.aliases.entry(id).or_insert(format!("{{{name}:visitor:{who}{later}}}"));
            }
        }
        for invitation in channel.invitations() {
            let invitee = invitation.invitee.as_str();
            let alias = format!("{{{name}:token:{}}}", invitee.strip_suffix(HOME).unwrap_or(invitee));
            self.aliases.insert(invitation.token.as_str().to_owned(), alias);
        }
    }

    /// What goes out, with names instead of ids.
    pub fn write(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            out.push_str(&self.alias(word).unwrap_or_else(|| word.to_owned()));
            let gap = behind.find(is_part).unwrap_or(behind.len());
            out.push_str(&behind[..gap]);
            rest = &behind[gap..];
        }
        out
    }

    fn alias(&mut self, word: &str) -> Option<String> {
        if let Some(alias) = self.aliases.get(word) {
            return Some(alias.clone());
        }
        let is_hex = word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let alias = match word.len() {
            32 if is_hex => {
                let mut channels = self.channels.iter();
                let row =
                    channels.find_map(|(tag, name)| Some(format!("{{{name}:{}}}", self.sealer.open(*tag, word)?)));
                // What stands for a resource where JIDs are hidden.
                row.unwrap_or_else(|| {
                    self.resources += 1;
                    format!("{{alias-{}}}", self.resources)
                })
            }
            24 if is_hex => {
                self.ids += 1;
                format!("{{id-{}}}", self.ids)
            }
            36 if is_uuid(word) && is_drawn(word) => {
                self.uuids += 1;
                format!("{{uuid-{}}}", self.uuids)
            }
            _ => return None,
        };
        self.aliases.insert(word.to_owned(), alias.clone());
        Some(alias)
    }

    /// What comes in, with ids instead of names.
    ///
    /// # Errors
    /// Where nothing goes by a name.
    pub fn read(&self, text: &str) -> Result<String, Unplayable> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            out.push_str(before);
            let (name, after) = behind.split_once('}').ok_or_else(|| Unplayable("a '{' is not closed".into()))?;
            // Clark notation is no name of ours.
            match self.value(name) {
                Some(value) => out.push_str(&value),
                None if name.starts_with("urn:") => out.push_str(&format!("{{{name}}}")),
                None => return Err(Unplayable(format!("nothing goes by the name {{{name}}}"))),
            }
            rest = after;
        }
        Ok(out + rest)
    }

    fn value(&self, name: &str) -> Option<String> {
        let alias = format!("{{{name}}}");
        if let Some((value, _)) = self.aliases.iter().find(|(_, other)| **other == alias) {
            return Some(value.clone());
        }
        let (channel, row) = name.rsplit_once(':')?;
        let (tag, _) = self.channels.iter().find(|(_, other)| other == channel)?;
        Some(self.sealer.seal(*tag, row.parse().ok()?))
    }
}

/// Whether a UUID is of version 4 and written as the service does.
fn is_drawn(uuid: &str) -> bool {
    uuid.as_bytes()[14] == b'4' && uuid.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
}
