//! Accounts that have ended: what stays of them in a channel, and who succeeds them.

use super::Outcome;
use super::attend::gone;
use super::draft::Draft;
use crate::channel::crowd::WAITING;
use crate::channel::event::EventKind;
use crate::channel::{Actor, Answer, Change, Channel, Context, Member, Node, NodeSet, Refusal, Rights, Status};
use jid::BareJid;

impl Channel {
    /// Ends what an account that was removed has in the channel: its record, its roles, its subscriptions as a guest,
    /// the invitations that it gave and got, and its entry on the list of those who may join. Its rows keep its name. A
    /// later account of the same name gets another id and no rights. A ban stays, so that nobody loses it by removing
    /// the account and registering it again.
    pub(super) fn end_account(&self, actor: &Actor, context: &mut Context<'_>) -> Outcome {
        let account = &actor.account;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        if let Some(guest) = self.guest(account) {
            draft.drop_guest(guest, NodeSet::default());
        }
        if let Some(member) = self.member(account) {
            self.end_record(&mut draft, member);
        } else if let Some(given_up) = context.past.get(account).and_then(Option::as_ref) {
            draft.changes.push(Change::Faded(Member { ended: true, ..given_up.clone() }));
        }
        self.pass_on_ownership(&mut draft, account, context.operators);
        self.settle_roles(&mut draft);
        if self.kept.allowed.as_ref().is_some_and(|list| list.contains(account)) {
            draft.changes.push(Change::Listed {
                node: Node::Allowed,
                jid: account.clone(),
                present: false,
                reason: None,
            });
        }
        // A mute stays, like a ban.
        if self.kept.voices.get(account) == Some(&true) {
            draft.changes.push(Change::VoiceSet { account: account.clone(), voice: None });
        }
        let ended = self.invitations_of(account).into_iter().cloned();
        draft.changes.extend(ended.map(|invitation| Change::InvitationEnded { invitation, declined: false }));
        draft.clear_away(context.limits);
        let decision = draft.finish(Answer::Left)?;
        if decision.changes.is_empty() { Err(Refusal::NotJoined) } else { Ok(decision) }
    }

    /// Whether the channel has anything of the account that [`Command::EndAccount`](crate::channel::Command) would end.
    pub fn holds(&self, account: &BareJid) -> bool {
        self.member(account).is_some()
            || self.guest(account).is_some()
            || self.rights().owners.contains(account)
            || self.rights().admins.contains(account)
            || self.kept.allowed.as_ref().is_some_and(|list| list.contains(account))
            || self.kept.voices.get(account) == Some(&true)
            || self.kept.invitations.count_given_by(account) > 0
            || self.kept.invitations.got_by(account).next().is_some()
    }

    fn end_record(&self, draft: &mut Draft<'_>, member: &Member) {
        let mut ended = gone(draft, member);
        ended.ended = true;
        ended.own.forgotten = true;
        let (change, was_in): (fn(Member) -> Change, _) = match member.status {
            Status::Joined => (Change::Left, true),
            Status::Waiting => (Change::Invited, true),
            Status::Left => (Change::Noted, false),
        };
        draft.put(change, ended.clone());
        if was_in {
            draft.event(EventKind::MemberLeft, Some(&ended), Some(&ended), None);
        }
    }

    /// Gives a plain channel whose last owner ended to the admin who was made first, else to the operators. A plain
    /// participant never gets it.
    fn pass_on_ownership(&self, draft: &mut Draft<'_>, account: &BareJid, operators: &[BareJid]) {
        let past = self.rights();
        let (owned, administered) = (past.owners.contains(account), past.admins.contains(account));
        if self.is_group() || !(owned || administered) {
            return;
        }
        let mut rights = past.clone();
        rights.owners.remove(account);
        rights.admins.remove(account);
        if let (true, Some(heir)) = (rights.owners.is_empty(), rights.admins.first().cloned()) {
            rights.admins.remove(&heir);
            rights.owners.push(heir);
        } else if rights.owners.is_empty() {
            rights.owners = operators.iter().filter(|jid| *jid != account).cloned().collect();
        }
        draft.set_rights(rights);
    }

    /// groups.md §1 rule 2: settles the roles of a group after somebody left.
    pub(super) fn settle_roles(&self, draft: &mut Draft<'_>) {
        if !self.is_group() {
            return;
        }
        // Many people may have a role, so they are not walked over for nothing.
        if draft.leaves_roles() && !draft.rights().owners.is_empty() && draft.count_of(Status::Joined) > 0 {
            return;
        }
        let is_in = |jid: &BareJid| draft.status(jid) == Some(Status::Joined);
        let (owners, admins) = (&draft.rights().owners, &draft.rights().admins);
        let mut rights = Rights { owners: owners.clone(), admins: admins.clone() };
        rights.owners.retain(is_in);
        rights.admins.retain(is_in);
        let mut heir = None;
        if rights.owners.is_empty() {
            heir = draft.heir(&rights).cloned();
            if let Some(heir) = &heir {
                rights.admins.remove(&heir.jid);
                rights.owners.push(heir.jid.clone());
            }
        }
        if rights != *draft.rights() {
            draft.set_rights(rights);
        }
        match heir {
            Some(heir) => draft.event(EventKind::AdminAdded, None, Some(&heir), Some("owner")),
            None if draft.count_of(Status::Joined) == 0 => {
                for waiting in draft.some_people(WAITING) {
                    let void = gone(draft, &waiting);
                    draft.put(Change::Invited, void);
                }
            }
            None => {}
        }
    }
}
