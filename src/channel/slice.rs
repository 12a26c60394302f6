//! XEP-0059: which page of a list is asked for.

use super::Refusal;

/// XEP-0059: a page of an ordered list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The most entries. The limit of the list where absent.
    pub max: Option<usize>,
    /// Only entries after this id.
    pub after: Option<String>,
    /// Only the entries nearest before this id. Empty for the last page.
    pub before: Option<String>,
}

impl Slice {
    /// The page as a range of indexes in a list of `count` entries, with `max` at most. `position_of` finds the index
    /// of an id.
    ///
    /// # Errors
    /// [`Refusal::NoSuchItem`] for an id that is not in the list (XEP-0059 §2.2).
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
