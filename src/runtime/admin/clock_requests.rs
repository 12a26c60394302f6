//! Requests of the operator about the clock.

use super::{AdminReply, Door};
use crate::engine::Doubt;
use crate::engine::Inbound;
use crate::runtime::timepiece::notes;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is looked whether a turn took the confirmation, and how many times.
const PAUSE: Duration = Duration::from_millis(20);
const LOOKS_MAX: usize = 500;

impl Door {
    /// How the clock stands, and what waits because it is not believed.
    pub(super) fn show_clock(&self) -> AdminReply {
        let dial = self.metrics.health.time.dial();
        AdminReply::Clock { clock: dial.wall.to_xmpp(), notes: notes(&dial) }
    }

    /// Has the engine believe the clock.
    pub(super) async fn confirm_clock(&self) -> AdminReply {
        if self.metrics.health.time.dial().doubt == Some(Doubt::Unset) {
            let why =
                "it says a time from before this program was made: set it, and mixd goes by it at once".to_owned();
            return AdminReply::Failed { why };
        }
        tracing::info!("the operator says that the clock is right");
        self.turns.inbox.push_beyond(Inbound::ClockConfirmed);
        for _ in 0..LOOKS_MAX {
            sleep(PAUSE).await;
            let dial = self.metrics.health.time.dial();
            if dial.doubt.is_none() && !dial.held {
                return self.show_clock();
            }
        }
        AdminReply::Failed { why: "the service does not get on: see its log".to_owned() }
    }
}
