//! Files that need each other: whoever would read one of them has to read them all.
//!
//! A file needs those in which things are defined that it takes in or names. That a module declares the modules below it
//! and shows others what is in them is no need; that its code names something of theirs is one.

use crate::words::Module;
use crate::{Source, assert_none, program_files};
use std::collections::{BTreeMap, BTreeSet};

/// The roots of the library and of the program, as the first words of paths.
const LIBRARY: &str = "mixd";
const PROGRAM: &str = "main";
/// The type whose methods lie in the files of its parts: a file of them has to name it, and needs nothing of it by that.
const WHOLE: &str = "Engine";
/// How many names something may have before it is found.
const NAMES_MAX: usize = 16;

/// All modules by their paths.
struct Crate(BTreeMap<Vec<String>, Module>);

impl Crate {
    fn read(sources: &[Source]) -> Crate {
        let modules: Vec<Module> = sources.iter().map(|source| Module::read(&source.path, &source.text)).collect();
        let of_program = modules.iter().find(|module| module.file == "src/main.rs").expect("the program has a root");
        let of_program = of_program.children.clone();
        let modules = modules.into_iter().map(|module| (path_of(&module.file, &of_program), module));
        let mut modules: BTreeMap<Vec<String>, Module> = modules.collect();
        let tests = modules.iter().flat_map(|(path, module)| module.tests.iter().map(|name| below(path, name)));
        let tests: BTreeSet<Vec<String>> = tests.collect();
        modules.retain(|path, module| !tests.contains(path) && !module.file.ends_with("_tests.rs"));
        Crate(modules)
    }

    /// The module that defines what goes by this path in another one; `None` where that is no thing of ours.
    fn definer(&self, module: &[String], path: &[String], names: usize) -> Option<&Vec<String>> {
        let (from, path) = match path.first()?.as_str() {
            "crate" => (&module[..1], &path[1..]),
            LIBRARY => (&path[..1], &path[1..]),
            "self" => (module, &path[1..]),
            "super" => {
                let up = path.iter().take_while(|word| *word == "super").count();
                (&module[..module.len().checked_sub(up)?], &path[up..])
            }
            _ => (module, path),
        };
        let (name, rest) = path.split_first()?;
        let (place, found) = self.0.get_key_value(from)?;
        if names == 0 {
            return None;
        }
        if !rest.is_empty() && found.children.contains(name) {
            return self.definer(&below(from, name), rest, names - 1);
        }
        if found.defined.contains(name) {
            return Some(place);
        }
        let taken = found.uses.iter().filter(|taken| taken.name == *name).map(|taken| [&taken.path, rest].concat());
        // What is in a type goes by the name of the type, which is taken in itself.
        let is_type = |path: &[String]| path.last().is_some_and(|word| word.starts_with(char::is_uppercase));
        let from_all = found.uses.iter().filter(|taken| taken.name == "*" && !is_type(&taken.path));
        let from_all = from_all.map(|taken| [&taken.path, path].concat());
        taken.chain(from_all).filter(|longer| longer != path).find_map(|longer| self.definer(from, &longer, names - 1))
    }

    /// The files that the file of a module needs.
    fn needs(&self, path: &[String], module: &Module) -> BTreeSet<&str> {
        let shown = module.uses.iter().filter(|taken| taken.is_public).filter_map(|taken| {
            // What it only hands on from below.
            self.definer(path, &taken.path, NAMES_MAX).filter(|definer| !definer.starts_with(path))
        });
        let taken = module.uses.iter().filter(|taken| !taken.is_public).map(|taken| &taken.path);
        let named = taken.chain(&module.paths).filter(|path| !path.iter().any(|name| name == WHOLE));
        let named = named.filter_map(|name| self.definer(path, name, NAMES_MAX));
        let files = shown.chain(named).map(|definer| self.0[definer].file.as_str());
        files.filter(|file| *file != module.file).collect()
    }

