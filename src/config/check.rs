//! Checks what types cannot: ranges of settings, and how settings relate to each other.

use super::range::OutOfRange;
use super::{Config, Domain, Limits, level};
use crate::channel::Access;

/// All settings that are out of range.
pub(super) fn check(config: &Config) -> Vec<OutOfRange> {
    let mut wrong = Vec::new();
    for (key, found, least, most) in ranges(config).into_iter().chain(ranges_of_limits(&config.limits)) {
        if found < least || found > most {
            let expected = format!("a number from {least} to {most}");
            wrong.push(OutOfRange { key, found: found.to_string(), expected });
        }
    }
    relations(config, &mut wrong);
    super::http::check(&config.http, &mut wrong);
    wrong
}

/// A key, the value found, the minimum and the maximum.
type Range = (&'static str, u64, u64, u64);

const DAY_S: u64 = 86_400;
const GIB: u64 = 1 << 30;
const MANY: u64 = 1_000_000_000;

fn of(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn ranges(config: &Config) -> Vec<Range> {
    let component = &config.component;
    vec![
        ("component.port", u64::from(component.port), 1, 65_535),
        ("component.connect_timeout_s", component.connect_timeout_s, 1, DAY_S),
        ("component.ping_idle_s", component.ping_idle_s, 1, DAY_S),
        ("component.ping_timeout_s", component.ping_timeout_s, 1, DAY_S),
        ("component.write_timeout_s", component.write_timeout_s, 1, DAY_S),
        ("component.resend_s", component.resend_s, 0, 30 * DAY_S),
        ("component.backoff_ms_min", component.backoff_ms_min, 10, DAY_S * 1000),
        ("component.backoff_ms_max", component.backoff_ms_max, 10, DAY_S * 1000),
        ("muc.occupants_max", of(config.muc.occupants_max), 1, 100_000),
        ("storage.cache_bytes", config.storage.cache_bytes, 1 << 20, 1024 * GIB),
        // Room for a commit and for what sled still has to write of earlier ones.
        ("storage.reserve_bytes", config.storage.reserve_bytes, 4 << 20, 1024 * GIB),
        ("archive.page_default", of(config.archive.page_default), 1, 10_000),
        ("archive.page_max", of(config.archive.page_max), 1, 10_000),
        ("archive.query_threads", of(config.archive.query_threads), 1, 256),
        ("archive.keep_days", config.archive.keep_days, 0, 36_500),
        ("metrics.stuck_s", config.metrics.stuck_s, 1, DAY_S),
        ("groups.participants_max", of(config.groups.participants_max), 1, MANY),
        ("groups.subject_chars_max", of(config.groups.subject_chars_max), 1, 1000),
        ("groups.avatar_bytes_max", of(config.groups.avatar_bytes_max), 1024, GIB),
        ("groups.retention_days", config.groups.retention_days, 0, 36_500),
        ("groups.retract_window_s", config.groups.retract_window_s, 0, 36_500 * DAY_S),
        ("groups.hidden_max", of(config.groups.hidden_max), 1, 100_000),
        ("groups.notices_members_max", of(config.groups.notices_members_max), 0, MANY),
        ("groups.deserted_s", config.groups.deserted_s, 0, 36_500 * DAY_S),
    ]
}

fn ranges_of_limits(limits: &Limits) -> Vec<Range> {
    vec![
        ("limits.participants_max", of(limits.participants_max), 1, MANY),
        ("limits.named_max", of(limits.named_max), 1, 1000),
        ("limits.guests_max", of(limits.guests_max), 0, MANY),
        ("limits.former_max", of(limits.former_max), 1, MANY),
        ("limits.former_silent_max", of(limits.former_silent_max), 0, MANY),
        ("limits.channels_max", of(limits.channels_max), 1, MANY),
        ("limits.channel_name_bytes_max", of(limits.channel_name_bytes_max), 1, 1023),
        ("limits.nick_bytes_max", of(limits.nick_bytes_max), 1, 1023),
        ("limits.registered_nicks_max", of(limits.registered_nicks_max), 0, MANY),
        ("limits.payload_bytes_max", of(limits.payload_bytes_max), 1024, GIB),
        ("limits.id_bytes_max", of(limits.id_bytes_max), 36, 1024),
        ("limits.info_bytes_max", of(limits.info_bytes_max), 1024, GIB),
        ("limits.answer_bytes_max", of(limits.answer_bytes_max), 4096, GIB),
        ("limits.invitations_max", of(limits.invitations_max), 0, MANY),
        ("limits.invitations_per_inviter_max", of(limits.invitations_per_inviter_max), 0, MANY),
        ("limits.invitation_s", limits.invitation_s, 60, 36_500 * DAY_S),
        ("limits.presence_participants_max", of(limits.presence_participants_max), 0, MANY),
        ("limits.channels_per_creator_max", of(limits.channels_per_creator_max), 0, MANY),
        ("limits.messages_per_s", limits.messages_per_s, 0, 1_000_000),
        ("limits.messages_burst", limits.messages_burst, 1, MANY),
        ("limits.channel_messages_per_s", limits.channel_messages_per_s, 0, 1_000_000),
        ("limits.channel_messages_burst", limits.channel_messages_burst, 1, MANY),
        ("limits.requests_per_s", limits.requests_per_s, 0, 1_000_000),
        ("limits.requests_burst", limits.requests_burst, 1, MANY),
        ("limits.invitations_per_s", limits.invitations_per_s, 0, 1_000_000),
        ("limits.invitations_burst", limits.invitations_burst, 1, MANY),
        ("limits.account_sending_bytes_max", of(limits.account_sending_bytes_max), 65_536, MANY),
        ("limits.messages_backlog", limits.messages_backlog, 0, MANY),
        ("limits.message_bytes_per_s", limits.message_bytes_per_s, 0, GIB),
        ("limits.message_bytes_burst", limits.message_bytes_burst, 1024, GIB),
        ("limits.presence_per_s", limits.presence_per_s, 0, 1_000_000),
        ("limits.presence_burst", limits.presence_burst, 1, MANY),
        ("limits.held_s", limits.held_s, 0, 300),
        ("limits.held_bytes_max", of(limits.held_bytes_max), 0, 1024 * GIB),
        ("limits.stanza_bytes_max", of(limits.stanza_bytes_max), 10_000, GIB),
        // Trees are read and dropped by recursion, so the stack of a thread bounds their depth.
        ("limits.stanza_depth_max", of(limits.stanza_depth_max), 16, 256),
        ("limits.stanza_elements_max", of(limits.stanza_elements_max), 64, MANY),
        ("limits.attribute_bytes_max", of(limits.attribute_bytes_max), 3071, 8192),
        ("limits.start_tag_bytes_max", of(limits.start_tag_bytes_max), 12_288, 65_536),
        ("limits.attributes_max", of(limits.attributes_max), 8, 10_000),
        ("limits.inbox_items_max", of(limits.inbox_items_max), 1, MANY),
        ("limits.inbox_bytes_max", of(limits.inbox_bytes_max), 10_000, 1024 * GIB),
        ("limits.outbox_bytes_max", of(limits.outbox_bytes_max), 10_000, 1024 * GIB),
        ("limits.channels_memory_bytes_max", of(limits.channels_memory_bytes_max), 1 << 20, 1024 * GIB),
    ]
}

/// Checks that a channel is created only with access that its owner may set (XEP-0406 §2.4).
fn access_of_channels(config: &Config, refuse: &mut impl FnMut(&'static str, String, &str)) {
    use Access::*;
    let channels = &config.channels;
    for (key, found, options) in [
        ("channels.guests", channels.guests, &[Participants, Allowed, Anyone][..]),
        ("channels.information", channels.information, &[Participants, Admins, Owners]),
        ("channels.avatar", channels.avatar, &[Participants, Admins, Owners]),
        ("channels.configuration", channels.configuration, &[Owners, Admins, Participants, Allowed]),
        ("muc.rooms.subject", config.muc.rooms.subject, &[Participants, Admins]),
        ("channels.moderation", channels.moderation, &[Nobody, Admins, Owners]),
        ("groups.guests", config.groups.guests, &[Participants, Allowed, Anyone]),
    ] {
        let name = |access: &Access| format!("{access:?}").to_lowercase();
        if !options.contains(&found) {
            let expected = options.iter().map(name).collect::<Vec<_>>().join(", ");
            refuse(key, format!("{:?}", name(&found)), &format!("one of {expected}"));
        }
    }
}

fn relations(config: &Config, wrong: &mut Vec<OutOfRange>) {
    let (component, limits) = (&config.component, &config.limits);
    let mut refuse = |key, found: String, expected: &str| {
        wrong.push(OutOfRange { key, found, expected: expected.to_owned() });
    };
    match (&component.secret, &component.secret_file) {
        (None, None) => refuse("component.secret", "nothing".to_owned(), "either secret or secret_file"),
        (Some(_), Some(_)) => refuse("component.secret_file", "secret as well".to_owned(), "only one of the two"),
        (Some(secret), None) if secret.0.is_empty() => {
            refuse("component.secret", "an empty string".to_owned(), "the secret shared with the host server");
        }
        _ => {}
    }
    if component.host.trim().is_empty() {
        refuse("component.host", format!("{:?}", component.host), "a name or an address");
    }
    if component.backoff_ms_max < component.backoff_ms_min {
        refuse("component.backoff_ms_max", component.backoff_ms_max.to_string(), "at least backoff_ms_min");
    }
    if config.metrics.stuck_s <= component.write_timeout_s {
        // A host server that does not read is given up after that time, and is no reason for a restart.
        refuse("metrics.stuck_s", config.metrics.stuck_s.to_string(), "more than component.write_timeout_s");
    }
    if config.archive.page_default > config.archive.page_max {
        refuse("archive.page_default", config.archive.page_default.to_string(), "at most archive.page_max");
    }
    if limits.payload_bytes_max >= limits.stanza_bytes_max {
        refuse("limits.payload_bytes_max", limits.payload_bytes_max.to_string(), "less than limits.stanza_bytes_max");
    }
    if limits.info_bytes_max >= limits.stanza_bytes_max {
        refuse("limits.info_bytes_max", limits.info_bytes_max.to_string(), "less than limits.stanza_bytes_max");
    }
    let (memory, request) = (config.http.requests_memory_bytes_max, config.http.request_bytes_max);
    if memory / 4 < request.saturating_add(config.groups.avatar_bytes_max) {
        let least = "at least four times http.request_bytes_max and groups.avatar_bytes_max together";
        refuse("http.requests_memory_bytes_max", memory.to_string(), least);
    }
    let service = &config.service;
    let creators = service.creators.iter().map(|domain| ("service.creators", domain));
    let registrants = service.nick_domains.iter().map(|domain| ("service.nick_domains", domain));
    let unpaced = config.limits.unpaced_domains.iter().map(|domain| ("limits.unpaced_domains", domain));
    let searchers = service.search_all_domains.iter().map(|domain| ("service.search_all_domains", domain));
    let all = creators.chain(registrants).chain(unpaced).chain(searchers);
    for (setting, domain) in all.filter(|(_, domain)| *domain != "*") {
        if Domain::try_from(domain.clone()).is_err() {
            refuse(setting, format!("{domain:?}"), "domains, or \"*\" for everybody");
        }
    }
    for admin in config.service.admins.iter().filter(|admin| admin.node().is_none()) {
        refuse("service.admins", format!("{:?}", admin.as_str()), "accounts such as \"admin@example.org\"");
    }
    access_of_channels(config, &mut refuse);
    if config.storage.path.as_os_str().is_empty() {
        refuse("storage.path", "an empty string".to_owned(), "a directory");
    }
    if !level::is_filter(&config.log.level) {
        let expected = "error, warn, info, debug, trace or off, or a filter such as \"info,mixd::runtime=debug\"";
        refuse("log.level", format!("{:?}", config.log.level), expected);
    }
}
