//! The commands of the service itself, at whichever of its addresses.

use super::command::Slice;
use super::search::SearchWish;
use super::{AccountCommand, Announcement, ChannelName, Command, GroupWish, Message, Nick, ServiceAction};
use jid::BareJid;

/// A command of the service: about no channel, about many, or about one that it names.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceCommand {
    /// XEP-0369 §7.3.2, §7.3.3: create a channel. Without a name, it is an ad hoc channel.
    Create {
        /// The localpart wanted.
        name: Option<ChannelName>,
    },
    /// Create a group with its people.
    CreateGroup(GroupWish),
    /// XEP-0369 §7.3.4: destroy a channel. The channel decides it as [`Command::Destroy`].
    Destroy {
        /// Its localpart.
        name: ChannelName,
    },
    /// XEP-0369 §6.2: list the channels that the asker finds.
    ListChannels(Slice),
    /// XEP-0433: search among the channels that the asker finds. Without a wish, ask for the form.
    Search(Option<Box<SearchWish>>),
    /// groups.md §3.2: list the asker's groups, or those in common with somebody.
    ListGroups {
        /// The account in common with which.
        with: Option<BareJid>,
        /// Which page of them.
        slice: Slice,
    },
    /// Clear the history of all the asker's groups for itself.
    ClearAll,
    /// A command about an account as a whole.
    Account(AccountCommand),
    /// XEP-0407 §3: register a nick. Without one, the service chooses it.
    RegisterNick {
        /// The nick wanted.
        nick: Option<Nick>,
    },
    /// Ask for the asker's registered nick.
    ReadRegisteredNick,
    /// Give up the asker's registered nick; as an operator, also somebody else's.
    UnregisterNick {
        /// The nick. The asker's own where absent.
        nick: Option<Nick>,
    },
    /// Ask whether the asker may do something at the service, to be shown a form for it.
    Prepare(ServiceAction),
    /// Announce something to everybody who is in any channel.
    AnnounceToAll(Announcement),
    /// List all channels.
    ListEveryChannel(Slice),
    /// XEP-0045, example 207: put everybody out of all rooms, because the service ends for good.
    CloseRooms,
    /// Ask for the numbers of the service.
    TakeCensus,
    /// XEP-0030: ask for the description of an address of the service.
    Describe {
        /// The disco node.
        node: Option<String>,
    },
    /// XEP-0199: ping. The service also answers pings to its channels.
    Ping,
    /// XEP-0092: ask for the software version.
    Version,
}

/// A command of either kind, from a stanza or a call.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyCommand {
    /// A command of a channel: the one that it is sent to, or that its form names.
    Channel(Command),
    /// A command of the service.
    Service(ServiceCommand),
}

impl AnyCommand {
    /// The command of a channel, if it is one.
    pub fn of_channel(&self) -> Option<&Command> {
        match self {
            AnyCommand::Channel(command) => Some(command),
            AnyCommand::Service(_) => None,
        }
    }

    /// The message that it sends to a channel, if it does.
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
