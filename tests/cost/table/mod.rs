//! Everything that can be sent, and what it may cost.

pub mod calls;
pub mod channels;
pub mod complete;
pub mod family;
pub mod groups;
pub mod messages;
pub mod nodes;
pub mod occupants;
pub mod presences;
pub mod rooms;
pub mod service;
pub mod setting;
pub mod world;

use family::{Bound, Family, TIMES};
use setting::filled;
use world::{Meter, Sent, World};

/// The whole table, in the order in which it is measured: what takes things away comes last.
pub fn table() -> impl Iterator<Item = &'static Family> {
    let others = [service::FAMILIES, channels::FAMILIES, nodes::FAMILIES, groups::FAMILIES, messages::FAMILIES];
    others
        .into_iter()
        .chain([
            presences::FAMILIES,
            calls::FAMILIES,
            presences::ENTRIES,
            occupants::FAMILIES,
            rooms::FAMILIES,
            calls::ENDS,
        ])
        .flatten()
}

/// One of everything in the table.
pub fn samples(world: &World) -> Vec<Sent> {
    table().flat_map(|family| family.sample(world)).collect()
}

/// A service that holds `size` of everything, and one that holds ten times as much.
pub fn fill(size: usize) -> [World; 2] {
    [filled(size), filled(TIMES * size)]
}

/// Measures in both services what of the table has one of `only` (parted by commas) in its name, with so many parts in each
/// stanza and ten times as many; a line for each measurement, and what costs more than it may.
pub fn measure(
    worlds: &mut [World; 2],
    only: &str,
    count: usize,
    bound: Bound,
    meter: &Meter<'_>,
) -> (String, Vec<String>) {
    let mut told = String::new();
    let measured = table().filter(|family| only.split(',').any(|part| family.name.contains(part)));
    let wrong = measured.flat_map(|family| family.check(worlds, count, bound, meter, &mut told)).collect();
    (told, wrong)
}
