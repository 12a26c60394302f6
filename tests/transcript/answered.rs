//! What goes out in one step of a transcript.

use std::collections::BTreeMap;

/// A request: its sender and its id.
pub type Request = (String, String);

/// What went out in one step: the recipient and the lines of each stanza.
#[derive(Default)]
pub struct Answered {
    pub stanzas: Vec<(String, Vec<String>)>,
    /// Who was answered which request.
    pub answers: Vec<Request>,
}

impl Answered {
    /// All of it, as a transcript holds it.
    pub fn lines(&self) -> Vec<String> {
        self.stanzas.iter().flat_map(|(_, lines)| lines).map(|line| format!("> {line}")).collect()
    }

    /// What each recipient received, in order.
    pub fn by_recipient(&self) -> BTreeMap<&str, Vec<&Vec<String>>> {
        let mut received: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
        for (to, lines) in &self.stanzas {
            received.entry(to).or_default().push(lines);
        }
        received
    }

    /// Who received something from a channel, in order.
    pub fn recipients(&self, channel: &str) -> Vec<&str> {
        let from = format!("from='{channel}@");
        let stanzas = self.stanzas.iter();
        let of_channel = stanzas.filter(|(_, lines)| lines.first().is_some_and(|line| line.contains(&from)));
        of_channel.map(|(to, _)| to.as_str()).collect()
    }
}
