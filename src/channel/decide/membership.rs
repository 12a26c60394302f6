//! groups.md §3.3: adding and removing people, all or none, unless something fails between two parts.

use super::Outcome;
use super::attend::{choose_nick, gone, seated};
use super::draft::Draft;
use crate::channel::event::EventKind;
use crate::channel::group::Invitee;
use crate::channel::group_create::check_named;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, GroupAnswer, Limits, Member, Membership, Nick, NodeSet, Own,
    Refusal, Status,
};
use jid::BareJid;
use std::collections::BTreeSet;

impl Channel {
    pub(super) fn edit_members(
        &self,
        actor: &Actor,
        add: Vec<Invitee>,
        remove: Vec<BareJid>,
        context: &mut Context<'_>,
    ) -> Outcome {
        self.check_edit(actor, &add, &remove, context.limits)?;
        let by = self.member(&actor.account).filter(|by| by.status != Status::Left).cloned();
        let mut draft = Draft::new(self, context.live.now, context.limits).remembering(context.past);
        let named: Vec<BareJid> = add.iter().map(|invitee| invitee.jid.clone()).chain(remove.clone()).collect();
        let removed: BTreeSet<BareJid> = remove.iter().cloned().collect();
        let (add, remove) = self.edits(&draft, &add, &remove);
        let (before, max) = (self.participant_count() + self.waiting_count(), self.people_max(context.limits));
        let is_new = |it: &&&Invitee| draft.status(&it.jid).is_none_or(|status| status == Status::Left);
        let after = before + add.iter().filter(is_new).count() - remove.len();
        if after > before.max(max) {
            return Err(Refusal::Crowded { max });
        }
        let part_max = context.limits.part_max;
        if add.len() + remove.len() <= part_max {
            remove.iter().for_each(|jid| self.take_out(&mut draft, by.as_ref(), jid));
            add.iter().for_each(|invitee| self.bring_in(&mut draft, by.as_ref(), invitee, context));
        } else {
            // People come in before others go, or else the rest of the request could ask for more than there is room
            // for. Of those who go, owners come behind others, since only they may remove owners. The asker comes last,
            // since it may do nothing afterwards.
            draft.begin_part();
            add.iter().take(part_max).for_each(|invitee| self.bring_in(&mut draft, by.as_ref(), invitee, context));
            let mut remove = remove;
            remove.sort_by_key(|jid| (**jid == actor.account, self.rights().owners.contains(jid)));
            let some = remove.iter().take(part_max.saturating_sub(add.len()));
            some.for_each(|jid| self.take_out(&mut draft, by.as_ref(), jid));
        }
        // Between two parts, those who are still to go may be all that are in.
        if !draft.is_part {
            self.settle_roles(&mut draft);
        }
        draft.clear_away(context.limits);
        let answer = edited(&draft, named, &removed);
        draft.finish(answer)
    }

