//! XML namespaces, and the names of nodes, each with its specification.

/// XEP-0114: the default namespace of a component's stream.
pub const COMPONENT: &str = "jabber:component:accept";
/// RFC 6120: stanzas of clients, and of stanzas inside `<forwarded/>`.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120 §8.3: the defined stanza error conditions.
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// XEP-0030 information.
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0033 addresses of one stanza's recipients.
pub const ADDRESS: &str = "http://jabber.org/protocol/address";
/// The service's own: our module for Prosody announces it (`prosody/mod_mixd.lua`).
pub const MIXD_HOST: &str = "urn:mixd:host:1";
/// Our module at the host server: addresses of XEP-0033 as one text, with a tab between two.
pub const MIXD_LIST: &str = "urn:mixd:multicast:list:0";
/// The service's own: our module announces that it hands out presence, too.
pub const MIXD_PRESENCE: &str = "urn:mixd:multicast:presence:0";
/// XEP-0030 items.
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0050 commands.
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0004 forms.
pub const FORM: &str = "jabber:x:data";
/// XEP-0122 validation of form fields.
pub const FORM_VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";
/// XEP-0059 paging.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0060 requests.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0060 notifications.
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060 requests of owners.
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// XEP-0060 error conditions.
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// XEP-0313 archives.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0313 before its second version.
pub const MAM_TMP: &str = "urn:xmpp:mam:tmp";
/// XEP-0297 forwarded stanzas.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0203 delay.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0359 stanza and origin ids.
pub const SID: &str = "urn:xmpp:sid:0";
/// XEP-0085 chat states.
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// XEP-0334 processing hints.
pub const HINTS: &str = "urn:xmpp:hints";
/// XEP-0199 ping.
pub const PING: &str = "urn:xmpp:ping";
/// XEP-0092 version.
pub const VERSION: &str = "jabber:iq:version";
/// RFC 6121 roster.
pub const ROSTER: &str = "jabber:iq:roster";
/// XEP-0115 capabilities.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XEP-0369 MIX-CORE, in the version that every client speaks.
pub const MIX_CORE: &str = "urn:xmpp:mix:core:1";
/// XEP-0369 MIX-CORE, in an earlier version: ejabberd sends its leave in it.
pub const MIX_CORE_0: &str = "urn:xmpp:mix:core:0";
/// XEP-0404 MIX-ANON.
pub const MIX_ANON: &str = "urn:xmpp:mix:anon:0";
/// XEP-0403 MIX-PRESENCE.
pub const MIX_PRESENCE: &str = "urn:xmpp:mix:presence:0";
/// XEP-0407 MIX-MISC.
pub const MIX_MISC: &str = "urn:xmpp:mix:misc:0";
/// XEP-0405 MIX-PAM.
pub const MIX_PAM: &str = "urn:xmpp:mix:pam:2";
/// XEP-0421 occupant ids. Only a channel may state one.
pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
/// XEP-0319 idle times.
pub const IDLE: &str = "urn:xmpp:idle:1";
/// XEP-0077 registration.
pub const REGISTER: &str = "jabber:iq:register";
/// XEP-0249 direct invitations.
pub const CONFERENCE: &str = "jabber:x:conference";
/// XEP-0045 rooms. The namespaces of what it says of occupants and rooms begin with this one.
pub const MUC: &str = "http://jabber.org/protocol/muc";
/// `xml:lang`.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// XEP-0045 what a room says of its occupants. Only a room may say it.
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// XEP-0045 §8, §9.
pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// XEP-0045 §6.4: the type of the form that says what a room is.
pub const MUC_ROOMINFO: &str = "http://jabber.org/protocol/muc#roominfo";
/// XEP-0045 §7.10: the type of the form of a registration.
pub const MUC_REGISTER: &str = "http://jabber.org/protocol/muc#register";
/// XEP-0045 §7.13: the type of the form of a voice request.
pub const MUC_REQUEST: &str = "http://jabber.org/protocol/muc#request";
/// XEP-0045 §10: what owners ask of a room.
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// XEP-0045 §10.2: the type of the form that owners configure a room with.
pub const MUC_ROOMCONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";
/// XEP-0463.
pub const MUC_VERSIONS: &str = "urn:xmpp:muc:affiliations:1";
/// XEP-0045 §6.3: a room keeps the ids of messages.
pub const MUC_STABLE_ID: &str = "http://jabber.org/protocol/muc#stable_id";
/// XEP-0410 §2: a room answers pings to one's own nick itself.
pub const MUC_SELF_PING: &str = "http://jabber.org/protocol/muc#self-ping-optimization";
/// XEP-0045 §16.1.1: the node that lists the payloads which a room lets pass.
pub const MUC_TRAFFIC: &str = "http://jabber.org/protocol/muc#traffic";
/// XEP-0402 bookmarks.
pub const BOOKMARKS: &str = "urn:xmpp:bookmarks:1";
/// XEP-0060 §7.1.5: the type of the form that says what a node has to be like.
pub const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
/// XEP-0060 §8.1.3: the type of the form that a node is created with.
pub const NODE_CONFIG_FORM: &str = "http://jabber.org/protocol/pubsub#node_config";
/// XEP-0437 indicators of activity in rooms.
pub const RAI: &str = "urn:xmpp:rai:0";
/// XEP-0372 references. Some of them mention somebody.
pub const REFERENCE: &str = "urn:xmpp:reference:0";
/// XEP-0513 explicit mentions.
pub const MENTIONS: &str = "urn:xmpp:mentions:0";
/// XEP-0452 notifications of mentions.
pub const MENTION_NOTIFICATIONS: &str = "urn:xmpp:mmn:0";
/// XEP-0184 receipts.
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// XEP-0333 markers.
pub const MARKERS: &str = "urn:xmpp:chat-markers:0";
/// XEP-0424 retraction.
pub const RETRACT: &str = "urn:xmpp:message-retract:1";
/// XEP-0424 retraction, as deployed before.
pub const RETRACT_0: &str = "urn:xmpp:message-retract:0";
/// XEP-0422 fastening, in which older versions of XEP-0424 and XEP-0425 were wrapped.
pub const FASTEN: &str = "urn:xmpp:fasten:0";
/// XEP-0428 fallback: which part of a message stands in for something else.
pub const FALLBACK: &str = "urn:xmpp:fallback:0";
/// XEP-0461 replies.
pub const REPLY: &str = "urn:xmpp:reply:0";
/// XEP-0444 reactions.
pub const REACTIONS: &str = "urn:xmpp:reactions:0";
/// XEP-0308 correction.
pub const CORRECT: &str = "urn:xmpp:message-correct:0";
/// XEP-0447 files.
pub const FILE_SHARING: &str = "urn:xmpp:sfs:0";
/// XEP-0446 descriptions of files.
pub const FILE_METADATA: &str = "urn:xmpp:file:metadata:0";
/// XEP-0066 URLs.
pub const OOB: &str = "jabber:x:oob";
/// XEP-0384 encrypted payloads.
pub const OMEMO: &str = "urn:xmpp:omemo:2";
/// XEP-0384 encrypted payloads, as deployed before.
pub const OMEMO_LEGACY: &str = "eu.siacs.conversations.axolotl";
/// XEP-0373 encrypted payloads.
pub const OPENPGP: &str = "urn:xmpp:openpgp:0";
/// XEP-0172 nicks.
pub const NICK: &str = "http://jabber.org/protocol/nick";
/// XEP-0027, the older use of OpenPGP.
pub const PGP: &str = "jabber:x:encrypted";
/// The service's own namespace for group operations.
pub const GROUP: &str = "urn:mixd:group:1";

