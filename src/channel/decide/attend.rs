//! XEP-0369 §7.1.2, §7.1.3, §7.1.4: joining and leaving, nicks and subscriptions.

use super::Outcome;
use super::draft::Draft;
use crate::channel::event::EventKind;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, Invitation, JoinWish, Limits, Member, Nick, Node,
    NodeSet, Own, Refusal, Registry, Status,
};
use jid::BareJid;

/// Stays of one member that are kept apart. Beyond that, the oldest are dropped.
const WINDOWS_MAX: usize = 128;

impl Channel {
    pub(super) fn join(&self, actor: &Actor, wish: JoinWish, context: &mut Context<'_>) -> Outcome {
        let invitation = self.invitation_needed(actor, &wish, context)?;
        match self.participant(&actor.account) {
            Some(seated) => self.join_again(seated, wish, context),
            None => {
                // A password is asked for by rooms alone. Whoever is on a list of those who may join needs none.
                let is_let_in = invitation.is_some() || self.is_for_members();
                if !is_let_in && self.needs_password(actor, context.live.seats) {
                    let claim = wish.claim.as_ref().and_then(|claim| self.valid_claim(actor, claim, context));
                    claim.ok_or(Refusal::BadPassword)?;
                }
                self.come_in(actor, wish, invitation, context)
            }
        }
    }

    /// Joins an account that may join, perhaps by an invitation.
    pub(super) fn come_in(
        &self,
        actor: &Actor,
        wish: JoinWish,
        invitation: Option<&Invitation>,
        context: &mut Context<'_>,
    ) -> Outcome {
        let JoinWish { nick, subscribe, preferences, .. } = wish;
        let past = self.member(&actor.account);
        if past.is_none_or(|past| past.status != Status::Waiting) {
            self.check_room(1, context.limits)?;
        }
        let subscribe = self.granted(&actor.account, subscribe)?;
        let preferences = past.map(|past| past.preferences).unwrap_or_default().patched(preferences);
        self.check_preferences(preferences)?;
        let mut draft = Draft::new(self, context.live.now, context.limits).remembering(context.past);
        let registered = self.registered_nick(&actor.account, context.registry);
        // Whoever is in the room already stays who it is there.
        let passer_by = context.live.seats.passer_by(&actor.account);
        let nick = nick.or_else(|| passer_by.map(|passer_by| passer_by.nick.clone()));
        let is_stated = nick.is_some() || registered.is_some();
        let nick = match nick {
            Some(nick) => self.free_in_room(actor, nick, context)?,
            None => {
                let wish =
                    registered.or_else(|| past.map(|past| past.nick.clone())).or_else(|| self.neutral_nick(context));
                choose_nick(&draft, &actor.account, wish, context)
            }
        };
        let nodes = if self.is_group() && subscribe.is_empty() { NodeSet::GROUP } else { subscribe };
        let member = seated(&draft, &actor.account, nick.clone(), nodes, context);
        let passer_by = context.live.seats.passer_by(&actor.account).filter(|_| draft.member(&actor.account).is_none());
        let id = passer_by.map_or(member.id.clone(), |passer_by| passer_by.id.clone());
        let named = is_stated || member.named;
        let spoke = member.spoke || passer_by.is_some_and(|passer_by| passer_by.spoke);
        let member = Member { preferences, id, named, spoke, ..member };
        let answer = Answer::Joined { id: member.id.clone(), nick, subscribed: subscribe, preferences };
        draft.put(Change::Joined, member.clone());
        match invitation {
            None => draft.event(EventKind::MemberJoined, Some(&member), Some(&member), Some("joined")),
            Some(invitation) => {
                self.list_invitee(&mut draft, &actor.account, context.limits.participants_max)?;
                // The inviter counts as the one who brought the invitee in.
                let by = self.participant(&invitation.inviter);
                draft.event(EventKind::MemberAdded, by, Some(&member), Some("joined"));
            }
        }
        draft.finish(answer)
    }

    /// XEP-0369 §7.1.2: those of the nodes wanted that exist and are open to participants. Refused where there is none.
    /// Clients ask once, when they join, for lists that may be made later.
    fn granted(&self, account: &BareJid, wanted: NodeSet) -> Result<NodeSet, Refusal> {
        let comes_later = |node: &Node| matches!(node, Node::Allowed | Node::Banned | Node::JidMap);
        let is_granted =
            |node: &Node| (self.has(*node) || comes_later(node)) && self.may_subscribe_inside(account, *node);
        let granted: NodeSet = wanted.iter().filter(is_granted).collect();
        if granted.is_empty() && !wanted.is_empty() { Err(Refusal::NoSuchNode) } else { Ok(granted) }
    }

