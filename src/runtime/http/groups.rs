//! The methods about groups and their people.

use super::api::Asker;
use super::fault::Fault;
use super::parameters::Parameters;
use super::reply::HttpReply;
use crate::channel::answer::Page;
use crate::channel::command::Slice;
use crate::channel::group::GroupLine;
use crate::channel::{
    Answer, Command, GroupCommand, GroupWish, Guest, JoinWish, Membership, NodeSet, Refusal, ServiceCommand,
};
use crate::channel::{Person, Snapshot, Somebody, Stamp, Standing, Status};
use crate::engine::requests::call::{Addressee, CallResult};
use jid::{BareJid, DomainRef};
use serde_json::{Map, Value, json};

/// How many pages of a list one answer puts together.
const PAGES_MAX: usize = 100;

impl Asker<'_> {
    pub(super) async fn add_group(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let wish = GroupWish {
            subject: pm.subject()?.to_owned(),
            nick: pm.nick(),
            members: pm.invitees(&self.api.settings.domain)?,
            membership: Some(Membership::Invite),
            notices: true,
            ..GroupWish::default()
        };
        let created = self.call(Addressee::Service, ServiceCommand::CreateGroup(wish)).await?;
        let group = created.group.ok_or(Fault::INTERNAL)?;
        Ok(HttpReply::Json(json!({ "id": group.gid }).to_string()))
    }

    pub(super) async fn get_group(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let group = self.whole_profile(pm.gid()?).await?;
        Ok(HttpReply::Json(whole(&group, &self.api.settings.domain).to_string()))
    }

    pub(super) async fn get_common_groups(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let domain = &self.api.settings.domain;
        let with = pm.login(domain)?;
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let slice = Slice { after: after.take(), ..Slice::default() };
            let command = ServiceCommand::ListGroups { with: Some(with.clone()), slice };
            let Answer::Groups(page) = self.call(Addressee::Service, command).await?.answer else {
                return Err(Fault::INTERNAL);
            };
            let Page { entries, count, .. } = page;
            found.extend(entries.iter().map(|GroupLine { group, .. }| line(group, domain)));
            after = entries.last().map(|line| line.group.name.as_str().to_owned());
            if found.len() >= count || after.is_none() {
                break;
            }
        }
        Ok(HttpReply::Json(Value::from(found).to_string()))
    }

    pub(super) async fn delete_group(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let name = self.profile(pm.gid()?).await?.name;
        self.call(Addressee::Service, ServiceCommand::Destroy { name }).await?;
        Ok(HttpReply::Done)
    }

    pub(super) async fn set_subject(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let subject = pm.subject()?.to_owned();
        self.edit(pm, GroupCommand::SetSubject(subject)).await
    }

    pub(super) async fn join(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let (gid, nick) = (pm.gid()?, pm.nick());
        let join = |nick| Command::Join(JoinWish { nick, subscribe: NodeSet::GROUP, ..JoinWish::default() });
        match self.call(Addressee::Gid(gid), join(nick)).await {
            // A display name is a wish: two people may have the same one, while nicks differ.
            Err(Refusal::NickTaken | Refusal::TooLong { .. }) => self.ask(gid, join(None)).await?,
            outcome => outcome?,
        };
        Ok(HttpReply::Done)
    }

    pub(super) async fn leave(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        self.ask(pm.gid()?, Command::Leave).await?;
        Ok(HttpReply::Done)
    }

    pub(super) async fn add_members(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let add = pm.invitees(&self.api.settings.domain)?;
        self.edit(pm, GroupCommand::EditMembers { add, remove: Vec::new() }).await
    }

    pub(super) async fn delete_members(&self, pm: &Parameters) -> Result<HttpReply, Fault> {
        let remove = pm.logins(&self.api.settings.domain)?;
        self.edit(pm, GroupCommand::EditMembers { add: Vec::new(), remove }).await
    }

    pub(super) async fn edit_admins(&self, pm: &Parameters, make: bool) -> Result<HttpReply, Fault> {
        let logins = pm.logins(&self.api.settings.domain)?;
        let (add, remove) = if make { (logins, Vec::new()) } else { (Vec::new(), logins) };
        self.edit(pm, GroupCommand::EditAdmins { add, remove }).await
    }

    async fn edit(&self, pm: &Parameters, command: GroupCommand) -> Result<HttpReply, Fault> {
        self.ask(pm.gid()?, Command::Group(command)).await?;
        Ok(HttpReply::Done)
    }

    /// What a group is, for an asker who may see it.
    ///
    /// # Errors
    /// 444 where the asker may not.
    pub(super) async fn profile(&self, gid: u32) -> Result<Snapshot, Fault> {
        let slice = Slice { max: Some(0), ..Slice::default() };
        let CallResult { group, .. } = self.ask(gid, Command::Group(GroupCommand::ReadProfile(slice))).await?;
        group.ok_or(Fault::INTERNAL)
    }

    /// The same with all of its people, read page by page.
    async fn whole_profile(&self, gid: u32) -> Result<Snapshot, Fault> {
        let (mut people, mut after) = (Vec::new(), None);
        loop {
            let slice = Slice { after: after.take(), ..Slice::default() };
            let CallResult { group, .. } = self.ask(gid, Command::Group(GroupCommand::ReadProfile(slice))).await?;
            let mut group = group.ok_or(Fault::INTERNAL)?;
            after = group.people.last().map(Somebody::place);
            people.append(&mut group.people);
            if !group.goes_on || after.is_none() {
                return Ok(Snapshot { people, ..group });
            }
        }
    }
}

