//! Stanzas that are of one kind but for what repeats in them, and what they may cost.

use super::world::{Cost, Meter, Sent, World};
use std::fmt::Write;

/// What there is to fill a stanza with.
pub struct Case<'a> {
    pub world: &'a World,
    /// A number that no other measurement has.
    pub serial: usize,
}

/// One of the things that repeat, the one of this number.
pub type Part = fn(&Case<'_>, usize) -> String;

/// See the module.
pub struct Family {
    pub name: &'static str,
    /// What is sent before, and does not count: what this one takes away again.
    pub before: fn(&Case<'_>) -> Vec<String>,
    /// What is sent, around what repeats.
    pub around: fn(&Case<'_>, &str) -> Sent,
    /// What may repeat, each alone and with every other.
    pub parts: &'static [Part],
    /// Whether it takes away at once what there is, and so is sent once.
    pub is_end: bool,
}

/// How much larger a stanza is, and how much more there is.
pub const TIMES: usize = 10;
/// How much more a stanza may cost that is ten times larger, and one where there is ten times more.
const RATIO_OF_STANZA: f64 = 15.0;
const RATIO_OF_SERVICE: f64 = 2.0;

/// What one stanza may cost, whatever it is and whatever there is.
#[derive(Clone, Copy)]
pub struct Bound {
    /// At least so much.
    pub steps: u64,
    /// And where that is more, so much a byte.
    pub a_byte: u64,
    /// What is too little to tell anything: ratios are of more than that.
    pub noise: u64,
}

/// What repeats in the stanzas of a measurement: one thing, or two.
#[derive(Clone, Copy)]
struct Filling<'f>(&'f Family, usize, usize);

impl Filling<'_> {
    fn sent(&self, world: &World, count: usize) -> Sent {
        let Filling(family, a, b) = *self;
        let case = Case { world, serial: world.serial };
        let mut inner = String::new();
        for n in 0..count {
            inner.push_str(&family.parts[a](&case, n));
            if a != b {
                inner.push_str(&family.parts[b](&case, n));
            }
        }
        (family.around)(&case, &inner)
    }

    fn measure(&self, world: &mut World, count: usize, meter: &Meter<'_>) -> Cost {
        let mut costs: Vec<Cost> = (0..if self.0.is_end { 1 } else { REPEATED })
            .map(|_| {
                let before = (self.0.before)(&Case { world, serial: world.serial });
                before.into_iter().for_each(|xml| drop(world.send(&Sent::Stanza(xml))));
                let sent = self.sent(world, count);
                world.measure(&sent, meter).0
            })
            .collect();
        // What was refused is cheap, and says nothing of what is not.
        costs.sort_by_key(|cost| (cost.is_refused, cost.steps));
        costs[0]
    }
}

/// What is always refused; all else has to be taken, by what repeats first in it at least.
const REFUSED: &[&str] = &[
    // Other rows need the rooms. Operators alone may do it, and what it takes is done some sessions at a time.
    "command: close all rooms, unticked",
    "call: close all rooms, by whoever may not",
    "destroy a channel of many",
    "what nobody serves",
    "a question to a nick, by whoever is not there",
    "nodes of the service",
    "publish to the service",
    "command: configure a channel of a long name",
    "command: ban whoever has a long name",
    "invite whoever has a long name",
    "rows of somebody of a long name",
    "join with a nick that is taken",
    "join by whoever is banned",
    "publish a video without one",
    "retract several items at once",
    "publish messages",
    "publish participants",
    "publish presence",
    "publish whose ids are whose",
    "publish to a node that there is not",
    "the end of a node that every channel has",
    "hide, by whoever is not in it",
    "presence as a MUC client sends it",
    "message of somebody who is in no channel",
    "message to a channel that there is not",
    "call: destroy",
    "call: destroy, asked of the channel",
    "call: read history",
    "call: bounds of history",
];

/// What holds more than it may where it is large.
const REFUSED_WHEN_LARGE: &[&str] = &[
    "rows of the archive by their ids",
    "publish what describes a picture",
    "call: set a subject",
    "the end of a room, with a reason",
];

/// A table that grows now and then is none of the stanza's doing: the least of so many counts.
const REPEATED: usize = 2;

/// What is measured of one filling.
struct Measured {
    small: Cost,
    large: Cost,
    in_more: Option<Cost>,
}

impl Measured {
    /// What is wrong with it.
    fn wrong(&self, bound: Bound) -> Vec<String> {
        let Measured { small, large, in_more } = self;
        let mut wrong = Vec::new();
        let ratio = |more: &Cost, less: &Cost| more.steps as f64 / less.steps.max(bound.noise) as f64;
        if ratio(large, small) > RATIO_OF_STANZA {
            wrong.push(format!("{:.1} times for a stanza {TIMES} times larger", ratio(large, small)));
        }
        for cost in [Some(small), Some(large), in_more.as_ref()].into_iter().flatten() {
            let most = bound.steps.max(bound.a_byte * cost.asked as u64);
            if cost.steps > most {
                wrong.push(format!("{} for {} bytes, {most} at most", cost.steps, cost.asked));
            }
        }
        if let Some(more) = in_more {
            let answer = (more.answered as f64 / small.answered.max(1) as f64).max(1.0);
            if ratio(more, small) > RATIO_OF_SERVICE * answer {
                let ratio = ratio(more, small);
                wrong.push(format!(
                    "{ratio:.1} times where there is {TIMES} times more, for an answer of {answer:.1} times"
                ));
            }
        }
        wrong
    }
}

impl Family {
    /// Measures every filling in a service and in one that holds more; what is wrong, and a line for each.
    pub fn check(
        &self,
        worlds: &mut [World; 2],
        count: usize,
        bound: Bound,
        meter: &Meter<'_>,
        told: &mut String,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let [world, more] = worlds;
        let is_refused = REFUSED.contains(&self.name);
        for a in 0..self.parts.len() {
            for b in a..self.parts.len() {
                let filling = Filling(self, a, b);
                let small = filling.measure(world, count, meter);
                let large = if self.is_end { small } else { filling.measure(world, TIMES * count, meter) };
                let in_more = (a == b).then(|| filling.measure(more, count, meter));
                let name = if a == b { format!("{} {a}", self.name) } else { format!("{} {a} × {b}", self.name) };
                let whole = (!REFUSED_WHEN_LARGE.contains(&self.name)).then_some(large);
                let counted = [Some(small), whole, in_more];
                if a + b == 0 && counted.iter().flatten().any(|cost| cost.is_refused != is_refused) {
                    let whether = if is_refused { "it was taken" } else { "it was refused" };
                    wrong.push(format!("{name}: {whether}"));
                }
                let measured = Measured { small, large, in_more };
                let steps = |cost: Option<Cost>| cost.map_or("-".to_owned(), |cost| cost.steps.to_string());
                let line = [Some(small), Some(large), in_more].map(steps).join("\t");
                let _ = writeln!(told, "{name}\t{}\t{}\t{line}", small.asked, large.asked);
                wrong.extend(measured.wrong(bound).into_iter().map(|what| format!("{name}: {what}")));
            }
        }
        wrong
    }

    /// A stanza of it as it is sent, for what there has to be in the table.
    pub fn sample(&self, world: &World) -> Vec<Sent> {
        (0..self.parts.len()).map(|part| Filling(self, part, part).sent(world, 1)).collect()
    }
}

/// People whom one request may name; of two kinds, half of them each.
pub const NAMED: usize = 18;

/// Something that names one more, as long as it may.
pub fn named(n: usize, text: String) -> String {
    if n < NAMED { text } else { String::new() }
}

/// Nothing goes before.
pub fn nothing(_: &Case<'_>) -> Vec<String> {
    Vec::new()
}

/// Nothing repeats: only how much there is changes.
pub const ALONE: &[Part] = &[|_, _| String::new()];
