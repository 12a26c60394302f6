//! The same transcripts with the hidden facts permuted: who people are where JIDs are hidden, and whether there is a hidden
//! group. Whoever may not know them gets the same, byte for byte and in the same order.

use super::script::{Script, Step};
use super::veil::HIDE;
use super::world::{Memory, World};
use super::{play, setup};
use jid::BareJid;
use mixd::xep::Sealer;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

const HOME: &str = "@shakespeare.example";
/// Who administers the channel or the service, and may know.
const TRUSTED: [&str; 2] = ["hag66", "root"];
const SERVICE: &str = "mix.shakespeare.example";

/// What somebody got that another one, who differs in nothing that may be known, did not.
#[derive(Default)]
pub struct Differences {
    pub stanzas: usize,
    pub found: Vec<String>,
}

/// Plays a transcript of a channel that hides JIDs with two sets of people: with others the order of JIDs is the reverse.
pub fn people(script: &Script, differences: &mut Differences) {
    let Some((before, rest)) = expanded(script) else { return };
    let text = format!("{before}\n\n{HIDE}\n\n{rest}");
    let others = Others::of(&text);
    let path = Path::new("permuted");
    let scripts =
        [text.clone(), others.write(&text)].map(|text| Script::parse(path, text).expect("a transcript is one"));
    let [mut first, mut second] =
        scripts.each_ref().map(|script| World::new(script, Memory::Kept).expect("its settings are some"));
    let trusted: BTreeSet<String> = TRUSTED.iter().map(|name| format!("{name}{HOME}")).collect();
    let steps = scripts[0].steps().zip(scripts[1].steps());
    let mut is_hidden = false;
    for (step, other) in steps {
        // A step that names what did not come about is left out.
        let (played, other) = (play(&mut first, &scripts[0], step), play(&mut second, &scripts[1], other));
        let (Ok(played), Ok(other)) = (played, other) else { continue };
        let was_hidden = std::mem::replace(&mut is_hidden, first.hides("coven"));
        if !was_hidden || !is_hidden {
            continue;
        }
        let order: Vec<String> = played.recipients("coven").into_iter().map(|to| others.write(to)).collect();
        if order != other.recipients("coven") {
            let place = script.place(step);
            differences.found.push(format!("{place}: written to\n{order:?}\n--- or\n{:?}", other.recipients("coven")));
        }
        let (got, got_by_others) = (played.by_recipient(), other.by_recipient());
        for (to, stanzas) in got {
            let account = to.split('/').next().unwrap_or(to);
            if trusted.contains(account) || first.administrators("coven").contains(account) || !account.contains('@') {
                continue;
            }
            let of_coven = |lines: &&&Vec<String>| lines.first().is_some_and(|line| line.contains("from='coven@"));
            let text = |lines: &Vec<String>| lines.join("\n");
            let own: Vec<String> = stanzas.iter().filter(of_coven).map(|lines| text(lines)).collect();
            let theirs = got_by_others.get(&*others.write(to)).cloned().unwrap_or_default();
            let theirs: Vec<String> = theirs.iter().filter(of_coven).map(|lines| others.read(&text(lines))).collect();
            differences.stanzas += own.len();
            if numbered(&own) != numbered(&theirs) {
                let place = script.place(step);
                differences.found.push(format!(
                    "{place}: {to} gets\n{}\n--- or\n{}",
                    own.join("\n"),
                    theirs.join("\n")
                ));
            }
        }
    }
}

