//! The inbox: what came in and waits for the engine, in order, bounded by number and bytes, with shares for accounts
//! and domains.
//!
//! When it is full, the account that has most in it loses its newest entry, which is refused like one that found no
//! room. So an account that floods the inbox keeps nobody else out and waits in its own queue alone.

use super::queue::Queue;
use super::refuse::Refuser;
use crate::engine::Inbound;
use crate::engine::fairness::waiting_room::{NoRoom, WaitingRoom};
use crate::engine::share::{Hit, OwnDomains};
use jid::BareJid;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The inbox. Any thread or task may put something in; the worker takes out.
#[derive(Debug)]
pub struct Inbox {
    queue: Queue<Waiting>,
    places: Mutex<(WaitingRoom, u64)>,
    refuser: Refuser,
    roomier: Notify,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    whose: Whose,
    inbound: Inbound,
}

#[derive(Debug)]
enum Whose {
    Of(BareJid),
    /// Of the service itself, with its size in bytes.
    Own(usize),
}

impl Inbox {
    /// An inbox for `items_max` entries of `bytes_max` in all. `refuser` answers for those that are dropped for others.
    pub fn new(items_max: usize, bytes_max: usize, own_domains: OwnDomains, refuser: Refuser) -> Inbox {
        let places = WaitingRoom::new("inbox", (items_max, bytes_max), own_domains);
        Inbox {
            queue: Queue::new(usize::MAX, usize::MAX),
            places: Mutex::new((places, 0)),
            refuser,
            roomier: Notify::new(),
        }
    }

