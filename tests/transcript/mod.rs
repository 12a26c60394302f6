//! The runner of transcripts: reads a script, plays it to the engine, and writes down what went out.

pub mod difference;
pub mod names;
pub mod print;
pub mod script;
pub mod world;

use script::{Script, Step};
use std::path::{Path, PathBuf};
use world::{Answered, Memory, World};

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

/// Everything that went out, one entry a step.
pub struct Outcome {
    pub steps: Vec<Answered>,
}

/// Plays a script from an empty store.
pub fn run(script: &Script, memory: Memory) -> Outcome {
    let mut world = World::new(script, memory);
    let steps = script.steps().map(|step| play(&mut world, script, step)).collect();
    Outcome { steps }
}

fn play(world: &mut World, script: &Script, step: &Step) -> Answered {
    let place = script.place(step);
    match step {
        Step::Sent { stanzas, .. } => world.send(stanzas, &place),
        Step::Told { words, .. } => match words.split_once(' ').unwrap_or((words, "")) {
            ("after", other) => {
                let earlier = Script::read(&folder().join(format!("{other}.xmpp")));
                for step in earlier.steps() {
                    play(world, &earlier, step);
                }
                Answered::default()
            }
            ("pass", time) => world.pass(time, &place),
            ("restart", "") => world.restart(&place),
            ("link", "down") => world.link(false, &place),
            ("link", "up") => world.link(true, &place),
            ("refuse", "the next commit") => world.refuse_next_commit(),
            // Settled before the first step.
            ("set", _) => Answered::default(),
            _ => panic!("{place}: nobody knows the directive '{words}'"),
        },
    }
}
