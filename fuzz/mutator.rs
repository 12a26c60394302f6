//! Changes that leave most of a text as it was: lines come, go and change places, and what stands in quotes or between
//! tags is put elsewhere. Half of the time bytes are changed blindly instead.

use libfuzzer_sys::fuzzer_mutate;

/// What is worth trying in any place.
const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "18446744073709551615",
    "9999999999999999999999",
    "true",
    "\u{1F600}",
    "&#x10FFFF;",
    "&amp;&lt;",
    "a\u{202E}b",
    "{coven:1}",
    "{coven:2}",
    "{coven:hag66}",
    "{coven:hecate}",
    "{weekend:1}",
    "{weekend:2}",
    "{weekend:cat}",
    "{channel-1:1}",
    "{id-1}",
    "{id-2}",
    "get",
    "set",
    "result",
    "error",
    "groupchat",
    "unavailable",
    "coven@mix.shakespeare.example",
    "weekend@mix.shakespeare.example",
    "{channel-1}@mix.shakespeare.example",
    "cat@shakespeare.example/pda",
    "mix.shakespeare.example",
    "hag66@shakespeare.example",
    "hag66@shakespeare.example/UUID-a1j/7533",
    "hecate@shakespeare.example/UUID-c8y/1573",
    "shakespeare.example",
    "urn:xmpp:mix:core:1",
    "2026-11-23T10:00:01Z",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
];
/// Lines that change what the next ones meet.
const LINES: &[&str] = &[
    "",
    "--! restart",
    "--! crash 1",
    "--! link down",
    "--! link up",
    "--! refuse the next commit",
    "--! pass 1 s",
    "--! pass 400 days",
    "--! after setup/coven",
    "--! after setup/weekend",
    "--! after setup/archive",
    "--! after setup/delegated",
];

struct Dice(u64);

impl Dice {
    /// A number below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// As libFuzzer asks for it: changes `input[..size]` within `max_size`, and tells its size.
pub fn mutate(input: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed) << 32 | 0x9E37_79B9);
    let text = std::str::from_utf8(&input[..size]).ok().filter(|text| !text.is_empty());
    let changed = match text {
        Some(text) if dice.below(2) == 0 => {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for _ in 0..=dice.below(3) {
                change(&mut lines, &mut dice);
            }
            lines.join("\n").into_bytes()
        }
        _ => return fuzzer_mutate(input, size, max_size),
    };
    if changed.len() > max_size {
        return fuzzer_mutate(input, size, max_size);
    }
    input[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

fn change(lines: &mut Vec<String>, dice: &mut Dice) {
    if lines.is_empty() {
        lines.push(String::new());
    }
    let (here, there) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(8) {
        0 => drop(lines.remove(here)),
        1 => lines.insert(here, LINES[dice.below(LINES.len())].to_owned()),
        2 => lines.swap(here, there),
        3 => {
            let line = lines[there].clone();
            lines.insert(here, line);
        }
        4 => {
            // A whole paragraph, which is a step.
            let from = lines[..there].iter().rposition(|line| line.is_empty()).map_or(0, |at| at + 1);
            let to = lines[there..].iter().position(|line| line.is_empty()).map_or(lines.len(), |at| there + at);
            let mut step = lines[from..to].to_vec();
            step.push(String::new());
            let at = lines[..here].iter().rposition(|line| line.is_empty()).map_or(0, |at| at + 1);
            lines.splice(at..at, step);
        }
        _ => {
            let value = match dice.below(3) {
                0 => VALUES[dice.below(VALUES.len())].to_owned(),
                1 => "x".repeat(1 << dice.below(14)),
                _ => places(&lines[there]).first().map(|&(from, to)| lines[there][from..to].to_owned()).unwrap_or_default(),
            };
            let places = places(&lines[here]);
            if !places.is_empty() {
                let (from, to) = places[dice.below(places.len())];
                lines[here].replace_range(from..to, &value);
            }
        }
    }
}

/// Where a line holds a value: in quotes, between tags, or the name of a tag.
fn places(line: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut quote: Option<(char, usize)> = None;
    let mut text: Option<usize> = None;
    for (at, c) in line.char_indices() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some((c, at + 1)),
            (_, Some((open, from))) if c == open => {
                places.push((from, at));
                quote = None;
            }
            ('>', None) => text = Some(at + 1),
            ('<', None) => places.extend(text.take().map(|from| (from, at))),
            _ => {}
        }
    }
    places
}