    /// Whether there is room for this many bytes, whoever they are of.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.lock().0.has_room(bytes)
    }

    /// Whether an account's share has room for this many bytes.
    pub fn may_enter(&self, who: &BareJid, bytes: usize) -> bool {
        self.lock().0.may_enter(who, bytes)
    }

    /// Adds an entry, for which others may lose what exceeds their share. Returns whether it was added.
    pub fn try_push(&self, inbound: Inbound, bytes: usize) -> bool {
        self.offer(inbound, bytes).is_ok()
    }

    /// Adds an entry, for which others may lose what exceeds their share.
    ///
    /// # Errors
    /// The entry, if there is no room for it.
    // It is moved in, and out again where there is no room.
    #[allow(clippy::result_large_err)]
    pub fn offer(&self, inbound: Inbound, bytes: usize) -> Result<(), Inbound> {
        let holder = inbound.holder();
        let mut places = self.lock();
        let number = places.1;
        let (whose, gone) = match holder {
            Some(who) => match places.0.enter(&who, number, bytes) {
                Ok(gone) => (Whose::Of(who), gone),
                Err(NoRoom) => return Err(inbound),
            },
            None if places.0.enter_own(bytes) => (Whose::Own(bytes), Vec::new()),
            None => return Err(inbound),
        };
        places.1 += 1;
        let lost: Vec<Waiting> =
            gone.iter().filter_map(|number| self.queue.remove(|waiting| waiting.number == *number)).collect();
        let pushed = self.queue.offer(Waiting { number, whose, inbound }, bytes);
        drop(places);
        lost.iter().for_each(|waiting| self.refuser.refuse(&waiting.inbound));
        pushed.map_err(|waiting| waiting.inbound)
    }

    /// Adds an entry regardless of the limits, for what is rare and must not be lost.
    pub fn push_beyond(&self, inbound: Inbound) {
        let mut places = self.lock();
        let number = places.1;
        places.1 += 1;
        self.queue.push_beyond(Waiting { number, whose: Whose::Own(0), inbound });
    }

    /// Wakes the worker, now or when it next would wait.
    pub fn wake(&self) {
        self.queue.wake();
    }

    /// Takes entries up to a number and a total of bytes, and at least one. Returns none after `patience` or
    /// [`Inbox::wake`], and `None` when the inbox is closed and empty.
    pub fn take_in_thread(&self, max: (usize, usize), patience: Duration) -> Option<Vec<Inbound>> {
        let taken = self.queue.take_in_thread(max, patience)?;
        Some(self.taken(taken))
    }

    /// Takes up to `items_max` entries in a task; `None` when the inbox is closed and empty. One task at a time.
    pub async fn take(&self, items_max: usize) -> Option<Vec<Inbound>> {
        let taken = self.queue.take(items_max).await?;
        Some(self.taken(taken))
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many entries it has, and their size in bytes.
    pub fn depth(&self) -> (usize, usize) {
        self.queue.depth()
    }

    /// Waits in a task until it is empty.
    pub async fn wait_empty(&self) {
        self.queue.wait_empty().await;
    }

    /// Waits in a task until there is room for this many bytes, or it is closed. One task at a time.
    pub async fn wait_room(&self, bytes: usize) {
        while !self.queue.is_closed() && !self.has_room(bytes) {
            self.roomier.notified().await;
        }
    }

    /// Closes it. What it holds can still be taken.
    pub fn close(&self) {
        self.queue.close();
        self.roomier.notify_one();
    }

    /// The shares that had no room since the last call.
    pub fn hits(&self) -> Vec<Hit> {
        self.lock().0.hits().collect()
    }

    fn taken(&self, taken: Vec<Waiting>) -> Vec<Inbound> {
        if taken.is_empty() {
            return Vec::new();
        }
        let mut places = self.lock();
        let leave = |Waiting { number, whose, inbound }| {
            match whose {
                Whose::Of(who) => places.0.leave(&who, number),
                Whose::Own(bytes) => places.0.leave_own(bytes),
            }
            inbound
        };
        let taken = taken.into_iter().map(leave).collect();
        self.roomier.notify_one();
        taken
    }

    fn lock(&self) -> MutexGuard<'_, (WaitingRoom, u64)> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::callers::Callers;
    use super::*;
    use crate::channel::{Actor, Refusal, ServiceCommand};
    use crate::engine::{Addressee, Call};
    use crate::xmpp::Stanza;
    use std::sync::Arc;

    const EVER: (usize, usize) = (999, usize::MAX);

    struct Door {
        inbox: Inbox,
        refuser: Refuser,
        callers: Arc<Callers>,
    }

    fn door(items_max: usize) -> Door {
        let callers = Arc::<Callers>::default();
        let refuser = Refuser { callers: callers.clone(), ..Refuser::default() };
        let own = OwnDomains::new(["h".to_owned()]);
        Door { inbox: Inbox::new(items_max, 1 << 20, own, refuser.clone()), refuser, callers }
    }

    impl Door {
        fn say(&self, who: &str, id: usize) -> bool {
            let xml =
                format!("<message type='groupchat' id='{id}' from='{who}/r' to='c@mix.h'><body>x</body></message>");
            self.inbox.try_push(Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()), 400)
        }

        fn ask(&self, who: &str) -> tokio::sync::oneshot::Receiver<super::super::callers::CallOutcome> {
            let (token, place) = self.callers.enter();
            let actor = Actor { account: who.parse().unwrap(), operator: false };
            let call = Call { token, actor, to: Addressee::Service, command: ServiceCommand::Ping.into() };
            assert!(self.inbox.try_push(Inbound::Call(Box::new(call)), 400));
            place
        }

        fn told(&self) -> Vec<String> {
            self.refuser.urgent.take_now(999)
        }

        fn all(&self) -> Vec<String> {
            let name = |inbound: Inbound| match inbound {
                Inbound::Stanza(stanza) => format!("{} {}", stanza.sender(), stanza.id.unwrap()),
                _ => "call".into(),
            };
            self.inbox.take_in_thread(EVER, Duration::ZERO).unwrap().into_iter().map(name).collect()
        }
    }

    /// Counted in places, not in time: one floods, and the other stands behind no more than what there is room for.
    #[test]
    fn one_floods_and_is_told_of_what_it_loses_while_others_find_room() {
        let door = door(64);
        let taken = (0..1000).filter(|&n| door.say("flood@away", n)).count();
        assert_eq!((taken, door.told().len()), (64, 0), "whoever brings it is told of what finds no room");
        assert!((0..20).all(|n| door.say(&format!("user{n}@h"), n)));
        let told = door.told();
        assert!(told.len() == 20 && told.iter().all(|it| it.contains("to='flood@away/r'")), "{told:?}");
        assert!(told[0].contains("id='63'") && told[0].contains("<resource-constraint"), "its newest: {}", told[0]);
        assert!(door.inbox.hits().iter().all(|hit| (hit.what, &*hit.domain) == ("inbox", "away")));
        let order = door.all();
        assert_eq!(order.len(), 64);
        assert!(order[..44].iter().enumerate().all(|(n, it)| *it == format!("flood@away {n}")), "{order:?}");
        assert!(door.say("flood@away", 0) && door.inbox.depth() == (1, 400));
    }

    #[test]
    fn many_accounts_of_a_foreign_domain_keep_nobody_of_the_service_out() {
        let door = door(64);
        assert_eq!((0..500).filter(|&n| door.say(&format!("u{n}@away"), n)).count(), 64);
        assert!((0..32).all(|n| door.say(&format!("u{n}@h"), n)));
        assert!(!(0..500).any(|n| door.say(&format!("v{n}@away"), n)));
        assert_eq!(door.all().iter().filter(|it| it.contains("@h ")).count(), 32);
    }

    #[test]
    fn whoever_waits_for_a_call_is_told_that_it_has_to_go() {
        let door = door(4);
        let mut waiting: Vec<_> = (0..4).map(|_| door.ask("flood@h")).collect();
        assert!(door.say("a@h", 1));
        assert_eq!(waiting.pop().unwrap().try_recv().unwrap(), Err(Refusal::Busy));
        assert!(waiting.iter_mut().all(|it| it.try_recv().is_err()));
        assert_eq!(door.all(), ["call", "call", "call", "a@h 1"]);
    }

    #[test]
    fn the_services_own_things_are_never_lost_and_take_no_place_of_people() {
        let door = door(4);
        door.inbox.push_beyond(Inbound::LinkUp);
        assert!(door.inbox.try_push(Inbound::Expired(Vec::new()), 1 << 18));
        assert!(!door.inbox.try_push(Inbound::Expired(Vec::new()), 1), "it waits for room");
        assert!((0..4).all(|n| door.say("a@h", n)) && !door.say("a@h", 4) && door.say("b@h", 5));
        assert_eq!(door.inbox.take_in_thread(EVER, Duration::ZERO).unwrap().len(), 6);
        assert!(door.inbox.try_push(Inbound::Expired(Vec::new()), 1));
        door.inbox.close();
        assert!(!door.say("a@h", 6));
        assert_eq!(door.inbox.take_in_thread(EVER, Duration::ZERO).map(|it| it.len()), Some(1));
        assert!(door.inbox.take_in_thread(EVER, Duration::ZERO).is_none());
    }
}
