//! A transcript as a file: paragraphs, divided by blank lines.
//!
//! - `-- text` is a comment. `--! words` is a directive (see `play`); `--! set NAME VALUE` settles a setting.
//! - Lines that begin with neither `--` nor `> ` are stanzas as the host server sends them. A stanza begins where a line
//!   begins with `<` and not with `</`. The stanzas of one paragraph are one batch, and so one turn.
//! - `> ` lines behind them are what goes out, in that order; `> nothing` where nothing does.

use super::difference::difference;
use super::{Outcome, Unplayable, setup};
use std::path::{Path, PathBuf};

const SENT_NOTHING: &str = "> nothing";

/// A file, read.
pub struct Script {
    path: PathBuf,
    text: String,
    parts: Vec<Part>,
}

enum Part {
    Comment(String),
    Step { step: Step, given: String, expected: Vec<String> },
}

/// Something that happens in a transcript.
pub enum Step {
    /// Stanzas come in, as one batch.
    Sent { line: usize, stanzas: Vec<String> },
    /// A directive.
    Told { line: usize, words: String },
}

impl Script {
    pub fn read(path: &Path) -> Script {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Script::parse(path, text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Where it is no transcript.
    pub fn parse(path: &Path, text: String) -> Result<Script, Unplayable> {
        let mut parts: Vec<Part> = Vec::new();
        let mut open = false;
        for (number, line) in text.lines().enumerate() {
            let wrong = |why: &str| Unplayable(format!("{}:{}: {why}", path.display(), number + 1));
            if let Some(answer) = line.strip_prefix('>') {
                match parts.last_mut() {
                    Some(Part::Step { expected, .. }) => expected.push(format!(">{answer}")),
                    _ => return Err(wrong("an answer to nothing")),
                }
                open = false;
            } else if let Some(words) = line.strip_prefix("--! ") {
                let step = Step::Told { line: number + 1, words: words.trim().to_owned() };
                parts.push(Part::Step { step, given: format!("{line}\n"), expected: Vec::new() });
                open = false;
            } else if line.starts_with("--!") {
                return Err(wrong("a directive begins with '--! '"));
            } else if line.starts_with("--") || line.trim().is_empty() {
                parts.push(Part::Comment(line.to_owned()));
                open = false;
            } else {
                if !open {
                    let step = Step::Sent { line: number + 1, stanzas: Vec::new() };
                    parts.push(Part::Step { step, given: String::new(), expected: Vec::new() });
                    open = true;
                }
                if let Some(Part::Step { step: Step::Sent { stanzas, .. }, given, .. }) = parts.last_mut() {
                    given.push_str(line);
                    given.push('\n');
                    add_line(stanzas, line);
                }
            }
        }
        Ok(Script { path: path.to_owned(), text, parts })
    }

    /// The whole file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What happens, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.parts.iter().filter_map(|part| match part {
            Part::Step { step, .. } => Some(step),
            Part::Comment(_) => None,
        })
    }

    /// The settings that the file settles, also by what it comes after.
    ///
    /// # Errors
    /// Where there is nothing of the name that it comes after.
    pub fn settings(&self) -> Result<Vec<(String, String)>, Unplayable> {
        let mut settings = Vec::new();
        for step in self.steps() {
            let Step::Told { words, .. } = step else { continue };
            match words.split_once(' ') {
                Some(("set", rest)) => {
                    let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    settings.push((name.to_owned(), value.to_owned()));
                }
                Some(("after", other)) => settings.extend(setup(other)?.settings()?),
                _ => {}
            }
        }
        Ok(settings)
    }

    /// File and line of a step, for reports.
    pub fn place(&self, step: &Step) -> String {
        let (Step::Sent { line, .. } | Step::Told { line, .. }) = step;
        let path = self.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&self.path);
        format!("{}:{line}", path.display())
    }

    /// Writes the answers into the file.
    pub fn update(&self, outcome: &Outcome) {
        let text = self.with_answers(outcome);
        if text != self.text {
            std::fs::write(&self.path, text).expect("the transcript can be written");
        }
    }

    /// What differs from the file, where something does.
    pub fn compare(&self, outcome: &Outcome) -> Option<String> {
        let steps = self.parts.iter().filter_map(|part| match part {
            Part::Step { step, expected, .. } => Some((step, expected)),
            Part::Comment(_) => None,
        });
        let reports: Vec<String> = steps
            .zip(&outcome.steps)
            .enumerate()
            .filter(|(_, ((step, expected), answered))| **expected != written(step, &answered.lines()))
            .map(|(n, ((step, expected), answered))| self.report(n, expected, &written(step, &answered.lines())))
            .collect();
        (!reports.is_empty()).then(|| reports.join("\n"))
    }

    /// A report of one step that differs.
    pub fn report(&self, step: usize, expected: &[String], found: &[String]) -> String {
        let place = self.steps().nth(step).map(|step| self.place(step)).unwrap_or_default();
        format!("{place}\n{}", difference(expected, found))
    }

    fn with_answers(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        let mut answers = outcome.steps.iter();
        for part in &self.parts {
            match part {
                Part::Comment(line) => {
                    text.push_str(line);
                    text.push('\n');
                }
                Part::Step { step, given, .. } => {
                    text.push_str(given);
                    let answered = answers.next().map(|answered| answered.lines()).unwrap_or_default();
                    for line in written(step, &answered) {
                        text.push_str(&line);
                        text.push('\n');
                    }
                }
            }
        }
        text
    }
}

/// The answers of a step as its file holds them.
fn written(step: &Step, lines: &[String]) -> Vec<String> {
    match step {
        Step::Sent { .. } if lines.is_empty() => vec![SENT_NOTHING.to_owned()],
        _ => lines.to_vec(),
    }
}

/// A stanza begins where a line begins with a start tag.
fn add_line(stanzas: &mut Vec<String>, line: &str) {
    let begins = line.starts_with('<') && !line.starts_with("</");
    match stanzas.last_mut() {
        Some(stanza) if !begins => {
            stanza.push('\n');
            stanza.push_str(line);
        }
        _ => stanzas.push(line.to_owned()),
    }
}