    /// Refuses `more` people where there is no room for them. Those who wait count.
    pub(super) fn check_room(&self, more: usize, limits: &Limits) -> Result<(), Refusal> {
        let max = self.people_max(limits);
        if self.participant_count() + self.waiting_count() + more <= max {
            return Ok(());
        }
        Err(if self.is_group() { Refusal::Crowded { max } } else { Refusal::TooMany { what: "participants", max } })
    }

    /// The most people that may be in the channel or wait.
    pub(super) fn people_max(&self, limits: &Limits) -> usize {
        let max = if self.is_group() { self.settings().participants_max } else { usize::MAX };
        max.min(limits.participants_max)
    }

    /// A join of a participant: more subscriptions, perhaps another nick, and the same id.
    fn join_again(&self, seated: &Member, wish: JoinWish, context: &mut Context<'_>) -> Outcome {
        let JoinWish { nick, subscribe, preferences, claim } = wish;
        let subscribe = self.granted(&seated.jid, subscribe)?;
        let mut member = seated.clone();
        let mut changes: Vec<Change> = self.used_again(seated, claim.as_ref()).into_iter().collect();
        member.preferences = seated.preferences.patched(preferences);
        self.check_preferences(member.preferences)?;
        changes.extend(self.preferred(seated, &member));
        subscribe.iter().for_each(|node| member.subscriptions.insert(node));
        if member.subscriptions != seated.subscriptions {
            changes.push(Change::Subscribed(member.clone()));
        }
        let nick = nick.map(|nick| nick.cut(context.limits.nick_bytes_max));
        if let Some(nick) = nick.filter(|nick| *nick != seated.nick) {
            let actor = Actor { account: seated.jid.clone(), operator: false };
            (member.nick, member.named) = (self.free_in_room(&actor, nick, context)?, true);
            changes.push(Change::Renamed(member.clone()));
        }
        let Member { id, nick, preferences, .. } = member;
        let answer = Answer::Joined { id, nick, subscribed: subscribe, preferences };
        Ok(Decision::of(changes, answer))
    }

    pub(super) fn leave(&self, actor: &Actor, context: &mut Context<'_>) -> Outcome {
        self.require(actor, Action::Leave, context.limits)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        let Some(member) = self.member(&actor.account) else { return Err(Refusal::NotJoined) };
        let left = gone(&draft, member);
        let change = if member.is_joined() { Change::Left } else { Change::Invited };
        draft.put(change, left.clone());
        draft.event(EventKind::MemberLeft, Some(&left), Some(&left), None);
        self.settle_roles(&mut draft);
        draft.clear_away(context.limits);
        draft.finish(Answer::Left)
    }

    pub(super) fn set_nick(&self, actor: &Actor, nick: Option<Nick>, context: &mut Context<'_>) -> Outcome {
        let seated = self.speaker(actor, Action::Attend, context.live.seats, context.limits)?;
        let nick = match nick.map(|nick| nick.cut(context.limits.nick_bytes_max)) {
            // A participant keeps a nick that somebody else registered later.
            Some(nick) if nick == seated.nick => nick,
            Some(nick) => self.free_in_room(actor, nick, context)?,
            None => {
                let draft = Draft::new(self, context.live.now, context.limits);
                let wish = self.registered_nick(&actor.account, context.registry);
                choose_nick(&draft, &actor.account, wish.or_else(|| Some(seated.nick.clone())), context)
            }
        };
        let answer = Answer::Nick(nick.clone());
        if nick == seated.nick {
            return Ok(Decision::answer(answer));
        }
        let member = Member { nick, named: true, ..seated.clone() };
        let passes_by = context.live.seats.passer_by(&actor.account).is_some();
        Ok(Decision::of(vec![if passes_by { Change::Moved(member) } else { Change::Renamed(member) }], answer))
    }

    /// XEP-0407 §3: the nick that an account registered, for accounts that state none. `None` where JIDs are hidden: a
    /// nick that only one account can have would tell which it is.
    pub(super) fn registered_nick(&self, account: &BareJid, registry: &Registry) -> Option<Nick> {
        registry.nick_of(account).filter(|_| self.settings().shows_jids()).cloned()
    }

    /// The nick, cut to its limit. Refused where somebody else has it.
    pub(super) fn free_nick(&self, actor: &Actor, nick: Nick, context: &Context<'_>) -> Result<Nick, Refusal> {
        let nick = nick.cut(context.limits.nick_bytes_max);
        match self.holder_of(&nick) {
            _ if !context.registry.lets(&actor.account, &nick) => Err(Refusal::NickRegistered),
            Some(holder) if *holder != actor.account => Err(Refusal::NickTaken),
            _ if self.is_id_of_another(&nick, &actor.account, context.live.seats) => Err(Refusal::NickTaken),
            _ => Ok(nick),
        }
    }

