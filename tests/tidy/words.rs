//! What a source file says: the words of its code, what its module declares, takes in and names.

use std::collections::BTreeSet;

/// What begins something that has a name of its own.
const ITEMS: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"];

/// A module as its file has it, without what only tests see.
#[derive(Default)]
pub struct Module {
    /// From the crate's folder on.
    pub file: String,
    /// The modules below it that have files of their own.
    pub children: BTreeSet<String>,
    /// Those of them that are there for tests.
    pub tests: BTreeSet<String>,
    /// What is defined in it, by name.
    pub defined: BTreeSet<String>,
    pub uses: Vec<Use>,
    /// The paths that its code names beside these, word by word.
    pub paths: BTreeSet<Vec<String>>,
}

/// One name that a module takes in.
pub struct Use {
    pub path: Vec<String>,
    /// As what; `*` stands for everything that is in `path`.
    pub name: String,
    /// Whether others see it there.
    pub is_public: bool,
}

impl Module {
    pub fn read(file: &str, text: &str) -> Module {
        let words = words(text);
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let (mut at, mut depth) = (0, 0);
        while at < words.len() {
            let word = words[at].as_str();
            match word {
                "{" => depth += 1,
                "}" => depth -= 1,
                "#" => {
                    at = module.pass_attribute(&words, at);
                    continue;
                }
                "use" if word_at(&words, at + 1) != "<" => {
                    let is_public = at > 0 && ["pub", ")"].contains(&words[at - 1].as_str());
                    let end = at + words[at..].iter().position(|word| word == ";").expect("an import ends");
                    module.take(&words[at + 1..end], &[], is_public);
                    at = end;
                }
                "mod" if word_at(&words, at + 2) == ";" => {
                    module.children.insert(words[at + 1].clone());
                    at += 2;
                }
                _ if is_name(word) => {
                    let is_item = depth == 0 && ITEMS.contains(&word);
                    at = if is_item { module.define(&words, at) } else { module.name(&words, at) };
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        module
    }

    /// Behind an attribute, and behind what stands there where that is for tests.
    fn pass_attribute(&mut self, words: &[String], at: usize) -> usize {
        let from = at + 1 + usize::from(word_at(words, at + 1) == "!");
        let mut end = from + length(&words[from..], "[", "]") + 1;
        if words[from..end].concat() != "[cfg(test)]" {
            return end;
        }
        while word_at(words, end) == "#" {
            end += 2 + length(&words[end + 1..], "[", "]");
        }
        if word_at(words, end) == "mod" && word_at(words, end + 2) == ";" {
            self.tests.insert(words[end + 1].clone());
        }
        while ![";", "{"].contains(&word_at(words, end)) {
            end += 1;
        }
        if words[end] == ";" { end + 1 } else { end + length(&words[end..], "{", "}") + 1 }
    }

    /// Takes down what is defined here; its name is passed over, what else is said of it is not.
    fn define(&mut self, words: &[String], at: usize) -> usize {
        let at = at + 1 + usize::from(word_at(words, at + 1) == "!");
        let word = word_at(words, at);
        if !is_name(word) || ITEMS.contains(&word) {
            return at;
        }
        self.defined.insert(word.to_owned());
        at + 1
    }

    /// Takes down a path that the code names; a single word only where it may be something's name.
    fn name(&mut self, words: &[String], at: usize) -> usize {
        let mut path = vec![words[at].clone()];
        let mut end = at + 1;
        while word_at(words, end) == "::" && is_name(word_at(words, end + 1)) {
            path.push(words[end + 1].clone());
            end += 2;
        }
        let is_own = at > 0 && [".", "::", "fn"].contains(&words[at - 1].as_str());
        let is_item = path.len() > 1 || words[at].starts_with(char::is_uppercase) || word_at(words, end) == "(";
        if is_item && !is_own {
            self.paths.insert(path);
        }
        end
    }

    /// Takes down the names of an import that stands behind a path.
    fn take(&mut self, words: &[String], before: &[String], is_public: bool) {
        let mut path = before.to_vec();
        let mut at = 0;
        while at < words.len() && word_at(words, at) != "as" {
            match words[at].as_str() {
                "{" => {
                    let end = at + length(&words[at..], "{", "}");
                    for part in split(&words[at + 1..end]) {
                        self.take(part, &path, is_public);
                    }
                    return;
                }
                "::" | "*" => {}
                "self" if !path.is_empty() => {}
                word => path.push(word.to_owned()),
            }
            at += 1;
        }
        let last = words.last().filter(|word| *word != "self").or(path.last());
        self.uses.extend(last.cloned().map(|name| Use { path, name, is_public }));
    }
}

fn word_at(words: &[String], at: usize) -> &str {
    words.get(at).map_or("", String::as_str)
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Where what opens at the first word is closed.
fn length(words: &[String], open: &str, close: &str) -> usize {
    let mut depth = 0_usize;
    let end = words.iter().position(|word| {
        depth = depth + usize::from(word == open) - usize::from(word == close);
        depth == 0
    });
    end.expect("what is opened is closed")
}

/// What stands between the commas that are in no braces.
fn split(words: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    let parts = words.split(|word| {
        depth += i32::from(word == "{") - i32::from(word == "}");
        depth == 0 && word == ","
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// The words and signs of a text, without comments and literals.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if is_part(first) {
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            words.push(rest[..length].to_owned());
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            words.extend((!first.is_whitespace()).then(|| rest[..length].to_owned()));
            length
        };
        rest = &rest[length..];
    }
    words
}

/// How long the literal is that a text begins with; a lifetime is as good as one.
fn literal(text: &str) -> Option<usize> {
    let bare = text.strip_prefix('b').unwrap_or(text);
    let raw = bare.strip_prefix('r').map(|raw| (raw, raw.len() - raw.trim_start_matches('#').len()));
    if let Some((raw, marks)) = raw.filter(|(raw, marks)| raw[*marks..].starts_with('"')) {
        let close = format!("\"{}", "#".repeat(marks));
        let end = raw[marks + 1..].find(&close).expect("a literal ends");
        return Some(text.len() - raw.len() + marks + 1 + end + close.len());
    }
    let before = text.len() - bare.len();
    let quote = bare.chars().next().filter(|c| ['"', '\''].contains(c))?;
    if quote == '\'' && !bare[1..].starts_with('\\') && bare.chars().nth(2) != Some('\'') {
        return Some(before + 1);
    }
    let mut is_escaped = false;
    let end = bare[1..].find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    Some(before + end.expect("a literal ends") + 2)
}
