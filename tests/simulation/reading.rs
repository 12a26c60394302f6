//! The archive's answers, which may come turns later, and walks through whole archives.

use super::asks::{Ask, Op, Paging, RowName};
use super::hosts::Item;
use super::model::{Expect, OPERATOR, Page};
use super::wire;
use super::world::World;
use minidom::Element;
use mixd::engine::Query;
use mixd::runtime::answer;
use rand::Rng;
use rand::seq::IndexedRandom;

impl World {
    /// The archive answers some of what waits for it.
    pub fn answer_from_archive(&mut self) {
        for _ in 0..self.dice.random_range(0..=self.archive.len()) {
            let Some((query, ask, expect)) = self.archive.pop_front() else { return };
            self.answer_query(&query, &ask, &expect);
        }
    }

    /// The archive answers all that waits for it.
    pub fn answer_all(&mut self) {
        while let Some((query, ask, expect)) = self.archive.pop_front() {
            self.answer_query(&query, &ask, &expect);
        }
    }

    pub fn answer_query(&mut self, query: &Query, ask: &Ask, expect: &Expect) -> [Option<String>; 2] {
        let stanzas = wire::read(&answer::answer(query, &self.store).concat());
        let channel = query.channel.split('@').next().unwrap_or_default();
        let room = self.model.rooms.get(channel).filter(|room| room.tag == Some(query.tag));
        if let Expect::Overtaken(answered) = expect {
            let ends = stanzas.iter().filter(|stanza| stanza.name() == "iq").count();
            assert_eq!(ends, usize::from(*answered), "{ask:?} gets {stanzas:?}");
            return [None, None];
        }
        let Some(room) = room else {
            // The archive went with its channel; only the form of the answer is owed.
            let ends = stanzas.iter().filter(|stanza| stanza.name() == "iq").count();
            assert_eq!(ends, usize::from(!matches!(expect, Expect::Repeat(_))), "{ask:?} gets {stanzas:?}");
            return [None, None];
        };
        match expect {
            Expect::Page(page) => return wire::check_page(ask, page, query.tag, &self.sealer, &stanzas),
            Expect::Bounds(ends) => {
                let [answer] = &stanzas[..] else { panic!("not one answer to {ask:?}") };
                let bounds: Vec<_> =
                    answer.children().flat_map(Element::children).filter_map(|end| end.attr("id")).collect();
                let owed = ends.map(|(first, last)| [first, last].map(|row| self.sealer.seal(query.tag, row)));
                assert_eq!(bounds, owed.iter().flatten().collect::<Vec<_>>(), "{ask:?}");
            }
            Expect::Repeat(row) => {
                let [again] = &stanzas[..] else { panic!("not one reflection for {ask:?}: {stanzas:?}") };
                assert_eq!(again.attr("to"), Some(&*ask.from()));
                wire::check_row(again, *row, &room.rows[*row as usize - 1], query.tag, &self.sealer);
            }
            _ => panic!("{ask:?} is owed {expect:?}"),
        }
        [None, None]
    }

    /// Pages through a whole archive: the pages make up the archive, whatever their size and direction.
    pub fn walk(&mut self) {
        if !self.link {
            return;
        }
        let rooms: Vec<String> =
            self.model.rooms.iter().filter(|(_, room)| room.tag.is_some()).map(|(name, _)| name.clone()).collect();
        let Some(channel) = rooms.choose(&mut self.dice).cloned() else { return };
        self.drain();
        self.answer_all();
        let Some(room) = self.model.rooms.get(&channel) else { return };
        let (owed, tag) = (room.gone + 1..=room.rows.len() as u64, room.tag.unwrap_or_default());
        let (backward, max) = (self.dice.random_bool(0.5), self.dice.random_range(1..9));
        let mut found: Vec<u64> = Vec::new();
        let mut anchor: Option<String> = None;
        loop {
            let name = anchor.clone().map(|id| RowName { row: self.sealer.open(tag, &id).map(|row| (tag, row)), id });
            let paging = match backward {
                true => Paging { max: Some(max), before: Some(name), ..Paging::default() },
                false => Paging { max: Some(max), after: name, ..Paging::default() },
            };
            let (page, ends) = self.read_page(&channel, paging);
            let complete = page.complete;
            if backward {
                found.splice(0..0, page.rows)
            } else {
                found.splice(found.len().., page.rows)
            };
            anchor = if backward { ends[0].clone() } else { ends[1].clone() };
            if complete {
                break;
            }
        }
        assert_eq!(found, owed.collect::<Vec<_>>(), "the pages of {channel} are not its archive");
    }

    pub fn read_page(&mut self, channel: &str, paging: Paging) -> (Page, [Option<String>; 2]) {
        self.serial += 1;
        let op = Op::History { channel: channel.to_owned(), paging: Box::new(paging) };
        let (account, id) = (OPERATOR.to_owned(), format!("q{}", self.serial));
        let ask = Ask { account, resource: Some("walk".into()), id, wrapped: false, op };
        self.inbox.push_front(Item::asking(ask));
        self.turn(1, None);
        while self.archive.is_empty() {
            // Whoever is refused because the channel cannot be loaded asks again.
            let refused = self.unanswered.pop_if(|refused| refused.id == format!("q{}", self.serial));
            self.inbox.extend(refused.map(Item::asking));
            self.turn(1, None);
        }
        let Some((query, ask, expect)) = self.archive.pop_back() else { panic!("no query") };
        let ends = self.answer_query(&query, &ask, &expect);
        let Expect::Page(page) = expect else { panic!("no page is owed to the operator: {expect:?}") };
        (*page, ends)
    }
}
