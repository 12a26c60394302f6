//! What may be asked of the service itself, whichever of its addresses it is sent to.

use super::command::Slice;
use super::{AccountCommand, Announcement, ChannelName, Command, GroupWish, Message, Nick, ServiceAction};
use jid::BareJid;

/// Something asked of the service: it is about no channel, about many of them, or about one that it names.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceCommand {
    /// Create a channel; without a name, one for ad hoc use (XEP-0369 §7.3.2, §7.3.3).
    Create {
        /// The localpart wanted.
        name: Option<ChannelName>,
    },
    /// Create a group with its people.
    CreateGroup(GroupWish),
    /// Destroy a channel, which decides whether it may be: [`Command::Destroy`] (XEP-0369 §7.3.4).
    Destroy {
        /// Its localpart.
        name: ChannelName,
    },
    /// List the channels of the service that the asker may find.
    ListChannels(Slice),
    /// List one's groups, or those in common with somebody (groups.md §3.2).
    ListGroups {
        /// With whom in common.
        with: Option<BareJid>,
        /// Which of them.
        slice: Slice,
    },
    /// Clear the history of all one's groups for oneself.
    ClearAll,
    /// Something asked about an account as a whole.
    Account(AccountCommand),
    /// Register a nick with the service; without one, let it choose (XEP-0407 §3).
    RegisterNick {
        /// The nick wanted.
        nick: Option<Nick>,
    },
    /// Ask for one's registered nick.
    ReadRegisteredNick,
    /// Give one's registered nick up, or, as an operator, have somebody's given up.
    UnregisterNick {
        /// The nick; one's own where absent.
        nick: Option<Nick>,
    },
    /// Ask whether one may do something at the service, and may be shown what there is to it.
    Prepare(ServiceAction),
    /// Announce something to everybody who is in any channel.
    AnnounceToAll(Announcement),
    /// List every channel there is.
    ListEveryChannel(Slice),
    /// Count what the service holds.
    TakeCensus,
    /// Ask what an address of the service is, with the node asked for (XEP-0030).
    Describe {
        /// The disco node.
        node: Option<String>,
    },
    /// Ask whether the service is alive (XEP-0199); it answers for its channels as well.
    Ping,
    /// Ask which software this is (XEP-0092).
    Version,
}

/// A command of either kind: what a stanza or a call asks.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyCommand {
    /// Asked of one channel: the one it is sent to, or that its form names.
    Channel(Command),
    /// Asked of the service.
    Service(ServiceCommand),
}

impl AnyCommand {
    /// What is asked of a channel, where it is that.
    pub fn of_channel(&self) -> Option<&Command> {
        match self {
            AnyCommand::Channel(command) => Some(command),
            AnyCommand::Service(_) => None,
        }
    }

    /// The message that it sends to everybody in a channel, where it does.
    pub fn message(&self) -> Option<&Message> {
        match self.of_channel() {
            Some(Command::Publish(message)) => Some(message),
            _ => None,
        }
    }
}

impl From<Command> for AnyCommand {
    fn from(command: Command) -> AnyCommand {
        AnyCommand::Channel(command)
    }
}

impl From<ServiceCommand> for AnyCommand {
    fn from(command: ServiceCommand) -> AnyCommand {
        AnyCommand::Service(command)
    }
}