    pub(super) fn update_subscription(
        &self,
        actor: &Actor,
        subscribe: NodeSet,
        unsubscribe: NodeSet,
        limits: &Limits,
    ) -> Outcome {
        let seated = self.seat(actor, Action::Attend, limits)?;
        let subscribe = self.granted(&actor.account, subscribe)?;
        let mut member = seated.clone();
        subscribe.iter().for_each(|node| member.subscriptions.insert(node));
        unsubscribe.iter().for_each(|node| member.subscriptions.remove(node));
        let changed = member.subscriptions != seated.subscriptions;
        let changes = if changed { vec![Change::Subscribed(member)] } else { Vec::new() };
        Ok(Decision::of(changes, Answer::Subscriptions { subscribe, unsubscribe }))
    }
}

/// The wish, else the localpart of the account, with a number behind it where somebody has that.
pub fn choose_nick(draft: &Draft<'_>, account: &BareJid, wish: Option<Nick>, context: &Context<'_>) -> Nick {
    let max = context.limits.nick_bytes_max;
    let wish = wish.unwrap_or_else(|| Nick::for_account(account)).cut(max);
    let others =
        draft.channel.participant_count() + draft.changes.len() + context.registry.len() + context.live.seats.count();
    let seats = context.live.seats;
    let is_nobodys = |nick: &Nick| {
        let is_free = seats.holder_of(nick).is_none_or(|holder| holder == account);
        is_free && !draft.channel.is_id_of_another(nick, account, seats)
    };
    let is_free =
        |nick: &Nick| draft.is_free(nick, account) && is_nobodys(nick) && context.registry.lets(account, nick);
    nick_among(wish, others, max, is_free)
}

/// The wish, with a number behind it where somebody has it.
pub fn nick_among(wish: Nick, others: usize, bytes_max: usize, is_free: impl Fn(&Nick) -> bool) -> Nick {
    if is_free(&wish) {
        return wish;
    }
    let is_free = |n: u64| is_free(&wish.numbered(n, bytes_max));
    // Thousands may have the same name, so this searches for a free number behind a taken one. One of the numbers up to
    // the count of others plus one is free.
    let (mut taken, last) = (1, others as u64 + 2);
    let mut free = 2;
    while free < last && !is_free(free) {
        (taken, free) = (free, (2 * free).min(last));
    }
    while free - taken > 1 {
        let middle = taken + (free - taken) / 2;
        if is_free(middle) { free = middle } else { taken = middle }
    }
    // Where names are cut to make room for the number, the names of two wishes can meet.
    let any = (free..=last).find(|n| is_free(*n)).or_else(|| (2..=last).find(|n| is_free(*n)));
    any.map_or(wish.clone(), |n| wish.numbered(n, bytes_max))
}

/// The record of an account that is a participant from the next row on.
pub fn seated(draft: &Draft<'_>, account: &BareJid, nick: Nick, nodes: NodeSet, context: &mut Context<'_>) -> Member {
    let (past, head) = (draft.member(account), draft.head);
    let mut windows = past.map(|past| past.windows.clone()).unwrap_or_default();
    match windows.last_mut() {
        // No row came meanwhile: the same stay goes on, so that leaving and joining takes no memory.
        Some(window) if window.1 == Some(head.row) => window.1 = None,
        _ => windows.push((head.row + 1, None)),
    }
    if windows.len() > WINDOWS_MAX {
        windows.remove(0);
    }
    let mut own = past.map(|past| Own { forgotten: false, ..past.own.clone() }).unwrap_or_default();
    // Rows from before the stay do not count as unread.
    own.mark = own.mark.max((head.row, head.ordinal));
    let named = past.is_some_and(|past| past.named && past.nick == nick);
    Member {
        id: past.map_or_else(|| context.new_id(Some(draft.channel), account), |past| past.id.clone()),
        jid: account.clone(),
        nick,
        status: Status::Joined,
        since: draft.now,
        subscriptions: draft.channel.guest(account).map_or(nodes, |guest| nodes.with(guest.subscriptions)),
        windows,
        spoke: past.is_some_and(|past| past.spoke),
        preferences: past.map(|past| past.preferences).unwrap_or_default(),
        veiled: false,
        own,
        ended: false,
        named,
        granted: past.is_some_and(|past| past.granted),
    }
}

/// The record of somebody who leaves or waits no longer. Where events are rows, the row of this event is the last that
/// it sees.
pub fn gone(draft: &Draft<'_>, member: &Member) -> Member {
    let mut left = member.clone();
    left.status = Status::Left;
    left.since = draft.now;
    left.veiled = member.shown_jid(draft.channel.settings().visibility).is_none();
    left.subscriptions = NodeSet::default();
    left.granted = false;
    if let (true, Some(window)) = (member.is_joined(), left.windows.last_mut()) {
        window.1 = Some(draft.head.row + u64::from(draft.channel.settings().events));
    }
    left
}
