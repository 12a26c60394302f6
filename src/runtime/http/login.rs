//! Authenticates requests: HTTP Basic (RFC 7617), checked at the host server and remembered for a short time.
//!
//! Invariant: no password is kept. Of a good one a salted hash is.

use super::super::clock;
use super::super::metrics::{LoginOutcome, Metrics};
use super::checks::{Begun, Checks};
use super::fault::Fault;
use super::pace::Who;
use super::sasl::Checker;
use crate::config::Http;
use crate::engine::share::{Full, OwnDomains, Shares};
use crate::xmpp::address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jid::{BareJid, DomainPart, NodePart};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// How many good logins are remembered.
const KNOWN_MAX: usize = 20_000;
/// How many passwords are checked at the same time.
const CHECKS_MAX: usize = 16;

/// Authenticates requests.
pub struct Login {
    checker: Checker,
    checking: Semaphore,
    salt: [u8; 32],
    cache_ms: u64,
    checks: Checks,
    known: Mutex<Known>,
    metrics: Arc<Metrics>,
}

/// Good logins, each with its hash and its expiry.
struct Known {
    logins: HashMap<BareJid, ([u8; 32], u64)>,
    /// Where there are too many, the domain that has most loses one.
    shares: Shares<BareJid>,
}

impl Known {
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    fn put(&mut self, account: &BareJid, login: ([u8; 32], u64), now_ms: u64) {
        if self.logins.len() >= self.shares.max() {
            let Known { logins, shares } = self;
            logins.retain(|account, (_, until_ms)| {
                let is_good = *until_ms > now_ms;
                if !is_good {
                    shares.give_back(account, 1);
                }
                is_good
            });
        }
        if !self.logins.contains_key(account) {
            match self.shares.take(account, 1) {
                Ok(()) => {}
                // This login is just not remembered.
                Err(Full::Own) => return,
                Err(Full::Of(loser)) => {
                    self.logins.remove(&loser);
                    self.shares.give_back(&loser, 1);
                    self.shares.count(account, 1);
                }
            }
        }
        self.logins.insert(account.clone(), login);
    }
}

impl Login {
    /// Authentication by the settings.
    ///
    /// # Errors
    /// Those of [`Checker::new`].
    pub fn new(http: &Http, salt: [u8; 32], own: OwnDomains, metrics: Arc<Metrics>) -> anyhow::Result<Login> {
        let failures = u64::try_from(http.failed_logins_max).unwrap_or(u64::MAX);
        Ok(Login {
            checker: Checker::new(http)?,
            checking: Semaphore::new(CHECKS_MAX),
            salt,
            cache_ms: http.auth_cache_s * 1000,
            checks: Checks::new(failures, http.failed_logins_s * 1000),
            known: Mutex::new(Known { logins: HashMap::new(), shares: Shares::new("known logins", KNOWN_MAX, own) }),
            metrics,
        })
    }

    /// The account in an `Authorization` header. A localpart alone is one of `domain`.
    ///
    /// # Errors
    /// 401 where there is no login, the password is wrong, or too many were wrong; 500 where it cannot be checked.
    pub async fn account(&self, header: Option<&str>, domain: &DomainPart, from: IpAddr) -> Result<BareJid, Fault> {
        let (account, outcome) = self.account_and_outcome(header, domain, from).await;
        self.metrics.count_login(outcome);
        account
    }

    async fn account_and_outcome(
        &self,
        header: Option<&str>,
        domain: &DomainPart,
        from: IpAddr,
    ) -> (Result<BareJid, Fault>, LoginOutcome) {
        let wrong = (Err(Fault::new(401)), LoginOutcome::Wrong);
        let Some((account, password)) = header.and_then(|header| credentials(header, domain)) else { return wrong };
        let hash = self.hash(&account, &password);
        let check = loop {
            // The check before this one may have answered it, too.
            if self.knows(&account, &hash, clock::uptime_ms()) {
                return (Ok(account), LoginOutcome::Remembered);
            }
            let ended = self.checks.next_end();
            match self.checks.begin(Who::at(from), Who::Account(account.clone()), clock::uptime_ms()) {
                Begun::Check(check) => break check,
                Begun::Refused(wait_s) => {
                    let fault = Fault { retry_after_s: Some(wait_s), ..Fault::new(401) };
                    return (Err(fault), LoginOutcome::Slowed);
                }
                Begun::Later => ended.await,
            }
        };
        let checked = match self.checking.acquire().await {
            Ok(_place) => self.checker.check(&account, &password).await,
            Err(_) => return (Err(Fault::INTERNAL), LoginOutcome::Unchecked),
        };
        match checked {
            Ok(false) => wrong,
            Ok(true) => {
                let now_ms = clock::uptime_ms();
                self.remember(&account, hash, now_ms);
                check.praise(now_ms);
                (Ok(account), LoginOutcome::Good)
            }
            Err(error) => {
                check.forgive();
                tracing::warn!("a password cannot be checked: {error}; see http.check_host and http.check_port");
                (Err(Fault::INTERNAL), LoginOutcome::Unchecked)
            }
        }
    }

