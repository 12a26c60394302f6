//! Which face shows which change. Only here, changes are matched for output.
//!
//! A face is what one protocol shows of a channel: MIX with its extensions, and XEP-0045. Their functions get the parts of a
//! change that they need. No arm is a wildcard, so the compiler asks of a new [`Change`] who shows it. What a change means
//! for single seats of a room is in `engine/occupants/following.rs`.

#![deny(clippy::wildcard_enum_match_arm)]

use super::{Render, admin, anon, commands, group_events, invitations, mentions, mix_core, muc, notices, pubsub};
use crate::channel::{Change, Node, Row, RowKind};

/// Shows an applied change to everybody concerned, in the order of sending.
pub fn show(change: &Change, render: &mut Render<'_>) {
    match change {
        Change::Destroyed(_) => {
            mix_core::show_end(render);
            group_events::show_end(render);
            notices::tell_of_end(render);
        }
        Change::Joined(member) => {
            mix_core::show_participant(member, render);
            anon::show_mapping(member, render);
            group_events::invite(member, render);
        }
        Change::Left(member) | Change::Removed(member) => {
            mix_core::show_leave(member, render);
            anon::show_leave(member, render);
        }
        Change::Invited(member) => {
            mix_core::show_leave(member, render);
            group_events::invite(member, render);
            group_events::tell_uninvited(member, render);
            notices::tell_uninvited(member, render);
        }
        Change::Published(row) => show_row(row, render),
        Change::Relayed(relay) => {
            mix_core::show_relay(relay, render);
            muc::message::show_relay(relay, render);
        }
        Change::Renamed(member) | Change::Entered(member) | Change::Moved(member) => {
            mix_core::show_participant(member, render);
        }
        Change::Exited(member) => mix_core::show_exit(member, render),
        Change::VoiceRequested { account, nick } => muc::voice::show(account, nick, render),
        Change::InvitedByRoom(invitation) => muc::invite::show(invitation, render),
        Change::DeclinedToRoom(decline) => muc::invite::show_decline(decline, render),
        Change::Announced(announcement) => commands::show_announcement(announcement, render),
        // XEP-0406 §2.4: the configuration is a form, for those who may read it.
        Change::ItemSet { node: Node::Config, .. } => admin::show_configuration(render),
        Change::ItemSet { node, item } => pubsub::show_item(*node, item, render),
        Change::ItemGone { node, id } => pubsub::show_retraction(*node, id, render),
        Change::ListMade { node, exists: false } => admin::show_end_of(*node, render),
        Change::ListPurged { node } => admin::show_purge(*node, render),
        Change::Listed { node, jid, present, .. } => admin::show_entry(*node, jid, *present, render),
        Change::Configured(_) => admin::show_nodes_gone(render),
        Change::GuestSet { guest, ended } => pubsub::tell_guest(guest, *ended, render),
        Change::InvitationEnded { invitation, declined: true } => invitations::tell_declined(invitation, render),
        // Shown by an answer, by another change, or to nobody.
        Change::Created { .. }
        | Change::Subscribed(_)
        | Change::Noted(_)
        | Change::Struck(_)
        | Change::Faded(_)
        | Change::Traced(_)
        | Change::Reported(_)
        | Change::Entombed(_)
        | Change::Expired { .. }
        | Change::ListMade { exists: true, .. }
        | Change::TopicSet(_)
        | Change::VoiceSet { .. }
        | Change::Versioned(_)
        | Change::RoleSet { .. }
        | Change::InvitationSet(_)
        | Change::InvitationEnded { declined: false, .. }
        | Change::RightsSet(_) => {}
    }
}

/// Shows a new row of the archive.
fn show_row(row: &Row, render: &mut Render<'_>) {
    mix_core::show_row(row, render);
    muc::message::show_row(row, render);
    mentions::show_row(row, render);
    if let RowKind::Event(event) = &row.kind {
        group_events::show_last(event, row, render);
        notices::tell_of(event, row.number, render);
    }
}
