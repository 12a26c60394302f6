//! What a hash holds comes in another order at each start, so it never orders what leaves: where one is gone through, it is
//! said why that is no matter. Clippy sees most of these places by their types (clippy.toml, `iter_over_hash_type`); here
//! are looked for, by their text, those which it does not see, and what is said at those it sees.

use super::words::Module;
use super::{Source, assert_none, holds, program_files, root, source};
use std::collections::BTreeSet;

/// What an exception is said to be, and with a comment in front of a line.
const IN_ANY_ORDER: [&str; 2] = ["\"in any order: ", "// In any order: "];
/// The same where a stanza is looked at.
const BOUNDED: &str = "\"bounded: ";
const LINTS: [&str; 2] = ["clippy::disallowed_methods", "clippy::iter_over_hash_type"];
const HASHES: [&str; 4] = ["HashMap", "HashSet", "hash_map::IntoIter", "hash_set::IntoIter"];

#[test]
fn what_goes_through_a_hash_says_why_its_order_is_no_matter() {
    let mut wrong = Vec::new();
    for file in program_files() {
        let attributes = file.program().split("#").filter(|text| {
            let text = text.trim_start_matches('!');
            text.starts_with("[allow(") || text.starts_with("[expect(")
        });
        for attribute in attributes.map(|text| text.split(")]").next().unwrap_or_default()) {
            let is_said = [IN_ANY_ORDER[0], BOUNDED].iter().any(|form| attribute.contains(form));
            if LINTS.iter().any(|lint| attribute.contains(lint)) && !is_said {
                wrong.push(format!("{}: #{attribute}", file.path));
            }
        }
        wrong.extend(unseen(&file));
    }
    assert_none(wrong, "a hash is gone through, and nothing says why its order is no matter");
}

/// Of a path that leads nowhere Clippy only warns, and then forbids nothing.
#[test]
fn what_clippy_forbids_of_this_crate_is_there() {
    let (rules, files) = (source(&root().join("clippy.toml")), program_files());
    let paths = rules.text.split("\"mixd::").skip(1).filter_map(|rest| rest.split('"').next());
    let wrong = paths.filter(|path| !is_method(path, &files)).map(str::to_owned).collect();
    assert_none(wrong, "clippy.toml forbids a method that is not there");
    for path in ["channel::Channel::nobody", "channel::Nobody::members", "nowhere::Channel::members"] {
        assert!(!is_method(path, &files), "{path}");
    }
}

/// Whether a type has a method by this path, which goes from the crate on.
fn is_method(path: &str, files: &[Source]) -> bool {
    let words: Vec<&str> = path.split("::").collect();
    let [modules @ .., of, method] = words.as_slice() else { return false };
    let module = format!("src/{}", modules.join("/"));
    let paths = [format!("{module}.rs"), format!("{module}/mod.rs")];
    let Some(file) = files.iter().find(|file| paths.contains(&file.path)) else { return false };
    let module = Module::read(&file.path, &file.text);
    let is_shown = module.uses.iter().any(|taken| taken.is_public && taken.name == *of);
    (is_shown || module.defined.contains(*of)) && files.iter().any(|file| has_method(file.program(), of, method))
}

fn has_method(text: &str, of: &str, method: &str) -> bool {
    let (name, mut is_inside) = (format!("fn {method}"), false);
    text.lines().any(|line| {
        is_inside = if line.starts_with("impl") { holds(line, of) } else { is_inside && line != "}" };
        is_inside && holds(line, &name)
    })
}

/// The places where a hash is consumed, or given to something that goes through it.
fn unseen(file: &Source) -> Vec<String> {
    let lines: Vec<&str> = file.program().lines().collect();
    let is_field = |line: &str, name: &str| {
        let line = line.trim_start();
        line.split_once(' ')
            .filter(|(word, _)| word.starts_with("pub"))
            .map_or(line, |(_, rest)| rest)
            .starts_with(name)
    };
    let of_fields = lines.iter().filter_map(|line| declared(line).filter(|name| is_field(line, name)));
    let of_fields: BTreeSet<&str> = of_fields.collect();
    let (mut wrong, mut of_function, mut said) = (Vec::new(), BTreeSet::new(), false);
    for (at, line) in lines.iter().enumerate() {
        if holds(line, "fn ") {
            of_function.clear();
            let above = lines[..at].iter().rev().take_while(|line| !line.is_empty());
            said = above.clone().any(|line| line.contains(IN_ANY_ORDER[0]));
        }
        of_function.extend(declared(line));
        let before = at.checked_sub(1).map_or("", |before| lines[before]);
        let is_said = said || before.contains(IN_ANY_ORDER[1]);
        let fields = of_fields.iter().map(|name| format!(".{name}"));
        let names = of_function.iter().map(|name: &&str| (*name).to_owned()).chain(fields);
        if !is_said && names.into_iter().any(|name| consumes(line, &name)) {
            wrong.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
        }
    }
    wrong
}

/// The name of the hash that a line declares.
fn declared(line: &str) -> Option<&str> {
    let at = HASHES.iter().filter_map(|hash| line.find(hash)).min()?;
    // A field that is given a new one is declared elsewhere.
    if line[at..].contains("::new()") && !line.contains("let ") {
        return None;
    }
    let before = line[..at].trim_end_matches("mut ").trim_end_matches(['&', ' ']).strip_suffix([':', '='])?.trim_end();
    let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    Some(name).filter(|name| !name.is_empty())
}

/// Whether a line goes through what has this name; that of a field begins with a dot.
fn consumes(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let is_whole = name.starts_with('.') || !before.ends_with(is_part);
        let given = before.trim_end_matches(|c: char| is_part(c) || c == '&');
        let is_given = [".extend(", ".chain("].iter().any(|call| given.ends_with(call)) && after.starts_with(')');
        is_whole && (is_given || after.trim_start_matches(')').starts_with(".into_iter()"))
    })
}

#[test]
fn a_hash_that_is_consumed_is_found() {
    let found = |text: &str| unseen(&Source { path: "src/a.rs".into(), text: text.into() }).len();
    let field = "struct A {\n    seen: HashSet<u64>,\n}\n\nfn all(self) -> Vec<u64> {\n";
    for line in
        ["self.seen.into_iter().collect()", "std::mem::take(&mut self.seen).into_iter()", "all.extend(&self.seen)"]
    {
        assert_eq!(found(&format!("{field}    {line}\n}}")), 1, "{line}");
        assert_eq!(found(&format!("{field}    // In any order: it is sorted.\n    {line}\n}}")), 0, "{line}");
        assert_eq!(found(&format!("{}    {line}\n}}", field.replace("HashSet", "BTreeSet"))), 0, "{line}");
    }
    assert_eq!(found("fn of(names: &HashMap<u64, u64>) {\n    other.chain(names)\n}"), 1);
    assert_eq!(found("fn of() {\n    let mut names = HashMap::new();\n    names.into_iter()\n}"), 1);
    assert_eq!(found("fn of(names: &HashMap<u64, u64>) {}\nfn b(names: &[u64]) {\n    other.chain(names)\n}"), 0);
}
