//! What transcripts show, played in a channel that hides JIDs: whoever does not administer it is told nobody's.

use super::script::{Script, Step};
use super::world::{Memory, World};
use super::{play, setup};
use std::collections::BTreeSet;

pub const HIDE: &str = "<iq type='set' from='hag66@shakespeare.example/hide' to='coven@mix.shakespeare.example' id='hide'>\
    <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:mix:nodes:config'><item>\
    <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mix:admin:0</value></field>\
    <field var='JID Visibility'><value>jid-hidden</value></field></x></item></publish></pubsub></iq>";
const COMPONENT: &str = "mix.shakespeare.example";

/// What was looked at, and what somebody was told that it should not have been.
#[derive(Default)]
pub struct Looked {
    pub stanzas: usize,
    pub leaks: Vec<String>,
}

/// Plays what comes after the usual setups once the channel hides JIDs. Where a step cannot be played then, since it names
/// what did not come about, the rest goes on without it.
pub fn look(script: &Script, looked: &mut Looked) {
    let after = script.steps().find_map(|step| match step {
        Step::Told { words, .. } => words.strip_prefix("after setup/"),
        Step::Sent { .. } => None,
    });
    let Some(name @ ("coven" | "archive" | "hidden")) = after else { return };
    let mut world = World::new(script, Memory::Kept).unwrap_or_else(|error| panic!("{error}"));
    let before = setup(&format!("setup/{name}")).unwrap_or_else(|error| panic!("{error}"));
    for step in before.steps() {
        play(&mut world, &before, step).unwrap_or_else(|error| panic!("{error}"));
    }
    world.send(&[HIDE.to_owned()], "hiding").unwrap_or_else(|error| panic!("{error}"));
    // Whom a channel is about to be shown to is settled as of the step before.
    let mut known: BTreeSet<String> =
        ["hag66", "hecate", "cat"].map(|name| format!("{name}@shakespeare.example")).into();
    let mut said: Vec<&String> = Vec::new();
    for step in script.steps() {
        if matches!(step, Step::Told { words, .. } if words.starts_with("after ")) {
            continue;
        }
        let mut trusted = world.administrators("coven");
        let Ok(answered) = play(&mut world, script, step) else { continue };
        trusted.extend(world.administrators("coven"));
        if !world.hides("coven") {
            return;
        }
        let sent = sent(step);
        known.extend(senders(sent));
        said.extend(sent);
        for (to, stanzas) in answered.by_recipient() {
            let account = to.split('/').next().unwrap_or(to);
            if trusted.contains(account) || !account.contains('@') {
                continue;
            }
            for lines in stanzas {
                looked.stanzas += 1;
                let text = lines.join("\n");
                let rest = without_names(&text.replace(&format!("to='{to}'"), ""));
                let named = known.iter().filter(|jid| *jid != account && rest.contains(&**jid));
                // What somebody wrote into a message is what it wanted to say, and what it named itself it knew.
                let is_own = |stanza: &&&String| stanza.contains(&format!(" from='{account}"));
                let heard = || sent.iter().chain(said.iter().filter(is_own).copied());
                let mut named = named.filter(|jid| !heard().any(|stanza| quotes(stanza, jid)));
                if let Some(jid) = named.next() {
                    looked.leaks.push(format!("{}: {account} is told of {jid}\n{text}", script.place(step)));
                }
            }
        }
    }
}

/// A text without the names that stand for ids in transcripts.
fn without_names(text: &str) -> String {
    text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest)).collect()
}

fn sent(step: &Step) -> &[String] {
    match step {
        Step::Sent { stanzas, .. } => stanzas,
        Step::Told { .. } => &[],
    }
}

/// The accounts that stanzas came from.
fn senders(stanzas: &[String]) -> impl Iterator<Item = String> {
    let from = stanzas.iter().filter_map(|stanza| stanza.split(" from='").nth(1)?.split(['\'', '/']).next());
    from.filter(|jid| jid.contains('@') && !jid.ends_with(COMPONENT)).map(str::to_owned)
}

/// Whether a stanza names a JID in what it holds.
fn quotes(stanza: &str, jid: &str) -> bool {
    stanza.split_once('>').is_some_and(|(_, content)| content.contains(jid))
}