/// XEP-0369 §4.7.2: the node of messages.
pub const NODE_MESSAGES: &str = "urn:xmpp:mix:nodes:messages";
/// XEP-0369 §4.7.3: the node of participants.
pub const NODE_PARTICIPANTS: &str = "urn:xmpp:mix:nodes:participants";
/// XEP-0369 §4.7.4: the node of information.
pub const NODE_INFO: &str = "urn:xmpp:mix:nodes:info";
/// XEP-0407 §2, XEP-0084: the node that describes the picture of a channel.
pub const AVATAR_METADATA: &str = "urn:xmpp:avatar:metadata";
/// XEP-0407 §2, XEP-0084: the node of the picture itself.
pub const AVATAR_DATA: &str = "urn:xmpp:avatar:data";
/// The service's own node of the video of a channel.
pub const NODE_VIDEO: &str = "urn:mixd:group:1#video";
/// XEP-0406 §2.2: the node of the accounts and domains that may join.
pub const NODE_ALLOWED: &str = "urn:xmpp:mix:nodes:allowed";
/// XEP-0406 §2.3: the node of those that may not.
pub const NODE_BANNED: &str = "urn:xmpp:mix:nodes:banned";
/// XEP-0406 §2.4: the node of settings and roles.
pub const NODE_CONFIG: &str = "urn:xmpp:mix:nodes:config";
/// XEP-0403 §3.5: the node of presence.
pub const NODE_PRESENCE: &str = "urn:xmpp:mix:nodes:presence";
/// XEP-0404 §2.5: the node that maps participant ids to JIDs.
pub const NODE_JIDMAP: &str = "urn:xmpp:mix:nodes:jidmap";
/// XEP-0406 MIX-ADMIN.
pub const MIX_ADMIN: &str = "urn:xmpp:mix:admin:0";
/// XEP-0054 vCards.
pub const VCARD: &str = "vcard-temp";
/// XEP-0153 the picture of a vCard, in presence.
pub const VCARD_UPDATE: &str = "vcard-temp:x:update";
/// XEP-0433 search for channels.
pub const SEARCH: &str = "urn:xmpp:channel-search:0:search";
/// XEP-0433 the form of a search.
pub const SEARCH_PARAMS: &str = "urn:xmpp:channel-search:0:search-params";
/// XEP-0433 error conditions.
pub const SEARCH_ERROR: &str = "urn:xmpp:channel-search:0:error";
/// XEP-0425 moderation, as deployed before.
pub const MODERATE_0: &str = "urn:xmpp:message-moderate:0";
/// XEP-0425 moderation.
pub const MODERATE: &str = "urn:xmpp:message-moderate:1";
