//! XEP-0059: result set management, read and written.

use crate::channel::Refusal;
use crate::channel::command::Slice;
use crate::channel::crowd::Ordered;
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// Reads the `<set/>` of a request. Without one, the whole list is asked for.
///
/// # Errors
/// [`Refusal::BadRequest`] where `max` is no number. [`Refusal::Unsupported`] for a page by index (XEP-0059 §2.6),
/// which would take a walk over the list.
pub fn decode(payload: &Element) -> Result<Slice, Refusal> {
    let Some(set) = payload.part("set", ns::RSM) else { return Ok(Slice::default()) };
    if set.part("index", ns::RSM).is_some() {
        return Err(Refusal::Unsupported(
            "pages are asked for by the id before or behind them, not by <index/>".into(),
        ));
    }
    let text = |name: &str| set.part(name, ns::RSM).map(|child| child.text().trim().to_owned());
    let max = match text("max") {
        // Some clients ask for everything by a negative number.
        Some(max) if max.starts_with('-') => None,
        Some(max) => Some(max.parse().map_err(|_| Refusal::BadRequest(format!("'{max}' is no number of results")))?),
        None => None,
    };
    Ok(Slice { max, after: text("after").filter(|id| !id.is_empty()), before: text("before") })
}

/// Writes the `<set/>` of a result: the first and the last id, and the index and the count where they are known.
pub fn encode(first: Option<&str>, last: Option<&str>, counted: Option<(u64, u64)>) -> Tag {
    let first =
        first.map(|id| Tag::new("first").attr_opt("index", counted.map(|(_, index)| index.to_string())).text(id));
    Tag::in_ns("set", ns::RSM)
        .child_opt(first)
        .child_opt(last.map(|id| Tag::new("last").text(id)))
        .child_opt(counted.map(|(count, _)| Tag::new("count").text(count.to_string())))
}

/// The items of a page, in the order of their ids. It is cut where it becomes too long.
pub fn page<L: Ordered>(
    list: &L,
    id: impl Fn(&L::Item) -> &str,
    tag: impl Fn(L::Item) -> Tag,
    slice: &Slice,
    bytes_max: usize,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    let count = list.count();
    let mut range = slice.cut(count, count, |id| list.position(id))?;
    let (mut tags, mut ends, mut bytes) = (Vec::new(), None, 0);
    let mut take = |item: L::Item| {
        let name = id(&item).to_owned();
        let tag = tag(item);
        bytes += tag.bytes();
        let fits = bytes <= bytes_max || tags.is_empty();
        if fits {
            tags.push(tag);
            let (nearest, _) = ends.take().unwrap_or_else(|| (name.clone(), name.clone()));
            ends = Some((nearest, name));
        }
        fits
    };
    // A page before an id keeps the items nearest to that id.
    let taken = match slice.before.is_some() {
        true => list.falling(range.end).take(range.len()).map(&mut take).take_while(|fits| *fits).count(),
        false => list.rising(range.start).take(range.len()).map(&mut take).take_while(|fits| *fits).count(),
    };
    if slice.before.is_some() {
        tags.reverse();
        ends = ends.map(|(last, first)| (first, last));
        range.start = range.end - taken;
    }
    let (first, last) = ends.unzip();
    let set = (taken < count || *slice != Slice::default())
        .then(|| encode(first.as_deref(), last.as_deref(), Some((count as u64, range.start as u64))));
    Ok((tags, set))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(max: usize, after: Option<&str>, before: Option<&str>) -> Slice {
        Slice { max: Some(max), after: after.map(str::to_owned), before: before.map(str::to_owned) }
    }

    #[test]
    fn pages_go_both_ways_and_unknown_ids_are_refused() {
        let at = |id: &str| id.parse::<usize>().ok().filter(|&n| n < 10);
        assert_eq!(slice(3, None, None).cut(10, 100, at), Ok(0..3));
        assert_eq!(slice(3, Some("2"), None).cut(10, 100, at), Ok(3..6));
        assert_eq!(slice(3, None, Some("")).cut(10, 100, at), Ok(7..10));
        assert_eq!(slice(3, None, Some("2")).cut(10, 100, at), Ok(0..2));
        assert_eq!(slice(30, Some("9"), None).cut(10, 5, at), Ok(10..10));
        assert_eq!(Slice::default().cut(10, 5, at), Ok(0..5));
        assert_eq!(slice(0, None, None).cut(10, 5, at), Ok(0..0));
        assert_eq!(slice(3, Some("x"), None).cut(10, 5, at), Err(Refusal::NoSuchItem));
    }
}
