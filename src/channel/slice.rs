//! Which part of a list is asked for (XEP-0059).

use super::Refusal;

/// A part of an ordered list (XEP-0059).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// How many at most; the list's own limit where absent.
    pub max: Option<usize>,
    /// Only what comes behind this id.
    pub after: Option<String>,
    /// Only what comes before this id, nearest to it; empty: the end of the list.
    pub before: Option<String>,
}

impl Slice {
    /// The part of an ordered list that it asks for, as positions; `max` bounds it where the asker does not.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`] where an id it names is not in the list (XEP-0059 §2.2).
    pub fn cut(
        &self,
        count: usize,
        max: usize,
        position_of: impl Fn(&str) -> Option<usize>,
    ) -> Result<std::ops::Range<usize>, Refusal> {
        let find = |id: &String| position_of(id).ok_or(Refusal::NoSuchItem);
        let size = self.max.unwrap_or(max).min(max);
        let from = self.after.as_ref().map(find).transpose()?.map_or(0, |at| at + 1);
        let to = self.before.as_ref().filter(|id| !id.is_empty()).map(find).transpose()?.unwrap_or(count);
        let to = to.max(from);
        Ok(match self.before {
            Some(_) => to.saturating_sub(size).max(from)..to,
            None => from..to.min(from + size),
        })
    }
}
