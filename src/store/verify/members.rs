//! Records of members: stays, own settings, how far reading came, and that no account or nick is there twice.

use super::super::StoreError;
use super::super::archive::Archive;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::Member;
use std::collections::HashMap;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let archive = survey.archive(tag);
        let (mut accounts, mut nicks) = (HashMap::new(), HashMap::new());
        survey.each::<Member>(Space::State, &keyspace::members(tag), |key, member| {
            survey.count(|census| census.members += 1);
            let place = || format!("channel {name}, member {}", member.id);
            survey.holds(key == keyspace::member(tag, &member.id), place, || "it lies under the key of another".into());
            check_windows(&member).unwrap_or_else(|reason| survey.wrong(place(), reason));
            if let Some(archive) = &archive {
                for reason in check_rows(&member, archive)? {
                    survey.wrong(place(), reason);
                }
            }
            if member.ended {
                survey.holds(!member.is_joined(), place, || "the account is no more, and it is in the channel".into());
            } else if let Some(other) = accounts.insert(member.jid.clone(), member.id.clone()) {
                survey.wrong(place(), format!("member {other} is of the same account {}", member.jid));
            }
            if member.is_joined()
                && let Some(other) = nicks.insert(member.nick.key().to_owned(), member.id.clone())
            {
                survey.wrong(place(), format!("member {other} has the same nick {:?}", member.nick.as_str()));
            }
            Ok(())
        })
    })
}

/// Stays are in order and apart, and the last one is open if and only if the member is in.
fn check_windows(member: &Member) -> Result<(), String> {
    let mut next = 1;
    for (at, &(first, last)) in member.windows.iter().enumerate() {
        if first < next {
            return Err(format!("the stay from row {first} on begins before the one before it ends"));
        }
        match last {
            // A stay without a row ends before it begins.
            Some(last) if last + 1 >= first => next = last + 1,
            Some(last) => return Err(format!("a stay from row {first} to row {last}")),
            None if at + 1 == member.windows.len() => {}
            None => return Err(format!("the stay from row {first} on is open, and another one follows")),
        }
    }
    let is_open = member.windows.last().is_some_and(|(_, last)| last.is_none());
    match (member.is_joined(), is_open) {
        (true, false) => Err("it is in the channel, and its last stay is over".into()),
        (false, true) => Err("it is not in the channel, and its last stay is open".into()),
        _ => Ok(()),
    }
}

/// What the record says of rows agrees with the rows.
fn check_rows<S: Databases>(member: &Member, archive: &Archive<'_, S>) -> Result<Vec<String>, StoreError> {
    let (head, own, mut wrong) = (archive.head(), &member.own, Vec::new());
    let ends = member.windows.iter().map(|&(first, last)| last.unwrap_or(first - 1));
    let named = [("a stay", ends.max().unwrap_or(0)), ("what it cleared", own.cleared), ("its mark", own.mark.0)];
    for (what, row) in named {
        if row > head.row {
            wrong.push(format!("{what} goes to row {row}, and the archive ends at row {}", head.row));
        }
    }
    // The ordinal of a row that retention removed is not known any more.
    if let Some(row) = archive.row(own.mark.0)?.filter(|row| row.ordinal != own.mark.1) {
        wrong.push(format!("its mark says ordinal {} at row {}, which has {}", own.mark.1, row.number, row.ordinal));
    }
    for (&number, &counted) in &own.hidden {
        let row = archive.row(number)?;
        if number <= own.cleared || number > head.row {
            wrong.push(format!("row {number} is hidden, and there is none behind what was cleared"));
        } else if row.is_some_and(|row| row.counted != counted) {
            wrong.push(format!("row {number} is hidden, and whether it is one to read is not what the row says"));
        }
    }
    Ok(wrong)
}
