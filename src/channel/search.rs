//! XEP-0433: what somebody searches the service's channels for, and what is found.

use super::ChannelName;
use thiserror::Error;

/// The most words that one search is for.
pub const TERMS_MAX: usize = 16;
/// The shortest word that is searched for, in bytes: three letters of an alphabet, or one character of Chinese.
pub const TERM_BYTES_MIN: usize = 3;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWish {
    /// Which channels.
    pub sought: Sought,
    /// Only channels with as many people.
    pub users_min: u32,
    /// What the channels are called in the answer; `None`: nothing that a channel is, so none is found.
    pub kind: Option<ChannelKind>,
    /// The order of results.
    pub order: SearchOrder,
    /// The most results.
    pub max: Option<usize>,
    /// Only those after this place.
    pub after: Option<SearchPlace>,
    /// Only those nearest before this place: `Some(None)` is the end.
    pub before: Option<Option<SearchPlace>>,
}

/// Which channels are searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// All.
    All,
    /// Those with each of these words, folded, somewhere in these texts.
    Terms {
        /// The words. There is one at least, and each has [`TERM_BYTES_MIN`].
        terms: Vec<String>,
        /// Whether their names are searched.
        in_name: bool,
        /// Whether their descriptions are.
        in_description: bool,
        /// Whether their addresses are.
        in_address: bool,
    },
}

/// XEP-0433 §6.2: what serves a channel. Every channel is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A room of XEP-0045.
    Room,
    /// A channel of XEP-0369.
    Mix,
}

/// XEP-0433 §6.1: the order of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchOrder {
    /// By address.
    Address,
    /// Most people first, then by address.
    Users,
}

/// A place in the results. It holds whether or not the channel is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPlace {
    /// How many people the channel had. It counts for [`SearchOrder::Users`] alone.
    pub users: u32,
    /// Its localpart.
    pub name: ChannelName,
}

/// A channel that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The localpart.
    pub name: ChannelName,
    /// The name shown to people.
    pub title: String,
    /// The description, or its beginning.
    pub description: Option<String>,
    /// The language.
    pub lang: Option<String>,
    /// How many people are in it, where that is known.
    pub users: Option<u32>,
    /// Whether whoever finds it may join without a password.
    pub is_open: bool,
    /// Whether participants see each other's JIDs.
    pub shows_jids: bool,
}

impl Hit {
    /// Its place in the results.
    pub fn place(&self) -> SearchPlace {
        SearchPlace { users: self.users.unwrap_or(0), name: self.name.clone() }
    }
}

/// A page of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    /// The channels, in order.
    pub hits: Vec<Hit>,
    /// What they are called.
    pub kind: ChannelKind,
    /// The order.
    pub order: SearchOrder,
    /// Whether the search was given up before there were as many as wanted: the channel that was looked at last, with which
    /// the next search goes on.
    pub stopped_at: Option<SearchPlace>,
    /// Whether the results go on in the direction of the search.
    pub goes_on: bool,
}

/// XEP-0433 §4.2: why a search is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchFault {
    /// The order is not known.
    #[error("results are sorted by address or by the number of users")]
    BadOrder,
    /// Nothing in the search terms can be searched for.
    #[error("{0}")]
    BadTerms(&'static str),
    /// These fields exclude each other.
    #[error("{why}")]
    Conflict {
        /// Their labels, in a sentence.
        why: &'static str,
        /// Their names.
        fields: &'static [&'static str],
    },
    /// Nothing says what to search for.
    #[error("say what to search for, or ask for all entries")]
    NoConditions,
    /// Nobody is given the whole list.
    #[error("the list of all channels is given to nobody here: search for words")]
    NotAll,
    /// The asker is not given the whole list.
    #[error("the list of all channels is given to users of other domains: search for words")]
    NotAllToYou,
    /// Searches come too fast.
    #[error("slow down: the next search is welcome in {wait_s} s")]
    TooFast {
        /// When the next one may come, in seconds.
        wait_s: u64,
    },
}

/// A text as words are compared with it.
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The words of a text: what is between blanks, or between double quotes. Too short ones are left out.
pub fn terms_of(text: &str) -> Vec<String> {
    let folded = folded(text);
    let pieces = folded.split('"').enumerate();
    let words = pieces.flat_map(|(n, piece)| match n % 2 {
        1 => vec![piece.trim()],
        _ => piece.split_whitespace().collect(),
    });
    let mut words: Vec<String> = words.filter(|word| word.len() >= TERM_BYTES_MIN).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_blanks_and_kept_together_in_quotes() {
        assert_eq!(terms_of(" XMPP  dev a XMPP"), ["dev", "xmpp"]);
        assert_eq!(terms_of("\"Free Chat\" now"), ["free chat", "now"]);
        assert_eq!(terms_of("ab \"\" c"), Vec::<String>::new());
        assert_eq!(terms_of("聊 ÄÖ"), ["äö", "聊"]);
        assert_eq!(terms_of("\"an open quote"), ["an open quote"]);
    }
}
