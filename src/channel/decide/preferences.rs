//! XEP-0404 §3.1: preferences of participants, and what happens to participants when the channel's settings contradict
//! them.

use super::Outcome;
use super::draft::Draft;
use crate::channel::crowd::{WANTS_QUIET, unbearable};
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, Limits, Member, Nick, Preferences, PreferencesPatch,
    Refusal, Settings,
};
use rand::Rng;

impl Channel {
    pub(super) fn read_preferences(&self, actor: &Actor, limits: &Limits) -> Outcome {
        let seated = self.seat(actor, Action::Attend, limits)?;
        Ok(Decision::answer(Answer::PreferencesForm(seated.preferences)))
    }

    pub(super) fn set_preferences(&self, actor: &Actor, patch: PreferencesPatch, limits: &Limits) -> Outcome {
        let seated = self.seat(actor, Action::Attend, limits)?;
        let preferences = seated.preferences.patched(patch);
        self.check_preferences(preferences)?;
        let changes = self.preferred(seated, &Member { preferences, ..seated.clone() });
        Ok(Decision::of(changes.into_iter().collect(), Answer::Preferences(preferences)))
    }

    /// The change that a participant's new preferences make.
    pub(super) fn preferred(&self, past: &Member, next: &Member) -> Option<Change> {
        let visibility = self.settings().visibility;
        let shows_else = past.shown_jid(visibility) != next.shown_jid(visibility);
        let change = if shows_else { Change::Renamed } else { Change::Noted };
        (past.preferences != next.preferences).then(|| change(next.clone()))
    }

    /// Refuses preferences that contradict the channel's settings.
    pub(super) fn check_preferences(&self, wanted: Preferences) -> Result<(), Refusal> {
        if wanted.hides_presence && self.settings().presence_required {
            return Err(Refusal::NotAllowed("everybody in this channel shares its presence with it"));
        }
        match wanted.jid.allows(self.settings().visibility) {
            true => Ok(()),
            false if self.settings().shows_jids() => {
                Err(Refusal::NotAllowed("this channel shows the JIDs of everybody"))
            }
            false => Err(Refusal::NotAllowed("this channel shows the JIDs of nobody")),
        }
    }

    /// A nick for somebody who stated none, where one derived from the account would tell who it is. `None` elsewhere.
    pub(super) fn neutral_nick(&self, context: &mut Context<'_>) -> Option<Nick> {
        if self.settings().shows_jids() {
            return None;
        }
        Nick::new(&format!("guest-{:06x}", context.dice.random::<u32>() & 0xFF_FFFF))
    }
}

impl Draft<'_> {
    /// Takes these settings, once everybody is out who did not agree to them. Returns whether it took them.
    pub fn take_settings(&mut self, settings: Settings) -> bool {
        self.settle_preferences(&settings);
        if self.is_part {
            return false;
        }
        self.changes.push(Change::Configured(settings));
        // An owner may be among those who were removed.
        self.channel.settle_roles(self);
        !self.is_part
    }

    /// XEP-0404 §2.2: removes those whose preferences do not allow the next settings. XEP-0406 §2.4: removes those who
    /// do not share their presence where it becomes required. They leave before the settings are changed, so that
    /// leaving shows nobody's JID.
    fn settle_preferences(&mut self, next: &Settings) {
        let past = self.channel.settings();
        if next.visibility == past.visibility && next.presence_required == past.presence_required {
            return;
        }
        let quiet = if next.presence_required { WANTS_QUIET } else { 0 };
        for wanted in [unbearable(next.visibility), quiet] {
            for member in self.some_people(wanted) {
                self.channel.take_out(self, None, &member.jid);
            }
            if self.is_part {
                return;
            }
        }
    }
}