    fn hash(&self, account: &BareJid, password: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(account.as_str());
        hash.update([0]);
        hash.update(password);
        hash.finalize().into()
    }

    fn knows(&self, account: &BareJid, hash: &[u8; 32], now_ms: u64) -> bool {
        self.lock().logins.get(account).is_some_and(|(known, until_ms)| *until_ms > now_ms && known == hash)
    }

    fn remember(&self, account: &BareJid, hash: [u8; 32], now_ms: u64) {
        if self.cache_ms == 0 {
            return;
        }
        let mut known = self.lock();
        known.put(account, (hash, now_ms + self.cache_ms), now_ms);
        let hits: Vec<_> = known.shares.hits().collect();
        drop(known);
        if !hits.is_empty() {
            self.metrics.count_hits(hits, now_ms);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parses a login name or a member's name: a bare JID, or the localpart of one of `domain`.
pub fn account(login: &str, domain: &DomainPart) -> Option<BareJid> {
    match login.contains('@') {
        true => address::bare_jid(login).ok().filter(|jid| jid.node().is_some()),
        false => Some(BareJid::from_parts(Some(&NodePart::new(login).ok()?), domain)),
    }
}

fn credentials(header: &str, domain: &DomainPart) -> Option<(BareJid, String)> {
    let (scheme, coded) = header.trim().split_once(' ')?;
    let decoded = STANDARD.decode(coded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (login, password) = text.split_once(':')?;
    Some((account(login, domain)?, password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_localparts_or_whole_addresses() {
        let domain = DomainPart::new("example.org").unwrap().into_owned();
        let read = |text: &str| credentials(&format!("Basic {}", STANDARD.encode(text)), &domain);
        let is = |account: &str, password: &str| Some((BareJid::new(account).unwrap(), password.to_owned()));
        assert_eq!(read("1000005:a:b"), is("1000005@example.org", "a:b"));
        assert_eq!(read("Ann@Example.net:ä"), is("ann@example.net", "ä"));
        for wrong in ["ann", ":x", "@example.org:x", "ann@example.org/r:x", "a b:x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(credentials("Bearer YTpi", &domain), None);
        assert_eq!(credentials("basic YTpi", &domain), is("a@example.org", "b"));
        assert_eq!(credentials("Basic ~~~", &domain), None);
    }

    #[test]
    fn a_good_login_is_remembered_for_its_time_and_its_password() {
        let login =
            Login::new(&Http { auth_cache_s: 60, ..Http::default() }, [7; 32], OwnDomains::default(), Arc::default())
                .unwrap();
        let ann = BareJid::new("ann@example.org").unwrap();
        login.remember(&ann, login.hash(&ann, "hush"), 1000);
        let knows = |password, now_ms| login.knows(&ann, &login.hash(&ann, password), now_ms);
        assert!(knows("hush", 60_999) && !knows("hush", 61_000) && !knows("hash", 1000));
        let login =
            Login::new(&Http { auth_cache_s: 0, ..Http::default() }, [7; 32], OwnDomains::default(), Arc::default())
                .unwrap();
        login.remember(&ann, login.hash(&ann, "hush"), 1000);
        assert!(!login.knows(&ann, &login.hash(&ann, "hush"), 1000));
    }

    #[test]
    fn logins_of_one_domain_are_checked_again_before_anybody_else_s_are() {
        let own = OwnDomains::new(["h".to_owned()]);
        let mut known = Known { logins: HashMap::new(), shares: Shares::new("known logins", 8, own) };
        let put = |known: &mut Known, who: &str, now_ms: u64| {
            known.put(&who.parse().unwrap(), ([0; 32], now_ms + 10), now_ms);
        };
        (0..20).for_each(|n| put(&mut known, &format!("x{n}@away"), 1));
        (0..4).for_each(|n| put(&mut known, &format!("a{n}@h"), 2));
        assert_eq!((known.logins.len(), known.shares.held()), (8, 8));
        assert_eq!(known.logins.keys().filter(|account| account.domain().as_str() == "h").count(), 4);
        put(&mut known, "b@h", 12);
        assert_eq!((known.logins.len(), known.shares.held()), (1, 1), "what is good no longer takes no room");
    }
}
