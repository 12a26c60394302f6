//! XEP-0045 §7.5, §18.3.1: private messages that went to clients in rooms lately, so that whoever sent one is told if it comes
//! back from all of them. What comes back has the id that its sender chose, as what was said to everybody has, so nothing else
//! tells the two apart. A restart and a handover forget it.

use super::super::fairness::pool::{Pool, Put};
use super::super::share::{Hit, OwnDomains};
use jid::{BareJid, FullJid, Jid};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Private messages of all rooms.
const LETTERS_MAX: usize = 20_000;
/// Private messages of one sender.
const OWN_LETTERS_MAX: usize = 100;
/// For how long something may come back, in milliseconds. A server holds what it sends to a client that hibernates.
const KEPT_MS: u64 = 3600 * 1000;
/// Private messages that are forgotten at once, because nothing of them comes back any more.
const FORGOTTEN_MAX: usize = 100;

/// Whom a private message went to, in the room of which tag, and what it goes by: the nick that it came from, and its id.
pub(super) type Key = (BareJid, u64, u64);

/// A private message.
#[derive(Debug)]
pub(super) struct Letter {
    /// When it was sent, in steady milliseconds.
    pub since_ms: u64,
    /// Who wrote it.
    pub sender: FullJid,
    /// The address that its sender wrote to.
    pub at: Jid,
    /// To how many clients it went that did not send it back.
    pub copies: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Letters {
    letters: BTreeMap<Key, Letter>,
    /// Each with the time at which it was sent, counted against its sender.
    room: Pool<BareJid, (u64, Key)>,
}

impl Letters {
    /// Nothing was sent.
    pub fn new(own_domains: &OwnDomains) -> Letters {
        Letters {
            letters: BTreeMap::new(),
            room: Pool::new("private messages in rooms", LETTERS_MAX, own_domains.clone()),
        }
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// Notes a message. Where there is no room, who has most loses its oldest.
    pub fn note(&mut self, key: Key, letter: Letter) {
        self.forget(&key);
        let is_over = |(since_ms, _): &&(u64, Key)| since_ms.saturating_add(KEPT_MS) <= letter.since_ms;
        let over: Vec<Key> = self.room.iter().take(FORGOTTEN_MAX).take_while(is_over).map(|it| it.1.clone()).collect();
        over.iter().for_each(|key| drop(self.forget(key)));
        let sender = letter.sender.to_bare();
        if self.room.len_of(&sender) >= OWN_LETTERS_MAX
            && let Some((_, oldest)) = self.room.first_of(&sender).cloned()
        {
            self.forget(&oldest);
        }
        match self.room.put(&sender, (letter.since_ms, key.clone())) {
            Put::In => {}
            Put::For((_, loser)) => drop(self.letters.remove(&loser)),
            Put::Refused => return,
        }
        self.letters.insert(key, letter);
    }

    /// One copy came back. With the last one, what came back.
    pub fn come_back(&mut self, key: &Key) -> Option<Letter> {
        let letter = self.letters.get_mut(key)?;
        letter.copies = letter.copies.saturating_sub(1);
        if letter.copies == 0 { self.forget(key) } else { None }
    }

    fn forget(&mut self, key: &Key) -> Option<Letter> {
        let letter = self.letters.remove(key)?;
        self.room.take(&(letter.since_ms, key.clone()));
        Some(letter)
    }
}

/// What a message goes by among those to one reader.
pub(super) fn mark(nick: &str, id: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (nick, id).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters() -> Letters {
        Letters::new(&OwnDomains::new(["h".to_owned()]))
    }

    fn key(n: usize) -> Key {
        (BareJid::new("reader@h").unwrap(), 1, n as u64)
    }

    fn letter(sender: &str, since_ms: u64) -> Letter {
        let sender = FullJid::new(&format!("{sender}/r")).unwrap();
        Letter { since_ms, at: sender.clone().into(), sender, copies: 2 }
    }

    #[test]
    fn it_comes_back_once_all_of_it_did_and_not_after_an_hour() {
        let mut letters = letters();
        letters.note(key(1), letter("a@h", 5));
        assert!(letters.come_back(&key(2)).is_none() && letters.come_back(&key(1)).is_none());
        assert!(letters.come_back(&key(1)).is_some() && letters.come_back(&key(1)).is_none());
        letters.note(key(1), letter("a@h", 5));
        letters.note(key(2), letter("b@h", 5 + KEPT_MS));
        assert_eq!((letters.letters.len(), letters.room.len()), (1, 1));
    }

    #[test]
    fn whoever_writes_all_the_time_is_told_of_its_newest_alone() {
        let mut letters = letters();
        (0..OWN_LETTERS_MAX + 2).for_each(|n| letters.note(key(n), letter("a@h", n as u64)));
        assert!(letters.room.len() == OWN_LETTERS_MAX && letters.letters.len() == OWN_LETTERS_MAX);
        assert!(!letters.letters.contains_key(&key(1)) && letters.letters.contains_key(&key(2)));
    }

    #[test]
    fn one_domain_leaves_room_for_private_messages_of_others() {
        let mut letters = letters();
        (0..2 * LETTERS_MAX).for_each(|n| letters.note(key(n), letter(&format!("x{n}@away.example"), n as u64)));
        letters.note(key(usize::MAX), letter("a@h", 1));
        assert!(letters.letters.contains_key(&key(usize::MAX)) && letters.letters.len() <= LETTERS_MAX);
        assert_eq!(letters.letters.len(), letters.room.len());
        assert!(letters.hits().all(|hit| (hit.what, &*hit.domain) == ("private messages in rooms", "away.example")));
    }
}
