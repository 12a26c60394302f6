//! What docs/prosody.md and docs/ejabberd.md tell an operator to write is written so, and works.
//!
//! The blocks of those pages that a comment marks as tested are added word for word to a host server that knows
//! nothing of mixd. Only ports and folders are changed.

#[path = "live/hosts.rs"]
#[allow(dead_code)]
mod hosts;
#[path = "live/scenario.rs"]
mod scenario;

use hosts::{Host, HostKind, Mixd, Setup, checkout, free_port};
use scenario::{TERMINATE_MAX, play};
use std::fs;
use std::path::{Path, PathBuf};

const MIXD: &str = env!("CARGO_BIN_EXE_mixd");
const PORT: &str = "5347";
const LOGGED: &str = "what the log of mixd says";

/// A page of docs/.
struct Page {
    name: &'static str,
    text: String,
}

impl Page {
    fn read(name: &'static str) -> Page {
        Page { name, text: fs::read_to_string(checkout(name)).expect("a page") }
    }

    /// The block behind the comment with that name.
    fn block(&self, name: &str) -> &str {
        let comment = format!("<!-- tested: {name} -->\n");
        let (_, after) = self.text.split_once(&comment).unwrap_or_else(|| panic!("{}: no block {name}", self.name));
        let (_, after) = after.split_once("```").expect("a block");
        let (_, block) = after.split_once('\n').expect("a block");
        block.split_once("```").expect("the end of a block").0
    }

    /// The messages in the first column of the table on mixd's log.
    fn messages(&self) -> impl Iterator<Item = &str> {
        let table = self.text.lines().skip_while(|line| !line.contains(LOGGED)).skip(2);
        let cells = table.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2))
    }
}

#[test]
fn prosody_as_documented_works() {
    let page = Page::read("docs/prosody.md");
    let folder = tempfile::tempdir().expect("a folder");
    let config = base("prosody.cfg.lua", folder.path());
    fs::create_dir(folder.path().join("conf.d")).expect("a folder");
    fs::write(folder.path().join("conf.d/mixd.cfg.lua"), page.block("conf.d/mixd.cfg.lua")).expect("written");
    works(&page, HostKind::Prosody, config, free_port(), "two_people_talk", Some("mixd.log"));
}

#[test]
fn prosody_with_mod_mixd_as_documented_works() {
    let page = Page::read("prosody/README.md");
    let folder = tempfile::tempdir().expect("a folder");
    let config = base("prosody.cfg.lua", folder.path());
    let text = fs::read_to_string(&config).expect("the base");
    let plugins = format!("plugin_paths = {{ {:?} }}\n", checkout("prosody").display().to_string());
    fs::write(&config, plugins + &text).expect("written");
    fs::create_dir(folder.path().join("conf.d")).expect("a folder");
    let added = unindented(page.block("mod_mixd/mixd.cfg.lua"));
    fs::write(folder.path().join("conf.d/mixd.cfg.lua"), added).expect("written");
    let page = Page { text: page.text + &Page::read("docs/prosody.md").text, ..page };
    let log = Some("mod_mixd/mixd.log");
    works(&page, HostKind::ProsodyMixd, config, free_port(), "two_people_talk", log);
}

#[test]
fn ejabberd_as_documented_with_delegation_works() {
    ejabberd_works(HostKind::Ejabberd, "delegation/mixd.yml", "two_people_talk", Some("mixd.log"));
}

#[test]
fn ejabberd_as_documented_with_mod_mix_pam_works() {
    ejabberd_works(HostKind::EjabberdMixPam, "mod_mix_pam/mixd.yml", "mod_mix_pam_of_ejabberd_works", None);
}

fn ejabberd_works(kind: HostKind, block: &str, scenario: &str, log: Option<&str>) {
    let page = Page::read("docs/ejabberd.md");
    let folder = tempfile::tempdir().expect("a folder");
    let config = base("ejabberd.yml", folder.path());
    let port = free_port();
    let added = replaced(page.block(block), PORT, &port.to_string());
    fs::write(folder.path().join("mixd.yml"), added).expect("written");
    let text = fs::read_to_string(&config).expect("the base");
    let text = replaced(&text, "  mod_disco: {}\n", page.block("mod_disco"));
    let include = replaced(page.block("include_config_file"), "/etc/ejabberd", &folder.path().display().to_string());
    fs::write(&config, text + &include).expect("written");
    works(&page, kind, config, port, scenario, log);
}

/// Starts both as documented, plays a scenario, and looks for the documented lines in mixd's log.
fn works(page: &Page, kind: HostKind, config: PathBuf, component_port: u16, scenario: &str, log: Option<&str>) {
    let (config, domain, service) = (Some(config), "example.org", "mix.example.org");
    let setup = Setup { kind, config, domain, service, component_port, debian: None, accounts: Vec::new() };
    let mut host = Host::start_as(setup);
    let mut mixd = Mixd::launch_with(Path::new(MIXD), page.block("mixd.toml"), component_port);
    mixd.wait_for_links(1);
    play(scenario, &mut host, &mut mixd);
    for line in log.map(|log| page.block(log)).unwrap_or_default().lines() {
        let line = line.trim().replace(PORT, &component_port.to_string());
        mixd.wait_for_log(&format!("the documented line {line}"), |logged| logged.contains(&line));
    }
    assert!(mixd.terminate(TERMINATE_MAX).success(), "mixd failed:\n{}", mixd.log_tail());
}

/// Puts a host server's file without mixd into a folder.
fn base(name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(name);
    fs::copy(checkout("tests/live/documented").join(name), &path).expect("a copy");
    path
}

/// A block of a list, as it is to be written.
fn unindented(block: &str) -> String {
    block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line).to_owned() + "\n").collect()
}

fn replaced(text: &str, what: &str, with: &str) -> String {
    assert_eq!(text.matches(what).count(), 1, "not exactly one {what} in:\n{text}");
    text.replace(what, with)
}

#[test]
fn the_messages_that_are_explained_are_those_of_the_program() {
    let mut program = String::new();
    read_all(&checkout("src"), &mut program);
    for page in ["docs/prosody.md", "docs/ejabberd.md"].map(Page::read) {
        assert!(page.messages().count() > 10, "{}: no table on the log of mixd", page.name);
        // What follows a colon or an equals sign comes from elsewhere; "…" stands for anything.
        let parts = page.messages().flat_map(|message| message.split('…'));
        for part in parts.filter_map(|part| part.split([':', '=']).next()).map(str::trim) {
            assert!(program.contains(part), "{}: no message of mixd holds {part:?}", page.name);
        }
    }
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => read_all(&path, text),
            false => text.push_str(&fs::read_to_string(&path).expect("a file")),
        }
    }
}
