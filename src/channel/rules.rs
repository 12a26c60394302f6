//! What settings, roles and lists say of an account, as they are or as they will be after some changes.

#![deny(clippy::wildcard_enum_match_arm)]

use super::{
    Access, Action, Change, Channel, Guest, Limits, Member, Membership, Node, Rights, Role, Settings, Standing,
};
use super::{Roll, Status, Style};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// The settings, roles and lists of a channel.
pub(super) struct Rules<'a> {
    settings: &'a Settings,
    rights: &'a Rights,
    allowed: List<'a>,
    banned: List<'a>,
}

/// A list of accounts and domains, with additions and removals.
struct List<'a> {
    exists: bool,
    before: Option<&'a Roll<BareJid>>,
    edits: HashMap<&'a BareJid, bool>,
}

impl<'a> List<'a> {
    fn of(before: Option<&'a Roll<BareJid>>) -> List<'a> {
        List { exists: before.is_some(), before, edits: HashMap::new() }
    }

    fn begin(&mut self, exists: bool) {
        *self = List { exists, ..List::of(None) };
    }

    fn holds(&self, jid: &BareJid) -> bool {
        self.edits.get(jid).copied().unwrap_or_else(|| self.before.is_some_and(|before| before.contains(jid)))
    }

    /// Whether an account or its domain is on the list.
    fn matches(&self, account: &BareJid) -> bool {
        self.exists && (self.holds(account) || self.holds(&BareJid::from_parts(None, account.domain())))
    }
}

impl<'a> Rules<'a> {
    /// The rules as they are.
    pub fn of(channel: &'a Channel) -> Rules<'a> {
        let kept = &channel.kept;
        let (allowed, banned) = (List::of(kept.allowed.as_ref()), List::of(kept.banned.as_ref()));
        Rules { settings: &kept.settings, rights: &kept.rights, allowed, banned }
    }

    /// The rules after these changes.
    pub fn after(channel: &'a Channel, changes: &'a [Change]) -> Rules<'a> {
        let mut rules = Rules::of(channel);
        for change in changes {
            match change {
                Change::RightsSet(rights) => rules.rights = rights,
                Change::Configured(settings) => rules.settings = settings,
                Change::ListMade { node, exists } => rules.list(*node).begin(*exists),
                Change::ListPurged { node } => rules.list(*node).begin(true),
                Change::Listed { node, jid, present, .. } => drop(rules.list(*node).edits.insert(jid, *present)),
                Change::Created { .. }
                | Change::Destroyed(_)
                | Change::Joined(_)
                | Change::Left(_)
                | Change::Renamed(_)
                | Change::Subscribed(_)
                | Change::Published(_)
                | Change::ItemSet { .. }
                | Change::ItemGone { .. }
                | Change::Invited(_)
                | Change::Removed(_)
                | Change::Noted(_)
                | Change::Struck(_)
                | Change::Faded(_)
                | Change::Traced(_)
                | Change::Reported(_)
                | Change::Entombed(_)
                | Change::Expired { .. }
                | Change::GuestSet { .. }
                | Change::TopicSet(_)
                | Change::VoiceSet { .. }
                | Change::Versioned(_)
                | Change::InvitationSet(_)
                | Change::InvitationEnded { .. }
                | Change::Relayed(_)
                | Change::Entered(_)
                | Change::Moved(_)
                | Change::Exited(_)
                | Change::VoiceRequested { .. }
                | Change::InvitedByRoom(_)
                | Change::DeclinedToRoom(_)
                | Change::RoleSet { .. }
                | Change::Announced(_) => {}
            }
        }
        rules
    }

    fn list(&mut self, node: Node) -> &mut List<'a> {
        if node == Node::Allowed { &mut self.allowed } else { &mut self.banned }
    }

    /// Whether everybody may subscribe to at least what `others` allow, as far as this shows without looking at each
    /// account.
    pub fn open_all_that(&self, others: &Rules<'_>) -> bool {
        let is_same = |list: &List<'_>, other: &List<'_>| {
            let is_as_stored = list.edits.is_empty() && other.edits.is_empty();
            is_as_stored && list.exists == other.exists && list.before.is_some() == other.before.is_some()
        };
        self.rights == others.rights
            && is_same(&self.allowed, &others.allowed)
            && is_same(&self.banned, &others.banned)
            && (!self.is_closed() || others.is_closed())
            && Node::ALL.into_iter().all(|node| self.access_to(node) >= others.access_to(node))
    }

