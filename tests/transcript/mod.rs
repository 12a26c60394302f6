//! The runner of transcripts: reads a script, plays it to the engine, and writes down what went out.

pub mod answered;
#[path = "../fuzzed/bound.rs"]
pub mod bound;
pub mod difference;
pub mod names;
pub mod permuted;
pub mod print;
pub mod script;
pub mod veil;
pub mod world;

use answered::Answered;
use script::{Script, Step};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use world::{Memory, World};

/// The folder of all transcripts.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// Every transcript, in the order of paths.
pub fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder of transcripts can be read") {
            let path = entry.expect("an entry of the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xmpp") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "there are no transcripts");
    found.sort();
    found
}

/// What transcripts may come after.
const SETUPS: &[(&str, &str)] = &[
    ("setup/archive", include_str!("../transcripts/setup/archive.xmpp")),
    ("setup/coven", include_str!("../transcripts/setup/coven.xmpp")),
    ("setup/hidden", include_str!("../transcripts/setup/hidden.xmpp")),
    ("setup/delegated", include_str!("../transcripts/setup/delegated.xmpp")),
    ("setup/weekend", include_str!("../transcripts/setup/weekend.xmpp")),
];

/// Why a script cannot be played: a mistake in it, not in what it tests.
#[derive(Debug)]
pub struct Unplayable(pub String);

impl Display for Unplayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a transcript comes after.
///
/// # Errors
/// Where nothing goes by this name.
pub fn setup(name: &str) -> Result<Script, Unplayable> {
    let found = SETUPS.iter().find(|(known, _)| *known == name);
    let (_, text) =
        found.ok_or_else(|| Unplayable(format!("'{name}' is not among the setups of transcript/mod.rs")))?;
    Script::parse(Path::new(name), (*text).to_owned())
}

/// Everything that went out, one entry a step.
pub struct Outcome {
    pub steps: Vec<Answered>,
}

/// Plays a script from an empty store.
pub fn run(script: &Script, memory: Memory) -> Outcome {
    let mut world = World::new(script, memory).unwrap_or_else(|error| panic!("{error}"));
    let answered = |step| play(&mut world, script, step).unwrap_or_else(|error| panic!("{error}"));
    Outcome { steps: script.steps().map(answered).collect() }
}

/// Plays one step.
///
/// # Errors
/// Where there is no such step, or it names what there is not.
pub fn play(world: &mut World, script: &Script, step: &Step) -> Result<Answered, Unplayable> {
    let place = script.place(step);
    match step {
        Step::Sent { stanzas, .. } => world.send(stanzas, &place),
        Step::Told { words, .. } => match words.split_once(' ').unwrap_or((words, "")) {
            ("after", other) => {
                let earlier = setup(other)?;
                for step in earlier.steps() {
                    play(world, &earlier, step)?;
                }
                Ok(Answered::default())
            }
            ("pass", time) => world.pass(time, &place),
            ("clock", change) => world.clock(change, &place),
            ("sweep", days) => world.sweep(days, &place),
            ("restart", "") => Ok(world.restart(&place)),
            ("handover", "") => Ok(world.handover(&place)),
            ("crash", turns) => world.crash(turns, &place),
            ("http", wish) => world.make_over_http(wish, &place),
            ("link", "down") => Ok(world.link(false, &place)),
            ("link", "up") => Ok(world.link(true, &place)),
            ("refuse", "the next commit") => Ok(world.refuse_next_commit()),
            // Settled before the first step.
            ("set", _) => Ok(Answered::default()),
            _ => Err(Unplayable(format!("{place}: nobody knows the directive '{words}'"))),
        },
    }
}
