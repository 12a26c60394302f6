//! XEP-0369 §7.1.6: messages: which become rows, which are passed on and not archived, and which are receipts.

use super::Outcome;
use super::draft::Draft;
use crate::channel::change::Relay;
use crate::channel::limits::check;
use crate::channel::room::TOPIC_BYTES_MAX;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, Member, Message, Progress, ReceiptPolicy, Refusal, Row,
    RowKind, Standing, Topic,
};

impl Channel {
    pub(super) fn publish(&self, actor: &Actor, message: Message, context: &mut Context<'_>) -> Outcome {
        let author = self.speaker(actor, Action::Send, context.live.seats, context.limits)?;
        check_lengths(&message, context)?;
        check_features(&message, context)?;
        self.check_pace(actor, author, &message, context)?;
        if !message.archived {
            self.check_correction(author, &message, context)?;
            return self.pass_on(actor, author, message, context);
        }
        let repeated = message.origin_id.as_deref().and_then(|id| self.recent.find(&author.id, id));
        // Some clients use an id for two messages, so a repeat has the same bodies and files. For encrypted messages,
        // which differ each time, the id is enough, if both are encrypted.
        let says_else = |row: u64| message.gist.zip((context.gist_of)(row)).is_some_and(|(this, that)| this != that);
        if let Some(row) = repeated.filter(|&row| !says_else(row)) {
            return Ok(Decision::answer(Answer::Repeat { row }));
        }
        if message.retracts {
            return self.retract_by_message(actor, author, message, context);
        }
        self.check_correction(author, &message, context)?;
        let topic = message.topic.clone().map(|text| self.topic(actor, author, text, context)).transpose()?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        let row = self.row_of(&draft, author, message, context);
        draft.row(row);
        draft.trace(author);
        draft.changes.extend(topic.map(Change::TopicSet));
        draft.finish(Answer::Taken)
    }

    /// XEP-0500 §5: between two messages people wait for as long as the room says, but for those who administer it.
    fn check_pace(
        &self,
        actor: &Actor,
        author: &Member,
        message: &Message,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let is_exempt = self.standing_of(&actor.account) != Standing::Member || !(message.counted || message.says);
        let Some(every_s) = self.settings().room.slow_mode_s.filter(|_| !is_exempt) else { return Ok(()) };
        match self.slow.waits_s(&author.id, context.live.now, every_s) {
            Some(wait_s) => Err(Refusal::SlowMode { every_s, wait_s }),
            None => Ok(()),
        }
    }

    /// XEP-0045 §8.1: what the room is about from here on, where `actor` may say that.
    fn topic(&self, actor: &Actor, author: &Member, text: String, context: &Context<'_>) -> Result<Topic, Refusal> {
        self.speaker(actor, Action::Subject, context.live.seats, context.limits)?;
        if text.len() > TOPIC_BYTES_MAX {
            return Err(Refusal::TooLong { what: "the subject", max: TOPIC_BYTES_MAX });
        }
        let (nick, author) = (author.nick.as_str().to_owned(), author.id.clone());
        Ok(Topic { text, nick, author, stamp: context.live.now })
    }

    /// The row of a message.
    pub(super) fn row_of(&self, draft: &Draft<'_>, author: &Member, message: Message, context: &Context<'_>) -> Row {
        let corrected =
            message.target.filter(|_| message.corrects).and_then(|row| self.corrected(author, row, context));
        let named = message.target.filter(|&target| target <= self.head().row);
        Row {
            ordinal: draft.head.ordinal + u64::from(message.counted),
            counted: message.counted,
            kind: if message.retracts { RowKind::Retraction } else { RowKind::Message },
            media: message.media,
            corrects: corrected.is_some(),
            target: corrected.or(named),
            stanza_id: message.stanza_id,
            origin_id: message.origin_id,
            lang: message.lang,
            payload: message.payload,
            ..draft.blank_row(author.id.clone(), author.nick.as_str().to_owned())
        }
    }

    /// XEP-0308 §4: only the author may correct a message, and only while it is not retracted.
    fn check_correction(&self, author: &Member, message: &Message, context: &Context<'_>) -> Result<(), Refusal> {
        let target = message.target.filter(|_| message.corrects);
        if target.is_some_and(|row| self.tail.is_retracted(row)) {
            return Err(Refusal::NotAllowed("the message was retracted"));
        }
        let Some(facts) = target.and_then(|row| context.facts.get(&row)) else { return Ok(()) };
        match facts.row.kind {
            _ if facts.row.author != author.id => Err(Refusal::Forbidden("only its author may correct a message")),
            _ if facts.entombed => Err(Refusal::NotAllowed("the message was retracted")),
            RowKind::Message => Ok(()),
            _ => Err(Refusal::NotAllowed("only messages can be corrected")),
        }
    }

    /// The message that a correction of a row corrects. A correction of a correction corrects the first message.
    fn corrected(&self, author: &Member, row: u64, context: &Context<'_>) -> Option<u64> {
        match context.facts.get(&row) {
            Some(facts) if facts.row.corrects => facts.row.target,
            Some(_) => Some(row),
            // That message came in the same batch.
            None => self.tail.authors(&[(row, row)], 1).contains_key(&author.id).then(|| self.tail.corrected(row)),
        }
    }

    fn pass_on(&self, actor: &Actor, author: &Member, message: Message, context: &mut Context<'_>) -> Outcome {
        let mut draft = Draft::new(self, context.live.now, context.limits);
        // Of whoever passes by nothing is recorded, so its reports are relayed, where reports are.
        let is_recorded = self.participant(&actor.account).is_some();
        let told_alone = self.settings().receipts == ReceiptPolicy::Author;
        if message.reports.is_some() && told_alone && !is_recorded {
            return draft.finish(Answer::Taken);
        }
        if let Some((progress, row)) = message.reports.filter(|_| is_recorded) {
            // XEP-0184: a receipt is about one message. XEP-0333: a marker is about all up to one.
            let exact = progress == Progress::Delivered;
            if told_alone {
                let decision = self.report(actor, row, progress, exact, context)?;
                draft.changes = decision.changes;
                return draft.finish(decision.answer);
            }
            if context.facts.contains_key(&row) {
                draft.changes = self.take_report(actor, row, progress, exact, context)?.changes;
            }
        }
        let says_again =
            self.is_group() && !message.echoed && self.states.repeats(&author.id, &message.payload, context.live.now);
        if !says_again {
            let relay = Relay { author: author.id.clone(), message, stamp: context.live.now };
            draft.changes.push(Change::Relayed(relay));
        }
        draft.finish(Answer::Taken)
    }
}

fn check_lengths(message: &Message, context: &Context<'_>) -> Result<(), Refusal> {
    let limits = context.limits;
    if message.payload.len() > limits.payload_bytes_max {
        return Err(Refusal::TooLong { what: "the message", max: limits.payload_bytes_max });
    }
    for id in [&message.stanza_id, &message.origin_id].into_iter().flatten() {
        if id.len() > limits.id_bytes_max {
            return Err(Refusal::TooLong { what: "the id", max: limits.id_bytes_max });
        }
    }
    Ok(())
}

fn check_features(message: &Message, context: &Context<'_>) -> Result<(), Refusal> {
    let features = &context.limits.features;
    check(features.retraction || !message.retracts, "retraction")?;
    check(features.receipts || message.reports.is_none(), "receipts")?;
    let is_state = !message.archived && !message.echoed;
    check(features.states || !is_state, "states")?;
    message.media.map_or(Ok(()), |kind| features.check_media(kind))
}