/// Has a stranger ask everything that transcripts ask of channels, of a group that it may not know of, where there is one
/// and where there is none.
pub fn group(scripts: &[Script], memory: Memory, differences: &mut Differences) {
    let weekend = setup("setup/weekend").expect("there is such a setup");
    let text = asked(weekend.text());
    let path = Path::new("permuted");
    let [there, elsewhere] = ["weekend", "outing"].map(|name| {
        let script = Script::parse(path, text.replace("weekend", name)).expect("a transcript is one");
        let mut world = World::new(&script, memory).expect("its settings are some");
        script.steps().for_each(|step| drop(play(&mut world, &script, step).expect("a setup can be played")));
        world
    });
    let (mut there, mut elsewhere) = (there, elsewhere);
    let stanzas = scripts.iter().flat_map(Script::steps).filter_map(|step| match step {
        Step::Sent { stanzas, .. } => Some(stanzas),
        Step::Told { .. } => None,
    });
    let mut seen = BTreeSet::new();
    for stanza in stanzas.flatten().filter_map(|stanza| by_stranger(stanza)) {
        if !seen.insert(stanza.clone()) {
            continue;
        }
        let asked = [with_id(&stanza, seen.len())];
        let (own, other) = (there.send(&asked, &stanza), elsewhere.send(&asked, &stanza));
        let (Ok(own), Ok(other)) = (own, other) else { continue };
        differences.stanzas += 1;
        if numbered(&own.lines()) != numbered(&other.lines()) {
            let (own, other) = (own.lines().join("\n"), other.lines().join("\n"));
            differences.found.push(format!("{stanza}\n{own}\n--- or, where there is none\n{other}"));
        }
    }
}

/// The setups of a transcript of a channel, and what comes behind.
fn expanded(script: &Script) -> Option<(String, String)> {
    let mut rest = asked(script.text());
    let mut before = String::new();
    let name = rest.lines().find_map(|line| line.strip_prefix("--! after setup/"))?.to_owned();
    if !["coven", "archive", "hidden"].contains(&&*name) {
        return None;
    }
    let mut next = Some(name);
    while let Some(name) = next {
        let earlier = setup(&format!("setup/{name}")).ok()?;
        let text = asked(earlier.text());
        next = text.lines().find_map(|line| line.strip_prefix("--! after setup/")).map(str::to_owned);
        before = format!("{text}\n\n{before}");
    }
    let no_setup = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("--! after "));
        lines.collect::<Vec<_>>().join("\n")
    };
    rest = no_setup(&rest);
    Some((no_setup(&before), rest))
}

/// What is asked, without the answers.
fn asked(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('>')).collect::<Vec<_>>().join("\n")
}

/// A stanza to a channel, as a stranger sends it to the group.
fn by_stranger(stanza: &str) -> Option<String> {
    let (head, rest) = stanza.split_once('>')?;
    let to = head.split(" to='").nth(1)?.split('\'').next()?;
    let (channel, _) = to.split_once(&format!("@{SERVICE}"))?;
    let from = head.split(" from='").nth(1)?.split('\'').next()?;
    let address = match channel.split_once('#') {
        Some(_) => format!("123456#weekend@{SERVICE}"),
        None => format!("weekend@{SERVICE}"),
    };
    let head = head.replace(&format!(" to='{to}'"), &format!(" to='{address}'"));
    let head = head.replace(&format!(" from='{from}'"), " from='stranger@far.example/desk'");
    // What a transcript names is nothing that the stranger knows.
    let mut whole = String::new();
    let text = format!("{head}>{}", rest.replace(channel, "weekend"));
    for (n, part) in text.split('{').enumerate() {
        let known = part.split_once('}').filter(|(name, _)| n > 0 && !name.starts_with("urn:"));
        match known {
            Some((_, behind)) => whole.push_str(&format!("{:032x}{behind}", 7)),
            None if n > 0 => whole.push_str(&format!("{{{part}")),
            None => whole.push_str(part),
        }
    }
    Some(whole)
}

/// A stanza with an id that no other one has.
fn with_id(stanza: &str, number: usize) -> String {
    let Some((before, rest)) = stanza.split_once(" id='") else { return stanza.to_owned() };
    let behind = rest.split_once('\'').map_or("", |(_, behind)| behind);
    match before.contains('>') {
        true => stanza.to_owned(),
        false => format!("{before} id='asked-{number}'{behind}"),
    }
}

/// Stanzas with the numbers of their names counted anew: what others got in between counts too.
fn numbered(stanzas: &[String]) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let mut one = |text: &String| {
        let mut parts = text.split('{');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, behind) = part.split_once('}').unwrap_or((part, ""));
            let is_drawn = ["id-", "uuid-", "alias-"].iter().any(|kind| name.starts_with(kind));
            let number = known.iter().position(|it| it == name).unwrap_or_else(|| {
                known.push(name.to_owned());
                known.len() - 1
            });
            match is_drawn {
                true => out.push_str(&format!("{{{number}}}{behind}")),
                false => out.push_str(&format!("{{{name}}}{behind}")),
            }
        }
        out
    };
    stanzas.iter().map(&mut one).collect()
}

