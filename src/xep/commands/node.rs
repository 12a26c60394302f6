//! The nodes of commands. One is from XEP-0133; the others there are about accounts, which the host server manages.

pub(super) const ANNOUNCE_TO_ALL: &str = "http://jabber.org/protocol/admin#announce";
pub(super) const LIST: &str = "urn:mixd:command:1#list-channels";
pub(super) const CREATE: &str = "urn:mixd:command:1#create-channel";
pub(super) const CONFIGURE: &str = "urn:mixd:command:1#configure";
pub(super) const PARTICIPANTS: &str = "urn:mixd:command:1#list-participants";
pub(super) const KICK: &str = "urn:mixd:command:1#kick";
pub(super) const BAN: &str = "urn:mixd:command:1#ban";
pub(super) const UNBAN: &str = "urn:mixd:command:1#unban";
pub(super) const ALLOW: &str = "urn:mixd:command:1#allow";
pub(super) const DISALLOW: &str = "urn:mixd:command:1#disallow";
pub(super) const ANNOUNCE: &str = "urn:mixd:command:1#announce";
pub(super) const DESTROY: &str = "urn:mixd:command:1#destroy";
pub(super) const END_ACCOUNT: &str = "urn:mixd:command:1#end-account";
pub(super) const ERASE_ACCOUNT: &str = "urn:mixd:command:1#erase-account";
pub(super) const SHOW_ACCOUNT: &str = "urn:mixd:command:1#show-account";
pub(super) const EXPORT_ACCOUNT: &str = "urn:mixd:command:1#export-account";
pub(super) const CLOSE_ROOMS: &str = "urn:mixd:command:1#close-rooms";
pub(super) const STATISTICS: &str = "urn:mixd:command:1#statistics";
