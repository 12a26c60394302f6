//! XEP-0004: the forms of commands, written and read.

use crate::channel::{ChannelName, CommandFault, Refusal};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// The length of a table's cell besides its text, in bytes.
const CELL_BYTES: usize = 64;

/// The fields of a form that was sent back.
pub(super) struct FormFields(Vec<(String, Vec<String>)>);

impl FormFields {
    /// The fields of the form in a command. There are none where there is no form.
    pub(super) fn of(command: &Element) -> FormFields {
        let form = command.part("x", ns::FORM);
        let fields = form.into_iter().flat_map(Element::parts).filter(|child| child.name() == "field");
        let read = |field: &Element| {
            let values = field.parts().filter(|child| child.name() == "value").map(Element::text);
            (field.attr("var").unwrap_or_default().to_owned(), values.collect())
        };
        FormFields(fields.map(read).collect())
    }

    /// Whether the form has a field besides these.
    pub(super) fn has_others_than(&self, vars: &[&str]) -> bool {
        self.0.iter().any(|(var, _)| !vars.contains(&&**var))
    }

    /// The values of a field, trimmed, without empty ones.
    pub(super) fn all(&self, var: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(other, _)| other == var);
        named.flat_map(|(_, values)| values).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The first value of a field.
    pub(super) fn one(&self, var: &str) -> Option<&str> {
        self.all(var).next()
    }

    /// The lines of a field as they are.
    pub(super) fn text(&self, var: &str) -> String {
        let named = self.0.iter().filter(|(other, _)| other == var);
        let lines: Vec<&str> = named.flat_map(|(_, values)| values).map(|line| line.trim_end()).collect();
        lines.join("\n").trim().to_owned()
    }

    /// Whether a box is ticked.
    pub(super) fn is_ticked(&self, var: &str) -> bool {
        matches!(self.one(var), Some("1" | "true"))
    }
}

/// The refusal of a form.
pub(super) fn bad(why: impl Into<String>) -> Refusal {
    Refusal::Command(CommandFault::BadPayload(why.into()))
}

/// The account that a field names.
///
/// # Errors
/// [`CommandFault::BadPayload`] where it names none.
pub(super) fn account(fields: &FormFields, var: &str) -> Result<BareJid, Refusal> {
    let text = fields.one(var).ok_or_else(|| bad(format!("'{var}' is missing: name an account")))?;
    bare(text, var)
}

/// The accounts that a field names, one at least.
///
/// # Errors
/// As [`account`].
pub(super) fn accounts(fields: &FormFields, var: &str) -> Result<Vec<BareJid>, Refusal> {
    let accounts = fields.all(var).map(|text| bare(text, var)).collect::<Result<Vec<_>, _>>()?;
    if accounts.is_empty() { Err(bad(format!("'{var}' is missing: name an account"))) } else { Ok(accounts) }
}

fn bare(text: &str, var: &str) -> Result<BareJid, Refusal> {
    let jid = address::jid(text).map_err(|_| bad(format!("'{var}': '{text}' is no JID")))?;
    Ok(jid.to_bare())
}

/// The channel that a form at the service names, by its localpart or its address.
///
/// # Errors
/// [`CommandFault::BadPayload`] where it is no channel of this service.
pub(super) fn channel(fields: &FormFields, domain: &str) -> Result<Option<ChannelName>, Refusal> {
    let Some(text) = fields.one("channel") else { return Ok(None) };
    let localpart = match text.rsplit_once('@') {
        Some((localpart, at)) if at.eq_ignore_ascii_case(domain) => localpart,
        Some(_) => return Err(bad(format!("'channel': '{text}' is no channel of {domain}"))),
        None => text,
    };
    ChannelName::new(localpart).map(Some).ok_or_else(|| bad(format!("'channel': '{text}' is no name of a channel")))
}

/// A form to fill in.
pub(super) fn form(title: &str, instructions: &str, fields: impl IntoIterator<Item = Tag>) -> Tag {
    let form = Tag::in_ns("x", ns::FORM).attr("type", "form");
    form.child(Tag::new("title").text(title)).child(Tag::new("instructions").text(instructions)).children(fields)
}

/// A field of a form.
pub(super) fn field(var: &str, kind: &str, label: &str) -> Tag {
    Tag::new("field").attr("var", var).attr("type", kind).attr("label", label)
}

/// A required field.
pub(super) fn needed(var: &str, kind: &str, label: &str) -> Tag {
    field(var, kind, label).child(Tag::new("required"))
}

/// A hidden field.
pub(super) fn hidden(var: &str, value: &str) -> Tag {
    Tag::new("field").attr("var", var).attr("type", "hidden").child(self::value(value))
}

/// A value of a field.
pub(super) fn value(text: &str) -> Tag {
    Tag::new("value").text(text)
}

/// A field with a choice of one value.
pub(super) fn choice(var: &str, label: &str, values: &[&str], chosen: &str) -> Tag {
    let option = |text: &&str| Tag::new("option").attr("label", text).child(value(text));
    field(var, "list-single", label).child(value(chosen)).children(values.iter().map(option))
}

/// The first rows, as many as an answer of `bytes_max` bytes has room for.
pub(super) fn fitting(rows: impl IntoIterator<Item = Vec<String>>, bytes_max: usize) -> Vec<Vec<String>> {
    let mut left = bytes_max;
    let bytes = |row: &Vec<String>| row.iter().map(|cell| 2 * cell.len() + CELL_BYTES).sum::<usize>();
    let fits = |row: &Vec<String>| {
        let rest = left.checked_sub(bytes(row));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    rows.into_iter().take_while(fits).collect()
}

/// Results as a table.
pub(super) fn table(title: &str, columns: &[(&str, &str)], rows: Vec<Vec<String>>) -> Tag {
    let column = |(var, label): &(&str, &str)| Tag::new("field").attr("var", var).attr("label", label);
    let row = |cells: Vec<String>| {
        let cells = columns.iter().zip(cells);
        Tag::new("item").children(cells.map(|((var, _), text)| Tag::new("field").attr("var", var).child(value(&text))))
    };
    results(title).child(Tag::new("reported").children(columns.iter().map(column))).children(rows.into_iter().map(row))
}

/// Results as one field for each line.
pub(super) fn lines<'a>(title: &str, lines: impl IntoIterator<Item = (&'a str, &'a str, String)>) -> Tag {
    let line = |(var, label, text): (&str, &str, String)| field(var, "text-single", label).child(value(&text));
    results(title).children(lines.into_iter().map(line))
}

fn results(title: &str) -> Tag {
    Tag::in_ns("x", ns::FORM).attr("type", "result").child(Tag::new("title").text(title))
}
