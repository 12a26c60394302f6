//! Transcripts: `tests/transcripts/<xep>/<claim>.xmpp` holds what is sent and exactly what everybody receives.
//!
//! `UPDATE=1 cargo test --test transcripts` rewrites the answers, for review: an answer is a claim that the
//! specification was followed, not a record of what happened to come out. The format is described in `script`.

mod transcript;

use std::path::Path;
use transcript::permuted::{self, Differences};
use transcript::script::Script;
use transcript::veil::{self, Looked};
use transcript::world::Memory;
use transcript::{files, run};

#[test]
fn every_transcript_reads_as_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    for path in files() {
        let script = Script::read(&path);
        let answered = run(&script, Memory::Kept);
        if update {
            script.update(&answered);
        } else if let Some(report) = script.compare(&answered) {
            failures.push(report);
        }
    }
    assert!(failures.is_empty(), "{} transcripts differ\n{}", failures.len(), failures.join("\n"));
}

/// Whoever receives something receives the same, in the same order, when every channel leaves memory after every turn.
#[test]
fn no_channel_has_to_stay_in_memory() {
    let mut failures = Vec::new();
    for path in files() {
        let script = Script::read(&path);
        let (kept, dropped) = (run(&script, Memory::Kept), run(&script, Memory::Dropped));
        for (step, (kept, dropped)) in kept.steps.iter().zip(&dropped.steps).enumerate() {
            if kept.by_recipient() != dropped.by_recipient() {
                failures.push(script.report(step, &kept.lines(), &dropped.lines()));
            }
        }
    }
    assert!(failures.is_empty(), "{} steps differ\n{}", failures.len(), failures.join("\n"));
}

/// XEP-0404: in a channel that hides JIDs, nobody who does not administer it is told one, whatever anybody asks for.
#[test]
fn a_channel_that_hides_jids_names_nobody() {
    let mut looked = Looked::default();
    files().iter().for_each(|path| veil::look(&Script::read(path), &mut looked));
    assert!(looked.leaks.is_empty(), "{} stanzas name somebody\n{}", looked.leaks.len(), looked.leaks.join("\n\n"));
    assert!(looked.stanzas > 300, "only {} stanzas were looked at", looked.stanzas);
}

/// Where people are hidden, what those get who may not know them is the same whoever they are.
#[test]
fn whoever_is_hidden_others_get_the_same() {
    let mut differences = Differences::default();
    files().iter().for_each(|path| permuted::people(&Script::read(path), &mut differences));
    let Differences { stanzas, found } = differences;
    assert!(found.is_empty(), "{} differ\n{}", found.len(), found.join("\n\n"));
    assert!(stanzas > 300, "only {stanzas} stanzas were compared");
}

/// Whether there is a group that is hidden makes no difference to a stranger, whatever it asks, and whether the group is in
/// memory or not.
#[test]
fn whether_there_is_a_hidden_group_a_stranger_gets_the_same() {
    let scripts: Vec<Script> = files().iter().map(|path| Script::read(path)).collect();
    for memory in [Memory::Kept, Memory::Dropped] {
        let mut differences = Differences::default();
        permuted::group(&scripts, memory, &mut differences);
        let Differences { stanzas, found } = differences;
        assert!(found.is_empty(), "{} differ\n{}", found.len(), found.join("\n\n"));
        assert!(stanzas > 200, "only {stanzas} stanzas were sent");
    }
}

/// What docs/groups.md shows to people who write clients is what a transcript holds.
#[test]
fn the_guide_to_groups_shows_what_is_spoken() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/groups.md");
    let guide = std::fs::read_to_string(guide).expect("the guide can be read");
    let spoken: Vec<String> = files().iter().map(|path| spoken(path)).collect();
    let blocks: Vec<&str> = guide.split("```xml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 20, "the guide shows stanzas");
    for block in blocks {
        assert!(spoken.iter().any(|text| text.contains(block)), "no transcript holds this:\n{block}");
    }
}

/// A transcript without the marks of its answers.
fn spoken(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a transcript can be read");
    text.lines().map(|line| format!("{}\n", line.strip_prefix("> ").unwrap_or(line))).collect()
}
