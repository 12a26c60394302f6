//! What holds of groups after every step: answers, roles, unread rows, lists, reports and pages are those of the model,
//! and each row reaches those who were in when it came, and nobody else.

use super::group_model::{Group, Kind, Person, Status};
use super::groups::{PEOPLE, World, jid};
use super::wire;
use minidom::Element;
use mixd::channel::command::Slice;
use mixd::channel::group::GroupCommand;
use mixd::channel::{
    Answer, ChannelName, Command, GroupAnswer, Progress, Refusal, ServiceCommand, Somebody, Stamp, Standing,
    Status as Told,
};
use mixd::engine::{Addressee, CallResult};
use mixd::runtime::answer;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::collections::BTreeMap;

impl World {
    /// The rows behind `from`, which came with the last turn, reached those who were in when they came, each once and in
    /// order, and nobody else.
    pub fn check_sent(&mut self, name: &str, from: usize) {
        let group = &self.groups[name];
        let mut got: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for stanza in self.sent.iter().filter(|stanza| stanza.attr("type") == Some("groupchat")) {
            let sealed = stanza.children().find(|child| child.name() == "stanza-id").and_then(|id| id.attr("id"));
            let Some(row) = sealed.and_then(|id| self.sealer.open(group.tag, id)) else { continue };
            let to = stanza.attr("to").unwrap().split('@').next().unwrap();
            got.entry(to).or_default().push(row);
            self.delivered += 1;
        }
        for who in PEOPLE {
            let owed = (from as u64 + 1..).zip(&group.rows[from..]).filter(|(_, row)| row.told.contains(who));
            let owed: Vec<u64> = owed.map(|(row, _)| row).collect();
            assert_eq!(got.remove(who).unwrap_or_default(), owed, "{who} gets rows of {name}");
        }
        assert!(got.is_empty(), "strangers get rows of {name}: {got:?}");
    }

    /// The channel is what the model says, in memory or loaded anew.
    pub fn check(&mut self, name: &str) {
        let Some(group) = self.groups.get(name).cloned() else { return };
        let Some(who) =
            group.people.keys().find(|who| matches!(group.status(who), Some(Status::Joined | Status::Waiting)))
        else {
            return;
        };
        let to = || Addressee::Channel(ChannelName::new(name).unwrap());
        let told = self.call(who, to(), Command::Group(GroupCommand::ReadProfile(Default::default())), false).unwrap();
        let shown = told.group.unwrap();
        assert_eq!((shown.subject.as_deref(), shown.head.row), (Some(&*group.subject), group.rows.len() as u64));
        assert_eq!(shown.owner, group.owner.as_deref().map(jid));
        assert_eq!(shown.people.len(), group.people.len());
        for person in &shown.people {
            let Somebody::Person(person) = person else { panic!("{person:?}") };
            let who = person.jid.node().unwrap().to_string();
            let Person { status, since, .. } = group.people[&who];
            assert_eq!(
                (told_status(status), standing(&group, &who), since),
                (person.status, person.standing, person.since.0)
            );
        }
        let Some(who) = group.joined().into_iter().next() else { return };
        let seen: Vec<u64> = (1..=group.rows.len() as u64).filter(|row| group.sees(&who, *row)).collect();
        let Some(&row) = seen.choose(&mut self.dice) else { return };
        let info = self.call(&who, to(), Command::Group(GroupCommand::ReadMessageInfo { row }), false);
        if !matches!(group.rows[row as usize - 1].kind, Kind::Message | Kind::Media) {
            return assert_eq!(info, Err(Refusal::NoSuchItem));
        }
        check_info(&group, row, &info.unwrap());
    }

