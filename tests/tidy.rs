//! What the source keeps to: layers, sizes, where time and randomness come from, and what has to be written down.
//!
//! Tests at the foot of a file are exempt from what only holds for the program.

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/order.rs"]
mod order;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/words.rs"]
mod words;

use mixd::xep::EXTENSIONS;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 450;
const FUNCTION_LINES_MAX: usize = 70;

/// What the files of a folder must not mention, word by word.
const LAYERS: &[(&str, &[&str])] = &[
    ("xmpp", &["crate::channel", "crate::xep", "crate::engine", "crate::store", "crate::runtime"]),
    (
        "channel",
        &["minidom", "xmpp_parsers", "crate::xmpp", "crate::xep", "crate::engine", "crate::store", "crate::runtime"],
    ),
    ("xep", &["crate::engine", "crate::store", "crate::runtime"]),
    ("engine", &["crate::runtime"]),
    ("store", &["minidom", "xmpp_parsers", "crate::xmpp", "crate::xep", "crate::engine", "crate::runtime"]),
];
/// What the engine may take from the store: plain types.
const STORE_TYPES: &[&str] = &[
    "Belief",
    "Deed",
    "Directory",
    "Halves",
    "Listing",
    "Mention",
    "Mentions",
    "Outdated",
    "Part",
    "Place",
    "Record",
    "SavedClient",
    "SavedSeat",
    "Tour",
    "Trace",
    "Unsent",
    "Whereabouts",
];
/// What waits or runs beside the turn, and the folders that may.
const WAITING: &[&str] = &[".await", "async", "thread::", "tokio"];
const MAY_WAIT: &[&str] = &["runtime", "store"];
/// What reads the clock or the system's randomness.
const CLOCKS: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "clock_gettime",
    "Timestamp::now",
    "Zoned::now",
    "OsRng",
    "rand::rng(",
    "thread_rng",
    "from_os_rng",
    "rand::random",
];
/// The one place for both, and the store's draw of its key when it is made.
const MAY_READ_CLOCKS: &[(&str, &str)] = &[("src/runtime/clock.rs", ""), ("src/store/sled/mod.rs", "OsRng")];
const NO_NAMES: &[&str] =
    &["manager", "handler", "helper", "util", "utils", "common", "misc", "data", "info", "process"];

struct Source {
    /// From the crate's folder on.
    path: String,
    text: String,
}

impl Source {
    /// The text without the tests at its foot; none of a file that is the foot of another.
    fn program(&self) -> &str {
        if self.path.ends_with("_tests.rs") {
            return "";
        }
        self.text.split("#[cfg(test)]").next().unwrap_or_default()
    }

    /// The lines of the program that are no comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.program().lines().enumerate().map(|(number, line)| (number + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The places where the code holds one of these.
    fn places_of<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = (String, &'a str)> {
        self.code().flat_map(move |(number, line)| {
            let found = words.iter().filter(move |word| holds(line, word));
            found.map(move |word| (format!("{}:{number}: {word}", self.path), *word))
        })
    }