    fn is_closed(&self) -> bool {
        self.settings.membership != Membership::Open
    }

    /// The role of an account, as a participant or not.
    pub fn standing_of(&self, account: &BareJid) -> Standing {
        if self.rights.owners.contains(account) {
            Standing::Owner
        } else if self.rights.admins.contains(account) {
            Standing::Admin
        } else {
            Standing::Member
        }
    }

    /// XEP-0406 §2.3: whether an account or its domain is on the list of those who may not join.
    pub fn bans(&self, account: &BareJid) -> bool {
        self.banned.matches(account)
    }

    /// XEP-0406 §2.2: whether an account or its domain is on the list of those who may join, or there is no such list.
    pub fn lists(&self, account: &BareJid) -> bool {
        !self.allowed.exists || self.allowed.matches(account)
    }

    /// Whether the lists let an account join. Owners and admins may always join.
    pub fn admit(&self, account: &BareJid) -> bool {
        self.standing_of(account) != Standing::Member
            || ((self.is_closed() || self.lists(account)) && !self.bans(account))
    }

    /// Who may subscribe to a node. XEP-0404 §2.2: where JIDs are hidden, nodes that tell them are for those who
    /// administer the channel, whatever the settings say.
    pub fn access_to(&self, node: Node) -> Access {
        let access = &self.settings.access;
        let telling_jids = if self.settings.shows_jids() { Access::Anyone } else { Access::Admins };
        match node {
            Node::Messages => access.messages,
            Node::Participants => access.participants,
            Node::Presence => access.presence,
            Node::Info | Node::AvatarMetadata | Node::AvatarData | Node::Video => access.information,
            Node::Allowed => access.allowed.min(telling_jids),
            Node::Banned => access.banned.min(telling_jids),
            Node::Config => access.configuration.min(telling_jids),
            Node::JidMap => Access::Admins,
        }
    }

    /// Whether an account may subscribe to a node. `seated` says whether it is a participant.
    pub fn open(&self, account: &BareJid, node: Node, seated: bool) -> bool {
        // The role is looked up only where it matters.
        let standing = || self.standing_of(account);
        match self.access_to(node) {
            Access::Nobody => false,
            Access::Owners => standing() == Standing::Owner,
            Access::Admins => standing() != Standing::Member,
            Access::Anyone => true,
            _ if seated || standing() != Standing::Member => true,
            // In a closed channel, those on the list are participants or wait, and nothing is sent to those who wait.
            Access::Allowed => !self.is_closed() && self.admit(account),
            Access::Participants => false,
        }
    }

    /// The role of an account with this record. In a group, only participants have rights.
    pub fn role_of(&self, account: &BareJid, member: Option<&Member>, operator: bool) -> Role {
        let standing = self.standing_of(account);
        let is_absent = |wanted| standing == wanted && self.settings.style != Style::Group;
        match member.filter(|member| !member.own.forgotten).map(|member| member.status) {
            Some(Status::Joined) if standing == Standing::Owner || operator => Role::Owner,
            Some(Status::Joined) if standing == Standing::Admin => Role::Admin,
            Some(Status::Joined) => Role::Participant,
            _ if operator => Role::Operator,
            _ if is_absent(Standing::Owner) => Role::AbsentOwner,
            _ if is_absent(Standing::Admin) => Role::AbsentAdmin,
            Some(Status::Waiting) => Role::Waiting,
            Some(Status::Left) => Role::Former,
            None => Role::Outsider,
        }
    }

    /// Whether a role is high enough for an action.
    pub fn allow(&self, role: Role, action: Action, limits: &Limits) -> bool {
        let joins_open = action == Action::Join || action == Action::See;
        match self.settings.style == Style::Group {
            true if joins_open && !self.is_closed() => true,
            true => role.may_in_group(action, &limits.groups.rights, self.settings.members_add),
            false => role.may(action, self.settings),
        }
    }
}

/// The guests of the channel after these changes.
pub(super) fn guests_after<'a>(channel: &'a Channel, changes: &'a [Change]) -> Vec<&'a Guest> {
    let set: BTreeMap<&BareJid, &Guest> = changes
        .iter()
        .filter_map(|change| if let Change::GuestSet { guest, .. } = change { Some((&guest.jid, guest)) } else { None })
        .collect();
    let before = channel.guests().filter(|guest| !set.contains_key(&guest.jid));
    before.chain(set.values().copied()).filter(|guest| !guest.subscriptions.is_empty()).collect()
}