    /// What somebody is shown of the archive, by stanzas.
    pub fn check_pages(&mut self, name: &str, who: &str) {
        let (media, max) = (self.dice.random_bool(0.4), self.dice.random_range(1..9));
        let filter = "<field var='{urn:mixd:group:1}media'><value>image</value></field>";
        let queries = self.stanza(&format!(
            "<iq type='set' from='{who}@far.example/desk' to='{name}@mix.example' id='h'><query xmlns='urn:xmpp:mam:2'>\
             <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>{}</x>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>{max}</max><before/></set></query></iq>",
            if media { filter } else { "" }
        ));
        let group = self.groups.get(name);
        let may = group.is_some_and(|group| matches!(group.status(who), Some(Status::Joined | Status::Left)));
        assert_eq!(queries.len(), usize::from(may), "{who} reads {name}");
        let (Some(group), Some(query)) = (group, queries.first()) else { return };
        let stanzas = wire::read(&answer::answer(query, &self.store).concat());
        let ids = stanzas.iter().flat_map(Element::children).filter(|child| child.name() == "result");
        let rows: Vec<u64> = ids.filter_map(|result| self.sealer.open(group.tag, result.attr("id")?)).collect();
        let mut owed = group.shown(who, media);
        owed.drain(..owed.len().saturating_sub(max));
        if media {
            // Files come newest first (groups.md §1 rule 10).
            owed.reverse();
        }
        assert_eq!(rows, owed, "{who} reads {name}, media: {media}, at most {max}");
    }

    /// The list of somebody's groups, or of those in common with another.
    pub fn check_list(&mut self, who: &str) {
        let with = self.dice.random_bool(0.4).then(|| *PEOPLE.choose(&mut self.dice).unwrap());
        let command = ServiceCommand::ListGroups { with: with.map(jid), slice: Slice::default() };
        let Answer::Groups(page) = self.call(who, Addressee::Service, command, false).unwrap().answer else { panic!() };
        let is_in = |group: &Group, who: &str| matches!(group.status(who), Some(Status::Joined | Status::Waiting));
        let fits = |group: &&Group| match with {
            Some(with) => is_in(group, who) && is_in(group, with),
            None => group.status(who).is_some(),
        };
        let owed = self.groups.values().filter(fits).map(|group| {
            (group.name.clone(), told_status(group.people[who].status), standing(group, who), group.unread(who))
        });
        let got = page
            .entries
            .iter()
            .map(|line| (line.group.name.as_str().to_owned(), line.status, line.standing, line.unread));
        assert_eq!(got.collect::<Vec<_>>(), owed.collect::<Vec<_>>(), "the groups of {who} with {with:?}");
    }
}

fn told_status(status: Status) -> Told {
    match status {
        Status::Joined => Told::Joined,
        Status::Waiting => Told::Waiting,
        Status::Left => Told::Left,
    }
}

fn standing(group: &Group, who: &str) -> Standing {
    match group.owner.as_deref() == Some(who) {
        true => Standing::Owner,
        false if group.is_admin(who) => Standing::Admin,
        false => Standing::Member,
    }
}

fn check_info(group: &Group, row: u64, info: &CallResult) {
    let owed = group.recipients(row);
    let Answer::Group(GroupAnswer::MessageInfo { aggregate, .. }) = &info.answer else { panic!("{info:?}") };
    let count = |read: bool| {
        let reached = |who: &&String| {
            let person = &group.people[*who];
            if read { person.read.contains_key(&row) } else { person.delivered.contains_key(&row) }
        };
        owed.iter().filter(reached).count()
    };
    assert_eq!((aggregate.recipients, aggregate.delivered, aggregate.read), (owed.len(), count(false), count(true)));
    let still: Vec<&Person> =
        owed.iter().map(|who| &group.people[who]).filter(|person| person.status == Status::Joined).collect();
    let all =
        |by: fn(&Person) -> &BTreeMap<u64, u64>| !still.is_empty() && still.iter().all(|p| by(p).contains_key(&row));
    let least = match (all(|person| &person.delivered), all(|person| &person.read)) {
        (_, true) => Some(Progress::Read),
        (true, false) => Some(Progress::Delivered),
        _ => None,
    };
    assert_eq!(aggregate.all, least);
    assert_eq!(info.receipts.len(), owed.len());
    for (jid, receipt) in &info.receipts {
        let person = &group.people[&jid.node().unwrap().to_string()];
        let at = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.0);
        let owed = (person.delivered.get(&row).copied(), person.read.get(&row).copied());
        assert_eq!((at(receipt.delivered), at(receipt.read)), owed, "{jid} and row {row}");
    }
}