    /// The layer it belongs to.
    fn folder(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

/// Whether a line holds a word that does not begin or end within another one.
fn holds(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().filter(|_| word.starts_with(is_part));
        let after = line[at + word.len()..].chars().next().filter(|_| word.ends_with(is_part));
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder with one of these endings; all where there are none.
fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("an entry can be read").path()) {
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if endings.is_empty() || endings.contains(&ending) {
                found.push(source(&path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn source(path: &Path) -> Source {
    let bytes = fs::read(path).expect("a file can be read");
    let path =
        path.strip_prefix(root()).expect("below the crate's folder").to_str().expect("a path is UTF-8").to_owned();
    Source { path, text: String::from_utf8_lossy(&bytes).into_owned() }
}

fn program_files() -> Vec<Source> {
    let files = files("src", &["rs"]);
    assert!(files.len() > 40, "the source was not found");
    files
}

fn assert_none(wrong: Vec<String>, rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn layers_import_downwards_only() {
    let mut wrong = Vec::new();
    for file in program_files() {
        for (_, forbidden) in LAYERS.iter().filter(|(folder, _)| *folder == file.folder()) {
            wrong.extend(file.places_of(forbidden).map(|(place, _)| place));
            // An import in braces would hide what it takes.
            wrong.extend(file.places_of(&["crate::{"]).map(|(place, _)| place));
        }
        if file.folder() == "engine" {
            let mentions = file.code().filter(|(_, line)| line.contains("crate::store") && !is_plain_import(line));
            wrong.extend(mentions.map(|(number, line)| format!("{}:{number}: {line}", file.path)));
        }
    }
    assert_none(wrong, "a layer knows what it must not know");
}

#[test]
fn one_table_says_which_change_concerns_which_face() {
    let table = ["src/xep/faces.rs", "src/xep/render.rs"];
    let files = program_files().into_iter();
    let (tables, others): (Vec<Source>, Vec<Source>) =
        files.filter(|file| file.folder() == "xep").partition(|file| table.contains(&&*file.path));
    let wrong = others.iter().flat_map(|file| file.places_of(&["Change::"]).map(|(place, _)| place)).collect();
    assert_none(wrong, "a renderer looks for changes of its own, and not from the table of faces");
    let is_exhaustive = |file: &Source| file.text.contains("#![deny(clippy::wildcard_enum_match_arm)]");
    assert!(tables.len() == table.len() && tables.iter().all(is_exhaustive), "the table of faces has wildcards");
}

/// Whether a line is one whole import of plain types of the store.
fn is_plain_import(line: &str) -> bool {
    let names = line.strip_prefix("use crate::store::").and_then(|names| names.strip_suffix(';'));
    names.is_some_and(|names| {
        let mut names = names.split(|c: char| !c.is_alphanumeric()).filter(|name| !name.is_empty());
        names.all(|name| STORE_TYPES.contains(&name))
    })
}

#[test]
fn only_runtime_and_store_wait() {
    let files =
        program_files().into_iter().filter(|file| !MAY_WAIT.contains(&file.folder()) && file.folder() != "main.rs");
    let wrong = files.flat_map(|file| file.places_of(WAITING).map(|(place, _)| place).collect::<Vec<_>>()).collect();
    assert_none(wrong, "something waits, or runs beside the turn, outside runtime and store");
}

#[test]
fn only_the_clock_reads_time_and_randomness() {
    let mut wrong = Vec::new();
    for file in program_files() {
        let may = |word: &str| {
            MAY_READ_CLOCKS.iter().any(|(path, only)| *path == file.path && (only.is_empty() || *only == word))
        };
        wrong.extend(file.places_of(CLOCKS).filter(|(_, word)| !may(word)).map(|(place, _)| place));
    }
    assert_none(wrong, "time or randomness is read outside the clock");
}

#[test]
fn nothing_in_the_program_gives_up() {
    let words = [".unwrap()", ".unwrap_err()", "panic!", "todo!", "unimplemented!", "unreachable!", "dbg!"];
    let files = program_files();
    let wrong = files.iter().flat_map(|file| file.places_of(&words).map(|(place, _)| place)).collect();
    assert_none(wrong, "something in the program panics");
}

#[test]
fn files_are_short_named_well_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for file in program_files().into_iter().chain(files("tests", &["rs"])).chain(files("benches", &["rs"])) {
        let (lines, stem) =
            (file.text.lines().count(), Path::new(&file.path).file_stem().and_then(|stem| stem.to_str()));
        if lines > FILE_LINES_MAX {
            wrong.push(format!("{}: {lines} lines", file.path));
        }
        if stem.is_some_and(|stem| NO_NAMES.contains(&stem)) {
            wrong.push(format!("{}: a name that says nothing", file.path));
        }
        if file.path.starts_with("src/") && !file.text.starts_with("//!") {
            wrong.push(format!("{}: no //! at its head", file.path));
        }
    }
    assert_none(wrong, "files out of shape");
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for file in program_files() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let bare = line.trim_start();
            let signature =
                bare.trim_start_matches("pub ").trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ");
            if !["fn ", "async fn ", "const fn "].iter().any(|head| signature.starts_with(head)) {
                continue;
            }
            let end = format!("{}}}", &line[..line.len() - bare.len()]);
            let length = lines[number..].iter().position(|line| *line == end).map_or(1, |length| length + 1);
            if length > FUNCTION_LINES_MAX && !line.ends_with([';', '}']) {
                wrong.push(format!("{}:{}: {length} lines", file.path, number + 1));
            }
        }
    }
    assert_none(wrong, "functions are too long");
}

#[test]
fn every_extension_has_transcripts_and_a_row() {
    let rows = specifications();
    let folders = transcript_folders();
    let mut wrong = Vec::new();
    for name in EXTENSIONS.iter().map(|extension| extension.name()) {
        if !folders.contains(&folder_of(name)) {
            wrong.push(format!("{name}: no transcript"));
        }
        if !rows.iter().any(|(row, served)| row == name && *served) {
            wrong.push(format!("{name}: docs/xeps.md does not say that it is served"));
        }
    }
    for (row, served) in &rows {
        if *served != folders.contains(&folder_of(row)) {
            wrong.push(format!("{row}: docs/xeps.md and tests/transcripts do not agree on whether it is served"));
        }
    }
    let known: BTreeSet<String> = rows.iter().map(|(row, _)| folder_of(row)).collect();
    wrong.extend(folders.difference(&known).map(|folder| format!("{folder}: no row in docs/xeps.md")));
    assert_none(wrong, "what is served, what is documented and what is tested differ");
}

#[test]
fn every_option_of_a_channel_has_a_row_and_a_transcript() {
    let text = source(&root().join("docs/channels.md")).text;
    let rows: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter_map(|row| Some((row.split(" | ").next()?, row.split(" | ").nth(4)?)))
        .filter(|(name, _)| *name != "Option")
        .collect();
    let form = source(&root().join("tests/transcripts/xep-0406/every_setting_has_its_field.xmpp")).text;
    let fields = form.lines().filter(|line| line.starts_with('>') && line.contains("<field "));
    let fields: BTreeSet<&str> = fields.filter_map(|line| line.split("var='").nth(1)?.split('\'').next()).collect();
    let mut wrong = Vec::new();
    wrong.extend(
        fields
            .iter()
            .filter(|field| **field != "FORM_TYPE" && !rows.contains_key(*field))
            .map(|field| format!("{field}: no row")),
    );
    wrong.extend(rows.keys().filter(|row| !fields.contains(*row)).map(|row| format!("{row}: no such field")));
    for (option, transcripts) in &rows {
        for name in transcripts.split(", ").map(|name| name.trim_matches('`')) {
            let path = format!("tests/transcripts/{name}.xmpp");
            let shows = root().join(&path).exists() && source(&root().join(&path)).text.contains(*option);
            if !shows {
                wrong.push(format!("{option}: {path} is not there, or does not name it"));
            }
        }
    }
    assert!(rows.len() > 20, "{rows:?}");
    assert_none(wrong, "options of channels and docs/channels.md differ");
}

#[test]
fn nothing_names_the_machine_it_was_made_on() {
    // In two halves, or this file would be the first to be found.
    let halves = [("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/"), ("index.", "crates.io")];
    let words: Vec<String> = halves.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let single = ["Cargo.toml", "README.md", "docker-compose.yml"].map(|name| root().join(name));
    let single = single.iter().filter(|path: &&PathBuf| path.exists()).map(|path| source(path));
    let folders = ["src", "tests", "benches", "docs", "config"].into_iter().flat_map(|folder| files(folder, &[]));
    let mut wrong = Vec::new();
    for file in folders.chain(single) {
        wrong.extend(
            words.iter().filter(|word| file.text.contains(&**word)).map(|word| format!("{}: {word}", file.path)),
        );
    }
    assert_none(wrong, "a path of a machine or the address of a registry");
}

/// The rows of docs/xeps.md, and whether anything of each is served.
#[test]
fn everything_that_is_bounded_has_a_row() {
    let text = source(&root().join("docs/bounds.md")).text;
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split(" | ").map(|cell| cell.trim_end_matches(" |")).collect())
        .collect();
    let named: Vec<&str> = rows.iter().flat_map(|row| row[0].trim_end_matches('`').split("` `")).collect();
    let mut bounds = bounds_of_settings();
    for file in program_files() {
        let path = file.path.trim_start_matches("src/").to_owned();
        bounds.extend(file.code().filter_map(|(_, line)| {
            let name = line.split("const ").nth(1)?.split(':').next()?;
            name.ends_with("_MAX").then(|| format!("{path} {name}"))
        }));
    }
    assert!(bounds.len() > 100, "they were not found");
    let (known, written): (BTreeSet<&str>, BTreeSet<&str>) =
        (bounds.iter().map(String::as_str).collect(), named.iter().copied().collect());
    let mut wrong: Vec<String> = known.difference(&written).map(|name| format!("{name}: no row")).collect();
    wrong.extend(written.difference(&known).map(|name| format!("{name}: no such bound")));
    wrong.extend((named.len() > written.len()).then(|| "a bound has two rows".to_owned()));
    // Sentences hold spaces; what is left in code is a test, or a setting.
    let sources: Vec<Source> = program_files().into_iter().chain(files("tests", &["rs"])).collect();
    let in_code =
        text.split('`').skip(1).step_by(2).filter(|word| word.matches('_').count() > 3 && !word.contains(' '));
    let is_test = |name: &&str| sources.iter().any(|file| file.text.contains(&format!("fn {name}()")));
    wrong.extend(in_code.filter(|name| !is_test(name)).map(|name| format!("{name}: no such test")));
    assert_none(wrong, "bounds and docs/bounds.md differ");
}

/// The settings whose names end in `_max`, with those of their sections before them.
fn bounds_of_settings() -> Vec<String> {
    let (mut section, mut found) = (String::new(), Vec::new());
    for line in source(&root().join("config/mixd.toml")).text.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            section = name.split('.').next().unwrap_or_default().to_owned();
        }
        let key = line.split_once(" = ").map(|(key, _)| key);
        found.extend(key.filter(|key| key.ends_with("_max")).map(|key| format!("{section}.{key}")));
    }
    found
}

fn specifications() -> Vec<(String, bool)> {
    let text = source(&root().join("docs/xeps.md")).text;
    // Behind them come the examples of some.
    let rows = text.lines().take_while(|line| !line.starts_with("## ")).filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let name = cells.first().filter(|name| {
            name.starts_with("XEP-") || name.starts_with("RFC ") || ["groups", "host", "clients"].contains(name)
        })?;
        Some(((*name).to_owned(), cells.get(3).is_some_and(|served| *served != "–")))
    });
    rows.collect()
}

fn transcript_folders() -> BTreeSet<String> {
    let transcripts = files("tests/transcripts", &["xmpp"]);
    let folders = transcripts.iter().filter_map(|file| file.path.split('/').nth(2)).map(str::to_owned);
    folders.filter(|folder| folder != "setup").collect()
}

fn folder_of(specification: &str) -> String {
    specification.to_lowercase().replace(' ', "-")
}