    /// Those of the people named who are not yet in or out, each once. groups.md §1 rule 2: nobody is invited where no
    /// participant would be left, because that invitation would end at once.
    fn edits<'a>(
        &self,
        draft: &Draft<'_>,
        add: &'a [Invitee],
        remove: &'a [BareJid],
    ) -> (Vec<&'a Invitee>, Vec<&'a BareJid>) {
        let mut named = BTreeSet::new();
        let remove = remove.iter().filter(|jid| draft.status(jid).is_some_and(|status| status != Status::Left));
        let remove: Vec<&BareJid> = remove.filter(|jid| named.insert(*jid)).collect();
        let invites = self.settings().membership == Membership::Invite;
        let seated = remove.iter().filter(|jid| draft.status(jid) == Some(Status::Joined)).count();
        if invites && seated == self.participant_count() {
            return (Vec::new(), remove);
        }
        let comes = |status: Option<Status>| match status {
            Some(Status::Joined) => false,
            Some(Status::Waiting) => !invites,
            Some(Status::Left) | None => true,
        };
        let add = add.iter().filter(|invitee| comes(draft.status(&invitee.jid)));
        (add.filter(|invitee| named.insert(&invitee.jid)).collect(), remove)
    }

    fn check_edit(&self, actor: &Actor, add: &[Invitee], remove: &[BareJid], limits: &Limits) -> Result<(), Refusal> {
        self.require(actor, Action::See, limits)?;
        if add.is_empty() && remove.is_empty() {
            return Err(Refusal::Invalid { field: "members", why: "name somebody".into() });
        }
        if !add.is_empty() {
            self.require(actor, Action::Add, limits)?;
            if !self.is_group() {
                return Err(Refusal::NotAllowed("people join this channel themselves"));
            }
        }
        if remove.iter().any(|jid| *jid != actor.account) {
            self.require(actor, Action::Remove, limits)?;
        }
        if remove.contains(&actor.account) {
            self.require(actor, Action::Leave, limits)?;
        }
        if remove.iter().any(|jid| *jid != actor.account && self.rights().owners.contains(jid)) && !actor.operator {
            return Err(Refusal::Forbidden("the owner cannot be removed"));
        }
        // A request may name thousands.
        let (wanted, unwanted): (BTreeSet<_>, BTreeSet<_>) =
            (add.iter().map(|it| &it.jid).collect(), remove.iter().collect());
        let max = self.people_max(limits);
        if wanted.len() > max.max(self.participant_count() + self.waiting_count()) {
            return Err(Refusal::Crowded { max });
        }
        check_named("members", add.len() + remove.len(), limits)?;
        for Invitee { jid, .. } in add {
            if jid.node().is_none() {
                return Err(Refusal::Invalid { field: "jid", why: format!("'{jid}' is no account") });
            }
            if unwanted.contains(jid) {
                return Err(Refusal::Invalid { field: "jid", why: format!("'{jid}' is both added and removed") });
            }
            if self.is_banned(jid) && !self.knows(jid) {
                return Err(Refusal::Forbidden("somebody of these is banned from the group"));
            }
        }
        Ok(())
    }

    /// Adds a person who is not in.
    pub(super) fn bring_in(
        &self,
        draft: &mut Draft<'_>,
        by: Option<&Member>,
        invitee: &Invitee,
        context: &mut Context<'_>,
    ) {
        let invites = self.settings().membership == Membership::Invite;
        let past = draft.member(&invitee.jid).cloned();
        // A registered nick comes before one that others suggest.
        let wish = self.registered_nick(&invitee.jid, context.registry).or_else(|| invitee.nick.clone());
        let wish = wish.or_else(|| past.as_ref().map(|past| past.nick.clone()));
        if invites {
            let member = waiting(draft, &invitee.jid, wish, context);
            draft.put(Change::Invited, member.clone());
            draft.event(EventKind::MemberAdded, by, Some(&member), Some("waiting"));
        } else {
            let nick = choose_nick(draft, &invitee.jid, wish, context);
            let member = seated(draft, &invitee.jid, nick, NodeSet::GROUP, context);
            draft.put(Change::Joined, member.clone());
            draft.event(EventKind::MemberAdded, by, Some(&member), Some("joined"));
        }
    }

    /// Removes a person. It changes nothing for one who is not in. Removing oneself is leaving.
    pub(super) fn take_out(&self, draft: &mut Draft<'_>, by: Option<&Member>, jid: &BareJid) {
        let Some(member) = draft.member(jid).filter(|member| member.status != Status::Left).cloned() else { return };
        let leaves = by.is_some_and(|by| by.jid == *jid);
        let left = gone(draft, &member);
        let kind = if leaves { EventKind::MemberLeft } else { EventKind::MemberRemoved };
        let change: fn(Member) -> Change = match (member.status, leaves) {
            (Status::Waiting, _) => Change::Invited,
            (_, true) => Change::Left,
            (_, false) => Change::Removed,
        };
        draft.put(change, left.clone());
        draft.event(kind, if leaves { Some(&left) } else { by }, Some(&left), None);
    }
}

/// The people named, each once, with the status so far. Those among `removed` may have no record any more.
pub fn edited(draft: &Draft<'_>, named: Vec<BareJid>, removed: &BTreeSet<BareJid>) -> Answer {
    let (mut seen, mut people) = (BTreeSet::new(), Vec::new());
    for jid in named {
        if seen.insert(jid.clone()) {
            let status = draft.status(&jid).or_else(|| removed.contains(&jid).then_some(Status::Left));
            people.push((jid, status));
        }
    }
    Answer::Group(GroupAnswer::Edited(people))
}

/// The record of an account that was added and has not joined. Its nick is a wish, and others may have it.
fn waiting(draft: &Draft<'_>, account: &BareJid, wish: Option<Nick>, context: &mut Context<'_>) -> Member {
    let past = draft.member(account);
    let nick = wish.unwrap_or_else(|| Nick::for_account(account)).cut(context.limits.nick_bytes_max);
    let named = past.is_some_and(|past| past.named && past.nick == nick);
    Member {
        id: past.map_or_else(|| context.new_id(Some(draft.channel), account), |past| past.id.clone()),
        jid: account.clone(),
        nick,
        status: Status::Waiting,
        since: draft.now,
        subscriptions: NodeSet::default(),
        windows: past.map(|past| past.windows.clone()).unwrap_or_default(),
        spoke: past.is_some_and(|past| past.spoke),
        preferences: past.map(|past| past.preferences).unwrap_or_default(),
        veiled: past.is_some_and(|past| past.veiled),
        own: past.map(|past| Own { forgotten: false, ..past.own.clone() }).unwrap_or_default(),
        ended: false,
        named,
        granted: false,
    }
}
