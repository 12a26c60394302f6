//! Why a request is not served: a 3-digit code for programs, and a line of text for their authors.

use crate::channel::Refusal;
use std::borrow::Cow;

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The 3-digit code.
    pub code: u16,
    /// After how many seconds it makes sense to try again.
    pub retry_after_s: Option<u64>,
    /// What is wrong in detail; `None` where that would tell more than the code may.
    pub why: Option<Cow<'static, str>>,
}

impl Fault {
    /// No such file.
    pub const NO_FILE: Fault = Fault::new(404);
    /// A request by the wrong method.
    pub const WRONG_METHOD: Fault = Fault::new(405);
    /// There is no such group, or the asker may not know of it. The two look the same.
    pub const NO_GROUP: Fault = Fault::new(444);
    /// An internal error.
    pub const INTERNAL: Fault = Fault::new(500);

    /// A code without text.
    pub const fn new(code: u16) -> Fault {
        Fault { code, retry_after_s: None, why: None }
    }

    /// 400: what is wrong with the request.
    pub fn bad(why: impl Into<Cow<'static, str>>) -> Fault {
        Fault { why: Some(why.into()), ..Fault::new(400) }
    }

    /// 429: the client asks too much.
    pub fn too_much(why: &'static str, retry_after_s: u64) -> Fault {
        Fault { code: 429, retry_after_s: Some(retry_after_s), why: Some(why.into()) }
    }

    /// 500: the service is overloaded, whoever asks.
    pub fn busy(why: &'static str) -> Fault {
        Fault { code: 500, retry_after_s: Some(1), why: Some(why.into()) }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        let retry_after_s = match &refusal {
            Refusal::TooFast { wait_s, .. } | Refusal::SlowMode { wait_s, .. } => Some(*wait_s),
            _ => None,
        };
        let fault = Fault { retry_after_s, ..Fault::new(refusal.code()) };
        match fault.code {
            // All reasons for 444 have to look the same.
            444 => fault,
            _ => Fault { why: Some(refusal.to_string().into()), ..fault },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_except_where_they_tell_of_a_group() {
        let crowded = Fault::from(Refusal::Crowded { max: 30 });
        assert_eq!((crowded.code, crowded.why.as_deref()), (443, Some("the group may have 30 participants at most")));
        for hidden in [Refusal::NoSuchChannel, Refusal::NotJoined, Refusal::NotAdmin, Refusal::Forbidden("x")] {
            assert_eq!(Fault::from(hidden), Fault::NO_GROUP);
        }
    }
}