/// A time as the API writes it: `YYYY-MM-DDThh:mm:ss`, in UTC.
pub(super) fn time(stamp: Stamp) -> String {
    stamp.to_xmpp()[..19].to_owned()
}

/// A time that may be absent.
pub(super) fn time_opt(stamp: Option<Stamp>) -> String {
    stamp.map(time).unwrap_or_default()
}

/// An account as the API writes it: the localpart alone for accounts of the domain.
pub(super) fn login(jid: &BareJid, domain: &DomainRef) -> String {
    match jid.node() {
        Some(node) if jid.domain() == domain => node.as_str().to_owned(),
        _ => jid.to_string(),
    }
}

/// Whether there is a picture. The metadata of a deleted one is empty.
pub(super) fn has_avatar(group: &Snapshot) -> bool {
    group.avatar.as_ref().is_some_and(|item| item.payload.contains("<info"))
}

/// Whether there is a video.
pub(super) fn has_video(group: &Snapshot) -> bool {
    group.video.as_ref().is_some_and(|item| super::video_item::target(&item.payload).is_some())
}

fn head(group: &Snapshot, domain: &DomainRef) -> Map<String, Value> {
    let exists = |exists: bool| Value::from(if exists { "1" } else { "0" });
    let fields = [
        ("gs", group.subject.as_deref().unwrap_or_default().into()),
        ("go", login(&group.creator, domain).into()),
        ("ts", time(group.created).into()),
        ("ae", exists(has_avatar(group))),
        ("at", time_opt(group.avatar.as_ref().map(|item| item.stamp)).into()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn line(group: &Snapshot, domain: &DomainRef) -> Value {
    let mut fields = head(group, domain);
    fields.insert("id".to_owned(), group.gid.into());
    fields.into()
}

fn whole(group: &Snapshot, domain: &DomainRef) -> Value {
    let mut fields = head(group, domain);
    fields.insert("ve".to_owned(), if has_video(group) { "1" } else { "0" }.into());
    fields.insert("vt".to_owned(), time_opt(group.video.as_ref().map(|item| item.stamp)).into());
    let (mut people, mut guests): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for one in &group.people {
        match one {
            Somebody::Person(person) => people.push(member(person, domain)),
            Somebody::Guest(it) => guests.push(guest(it, domain)),
        }
    }
    fields.insert("gm".to_owned(), people.into());
    fields.insert("gg".to_owned(), guests.into());
    fields.into()
}

fn guest(guest: &Guest, domain: &DomainRef) -> Value {
    json!({ "l": login(&guest.jid, domain), "dn": guest.label(), "ts": time(guest.since) })
}

fn member(person: &Person, domain: &DomainRef) -> Value {
    let status = match person.status {
        Status::Joined => "j",
        Status::Waiting => "w",
        Status::Left => "l",
    };
    json!({
        "l": login(&person.jid, domain),
        "a": person.standing >= Standing::Admin,
        "dn": person.nick,
        "s": status,
        "ts": time(person.since),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{Change, Channel, ChannelName, Item, Limits, Node, Profile, Rights};

    #[test]
    fn guests_of_the_messages_are_in_the_guest_list_and_in_no_other() {
        let jid = |text: &str| BareJid::new(text).unwrap();
        let (name, creator) = (ChannelName::new("weekend").unwrap(), jid("ann@host.example"));
        let profile = Profile { tag: 7, created: Stamp(0), creator, gid: 1, listed: false };
        let settings = Limits::default().group_settings();
        let mut channel = Channel::create(name, profile, settings, Rights::default(), Item::default());
        for (account, node) in [("bob@host.example", Node::Messages), ("cy@host.example", Node::Info)] {
            let guest =
                Guest { jid: jid(account), since: Stamp(0), subscriptions: [node].into_iter().collect(), first: 1 };
            channel.apply(&Change::GuestSet { guest, ended: NodeSet::default() });
        }
        let shown = whole(&channel.snapshot_behind(None, 9), &jid::DomainPart::new("host.example").unwrap());
        assert_eq!(shown["gg"], json!([{ "l": "bob", "dn": "bob", "ts": "1970-01-01T00:00:00" }]));
        assert_eq!(shown["gm"], json!([]));
    }
}