    /// The circles, each with its files in order.
    fn circles(&self) -> BTreeSet<Vec<&str>> {
        let needs: BTreeMap<&str, BTreeSet<&str>> =
            self.0.iter().map(|(path, module)| (module.file.as_str(), self.needs(path, module))).collect();
        let reached: BTreeMap<&str, BTreeSet<&str>> = needs.keys().map(|file| (*file, reached(&needs, file))).collect();
        let circles = reached.iter().map(|(file, others)| {
            let circle = others.iter().filter(|other| reached[*other].contains(file));
            circle.copied().collect::<Vec<&str>>()
        });
        circles.filter(|circle| circle.len() > 1).collect()
    }
}

/// The path of the module that a file holds.
fn path_of(file: &str, of_program: &BTreeSet<String>) -> Vec<String> {
    let bare = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let words: Vec<String> = bare.split('/').map(str::to_owned).collect();
    match bare {
        "lib" => vec![LIBRARY.to_owned()],
        "main" => vec![PROGRAM.to_owned()],
        _ if of_program.contains(&words[0]) => [vec![PROGRAM.to_owned()], words].concat(),
        _ => [vec![LIBRARY.to_owned()], words].concat(),
    }
}

fn below(path: &[String], name: &str) -> Vec<String> {
    [path, &[name.to_owned()]].concat()
}

/// The files that are needed for a file, one for the sake of the other.
fn reached<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(file) = open.pop() {
        open.extend(needs[file].iter().copied().filter(|need| found.insert(*need)));
    }
    found
}

/// What the rooms of the engine keep needs of other rooms; files with methods of the engine use whatever they are for.
const ROOMS: &[(&str, &[&str])] = &[
    ("fairness", &[]),
    ("outgoing", &[]),
    ("people", &["fairness", "outgoing"]),
    ("presence", &["fairness"]),
    ("occupants", &["fairness", "outgoing"]),
    ("channels", &["fairness", "outgoing"]),
    ("requests", &["fairness"]),
];

#[test]
fn what_a_room_keeps_needs_few_other_rooms() {
    let sources = program_files();
    let found = Crate::read(&sources);
    let room = |file: &str| {
        let (room, _) = file.strip_prefix("src/engine/")?.split_once('/')?;
        Some(room.to_owned())
    };
    let engine_has_methods = |file: &str| {
        let source = sources.iter().find(|source| source.path == file);
        source.is_some_and(|source| source.text.lines().any(|line| line.starts_with("impl Engine ")))
    };
    let mut needed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, module) in &found.0 {
        let Some(own) = room(&module.file).filter(|_| !engine_has_methods(&module.file)) else { continue };
        let others = found.needs(path, module).into_iter().filter_map(room).filter(|other| *other != own);
        needed.entry(own.clone()).or_default().extend(others);
    }
    let told = ROOMS.iter().map(|(name, may)| (name.to_string(), may.iter().map(|it| it.to_string()).collect()));
    assert_eq!(needed, told.collect());
}

#[test]
fn files_do_not_need_each_other() {
    let sources = program_files();
    let found = Crate::read(&sources);
    let circles = found.circles().iter().map(|circle| circle.join(", ")).collect();
    assert_none(circles, "files need each other");
}

#[test]
fn a_circle_is_what_files_name_of_each_other_by_any_name() {
    let circles = |first: &str, second: &str| {
        let files = [
            ("src/main.rs", "fn main() {}"),
            ("src/lib.rs", "pub mod both;"),
            ("src/both/mod.rs", "mod first;\nmod second;\npub use first::First;\npub use second::*;"),
            ("src/both/first.rs", first),
            ("src/both/second.rs", second),
        ];
        let sources = files.map(|(path, text)| Source { path: path.to_owned(), text: text.to_owned() });
        Crate::read(&sources).circles().len()
    };
    let first = "use super::{Second as Other};\npub struct First(Option<Other>);";
    assert_eq!(circles(first, "pub struct Second;"), 0);
    assert_eq!(circles(first, "pub struct Second;\n#[cfg(test)]\nmod tests { use crate::both::First; }"), 0);
    assert_eq!(circles(first, "pub struct Second; // super::First\nconst NAME: &str = \"super::First\";"), 0);
    assert_eq!(circles(first, "pub struct Second(crate::both::First);"), 1);
    assert_eq!(circles(first, "use super::first;\npub enum Second { Other(Box<first::First>) }"), 1);
}