/// How many names are tried for an account, to find one whose id is close behind another one.
const SPELLINGS: usize = 150;

static IDS: OnceLock<Ids> = OnceLock::new();

/// The ids of accounts in the channel of these transcripts.
struct Ids {
    sealer: Sealer,
    tag: u64,
}

impl Ids {
    fn new() -> Ids {
        let coven = setup("setup/coven").expect("there is such a setup");
        let mut world = World::new(&coven, Memory::Kept).expect("its settings are some");
        coven.steps().for_each(|step| drop(play(&mut world, &coven, step).expect("a setup can be played")));
        let (key, tag) = world.key_and_tag("coven").expect("the setup makes it");
        Ids { sealer: Sealer::new(key), tag }
    }

    fn of(&self, account: &str) -> String {
        let account = BareJid::new(account).expect("an account of a transcript");
        self.sealer.visitor(self.tag, &account, 0).to_string()
    }
}

/// The accounts that a text names.
fn accounts(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"@.-".contains(c));
    let is_one = |word: &&str| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let found = words.filter(is_one).map(str::to_lowercase).filter(|word| !word.ends_with(SERVICE));
    found.filter(|word| BareJid::new(word).is_ok()).collect()
}

/// Other names for the accounts of a text, which sort the other way round and are of other lengths.
struct Others(Vec<(String, String)>);

impl Others {
    fn of(text: &str) -> Others {
        let names: BTreeSet<String> = text
            .match_indices(HOME)
            .map(|(at, _)| {
                let is_part = |c: char| c.is_ascii_alphanumeric();
                let before = text[..at].char_indices().rev().find(|(_, c)| !is_part(*c));
                let begin = before.map_or(0, |(place, c)| place + c.len_utf8());
                text[begin..at].to_lowercase()
            })
            .filter(|name| !name.is_empty())
            .collect();
        let count = names.len();
        let places: BTreeMap<String, usize> = names.into_iter().enumerate().map(|(n, name)| (name, n)).collect();
        // Ids follow from accounts, and some lists are in the order of the ids that they show: that order stays.
        let ids = IDS.get_or_init(Ids::new);
        let mut all: Vec<(String, String)> = accounts(text).into_iter().map(|who| (ids.of(&who), who)).collect();
        all.sort();
        let (mut names, mut last) = (Vec::new(), String::new());
        for (id, who) in all {
            let Some((name, place)) = who.strip_suffix(HOME).and_then(|name| places.get_key_value(name)) else {
                last = id.max(last);
                continue;
            };
            let spelling = |n: usize| {
                let more: String =
                    [n / 676 % 26, n / 26 % 26, n % 26].map(|it| (b'a' + it as u8) as char).iter().collect();
                format!("q{:03}x{}{more}{name}", count - place, "y".repeat(place % 5))
            };
            let found = (0..SPELLINGS).map(spelling).map(|name| (ids.of(&format!("{name}{HOME}")), name));
            let (id, other) = found.filter(|(id, _)| *id > last).min().expect("there are many spellings");
            names.push((name.clone(), other));
            last = id;
        }
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Others(names)
    }

    /// With the other names, in whatever case.
    fn write(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let capital = |name: &str| name[..1].to_uppercase() + &name[1..];
        let capitals = self.0.iter().map(|(name, other)| (capital(name), capital(other)));
        for (name, other) in self.0.iter().cloned().chain(capitals) {
            for before in ["'", ">", ":", " ", "/", ",", "~", "{"] {
                for behind in [HOME, "}"] {
                    if behind == "}" && before != ":" {
                        continue;
                    }
                    text = text.replace(&format!("{before}{name}{behind}"), &format!("{before}{other}{behind}"));
                }
            }
            if text.starts_with(&format!("{name}{HOME}")) {
                text = format!("{other}{}", &text[name.len()..]);
            }
        }
        text
    }

    /// With the names as they were.
    fn read(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, other)| text.replace(&**other, name))
    }
}
