//! `docs/xeps.md` and `doap.xml` say what is spoken, and are written from one table, `docs/specifications.toml`.
//!
//! `UPDATE=1 cargo test --test specifications` writes them anew.

use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    specification: Vec<Specification>,
    example: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Specification {
    name: String,
    title: String,
    version: Option<String>,
    served: Option<String>,
    open: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    of: String,
    number: usize,
    title: String,
    transcript: Option<String>,
    reason: Option<String>,
}

/// How many examples each specification has of which all are shown: those of MIX, and of rooms.
const EXAMPLES: [(&str, usize); 19] = [
    ("XEP-0045", 225),
    ("XEP-0249", 4),
    ("XEP-0369", 33),
    ("XEP-0403", 11),
    ("XEP-0404", 7),
    ("XEP-0405", 19),
    ("XEP-0406", 10),
    ("XEP-0407", 11),
    ("XEP-0410", 5),
    ("XEP-0421", 7),
    ("XEP-0424", 7),
    ("XEP-0425", 8),
    ("XEP-0433", 11),
    ("XEP-0437", 2),
    ("XEP-0452", 3),
    ("XEP-0463", 8),
    ("XEP-0486", 16),
    ("XEP-0500", 5),
    ("XEP-0502", 2),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Table {
    let file = root().join("docs/specifications.toml");
    Figment::from(Toml::file_exact(file)).extract().unwrap_or_else(|error| panic!("docs/specifications.toml: {error}"))
}

/// Compares a file with what it should hold, or writes it.
fn settle(name: &str, text: &str) {
    let path = root().join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).find(|(found, wanted)| found != wanted);
    assert!(found == text, "{name} is not what docs/specifications.toml says: {differs:?}");
}

/// Whether there is such a transcript.
fn exists(transcript: &str) -> bool {
    root().join(format!("tests/transcripts/{transcript}.xmpp")).is_file()
}

#[test]
fn every_example_is_shown_or_has_a_reason() {
    let mut numbers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for example in table().example {
        let Example { of, number, title, transcript, reason } = example;
        match (&transcript, &reason) {
            (Some(transcript), None) => {
                assert!(exists(transcript), "{of}, example {number} ({title}): there is no transcript {transcript}");
            }
            (None, Some(_)) => {}
            _ => panic!("{of}, example {number} ({title}): either a transcript or a reason"),
        }
        numbers.entry(of).or_default().push(number);
    }
    for (of, count) in EXAMPLES {
        assert_eq!(numbers.remove(of).unwrap_or_default(), (1..=count).collect::<Vec<_>>(), "the examples of {of}");
    }
    assert!(numbers.is_empty(), "{numbers:?}");
}

#[test]
fn what_is_spoken_is_told_to_people() {
    let table = table();
    let mut text = String::from(
        "<!-- Written from docs/specifications.toml by `UPDATE=1 cargo test --test specifications`. -->\n\
         # What is spoken\n\n\
         One row a specification. *Served* is what works, each with transcripts in `tests/transcripts/`; a dash stands for \
         nothing.\n\n\
         | Specification | Title | Version | Served | Not yet |\n|---|---|---|---|---|\n",
    );
    for it in &table.specification {
        let Specification { name, title, version, served, open } = it;
        let version = match version.as_deref().unwrap_or_default() {
            urn if urn.starts_with("urn:") => format!("`{urn}`"),
            version => version.to_owned(),
        };
        let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        writeln!(text, "| {name} | {title} | {version} | {} | {} |", cell(served), cell(open)).unwrap();
    }
    text.push_str(
        "\n## The examples of the MIX specifications, and of rooms\n\n\
         Which transcript shows each example, or why none does. Addresses and ids differ; what is settled where the \
         specifications contradict themselves or one another is said in the transcript.\n\n\
         | Example | Title | Transcript |\n|---|---|---|\n",
    );
    for Example { of, number, title, transcript, reason } in &table.example {
        let shown = match transcript {
            Some(name) => format!("[{name}](../tests/transcripts/{name}.xmpp)"),
            None => format!("none: {}", reason.as_deref().unwrap_or_default()),
        };
        writeln!(text, "| {of} {number} | {title} | {shown} |").unwrap();
    }
    settle("docs/xeps.md", &text);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('`', "")
}

#[test]
fn what_is_spoken_is_told_to_programs() {
    let mut text = String::from(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'\n\
         \x20        xmlns='http://usefulinc.com/ns/doap#'\n\
         \x20        xmlns:xmpp='https://linkmauve.fr/ns/xmpp-doap#'>\n\
         <Project>\n  <name>mixd</name>\n",
    );
    writeln!(text, "  <shortdesc xml:lang='en'>{}</shortdesc>", escaped(env!("CARGO_PKG_DESCRIPTION"))).unwrap();
    text.push_str(
        "  <programming-language>Rust</programming-language>\n  <os>Linux</os>\n\
         \x20 <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-jabber'/>\n\
         \x20 <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-component'/>\n",
    );
    let specifications = table().specification;
    for it in &specifications {
        if let Some(number) = it.name.strip_prefix("RFC ") {
            writeln!(text, "  <implements rdf:resource='https://xmpp.org/rfcs/rfc{number}.html'/>").unwrap();
        }
    }
    for it in &specifications {
        let Some(number) = it.name.strip_prefix("XEP-") else { continue };
        let status = match (&it.served, &it.open) {
            (Some(_), None) => "complete",
            (Some(_), Some(_)) => "partial",
            (None, _) => "planned",
        };
        let version = it.version.as_deref().unwrap_or_else(|| panic!("{} has no version", it.name));
        writeln!(
            text,
            "  <implements>\n    <xmpp:SupportedXep>\n      \
             <xmpp:xep rdf:resource='https://xmpp.org/extensions/xep-{number}.html'/>\n      \
             <xmpp:status>{status}</xmpp:status>\n      <xmpp:version>{version}</xmpp:version>"
        )
        .unwrap();
        if it.served.is_some() {
            writeln!(text, "      <xmpp:since>{}</xmpp:since>", env!("CARGO_PKG_VERSION")).unwrap();
        }
        let note = it.open.as_deref().filter(|_| it.served.is_some()).map(|open| format!("Not yet: {open}"));
        if let Some(note) = note {
            writeln!(text, "      <xmpp:note xml:lang='en'>{}</xmpp:note>", escaped(&note)).unwrap();
        }
        text.push_str("    </xmpp:SupportedXep>\n  </implements>\n");
    }
    text.push_str("</Project>\n</rdf:RDF>\n");
    let read: minidom::Element = text.parse().expect("it is XML");
    assert_eq!(read.name(), "RDF");
    settle("doap.xml", &text);
}
