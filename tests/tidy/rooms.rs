//! What a room of the engine keeps is seen in that room alone: its neighbours call its methods.

use crate::{Source, assert_none, holds, program_files};
use std::collections::BTreeSet;

/// The rooms that keep nothing.
const EMPTY: &[&str] = &["fairness"];

/// The lines of a struct's fields.
fn fields<'a>(source: &'a Source, name: &str) -> Vec<(usize, &'a str)> {
    let head = format!("struct {name} {{");
    let lines = source.text.lines().enumerate().map(|(number, line)| (number + 1, line));
    let inside = lines.skip_while(|(_, line)| !line.ends_with(&head)).skip(1);
    let fields = inside.take_while(|(_, line)| *line != "}").map(|(number, line)| (number, line.trim_start()));
    fields.filter(|(_, line)| !line.starts_with(['#', '/'])).collect()
}

/// The room and the path of the type that a field of `Engine` is of.
fn state(field: &str) -> Option<(&str, Vec<&str>)> {
    let (_, kind) = field.trim_end_matches(',').split_once(": ")?;
    let path: Vec<&str> = kind.split("::").collect();
    let room = path.first().filter(|room| path.len() > 1 && room.starts_with(char::is_lowercase))?;
    Some((room, path))
}

/// Whether what is seen like this, in this file of a room, is seen in that room alone.
fn stays_inside(field: &str, file: &str, room: &str) -> bool {
    let is_below = file != format!("src/engine/{room}/mod.rs");
    let here = format!("pub(in crate::engine::{room}");
    !holds(field, "pub") || (is_below && field.starts_with("pub(super) ")) || field.starts_with(&here)
}

#[test]
fn what_a_room_keeps_is_seen_in_that_room_alone() {
    let sources = program_files();
    let engine = sources.iter().find(|source| source.path == "src/engine/mod.rs").expect("the engine has a file");
    let folders = sources.iter().filter_map(|source| source.path.strip_prefix("src/engine/")?.split_once('/'));
    let rooms: BTreeSet<&str> = folders.map(|(room, _)| room).filter(|room| !room.ends_with("_tests")).collect();
    let mut kept = BTreeSet::from_iter(EMPTY.iter().copied());
    let mut wrong = Vec::new();
    let states = fields(engine, "Engine").into_iter().filter_map(|(_, field)| state(field));
    for (room, path) in states.filter(|(room, _)| rooms.contains(room)) {
        let (name, modules) = path.split_last().expect("a path has words");
        let files = ["/mod.rs", ".rs"].map(|end| format!("src/engine/{}{end}", modules.join("/")));
        let Some(source) = sources.iter().find(|source| files.contains(&source.path)) else { continue };
        let fields = fields(source, name);
        assert!(!fields.is_empty(), "{} has no struct {name}", source.path);
        kept.insert(room);
        let seen = fields.into_iter().filter(|(_, field)| !stays_inside(field, &source.path, room));
        wrong.extend(seen.map(|(number, field)| format!("{}:{number}: {field}", source.path)));
    }
    assert!(rooms.is_subset(&kept), "what the rooms keep was not found: {rooms:?}, {kept:?}");
    assert_none(wrong, "what a room keeps is seen by its neighbours");
}

#[test]
fn a_field_is_seen_where_its_visibility_says() {
    let (top, below) = ("src/engine/people/mod.rs", "src/engine/people/known.rs");
    let seen = [
        ("names: Names,", top, true),
        ("pub(in crate::engine) names: Names,", top, false),
        ("pub(super) names: Names,", top, false),
        ("pub(super) names: Names,", below, true),
        ("pub(crate) names: Names,", below, false),
        ("pub names: Names,", below, false),
        ("pub(in crate::engine::people) names: Names,", below, true),
    ];
    for (field, file, inside) in seen {
        assert_eq!(stays_inside(field, file, "people"), inside, "{field} in {file}");
    }
}
