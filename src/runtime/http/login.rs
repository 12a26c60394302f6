//! Who asks: HTTP Basic (RFC 7617), checked at the host server, remembered for a short time.
//!
//! Invariant: no password is kept, but for a salted hash of a good one.

use super::super::clock;
use super::super::metrics::{Metrics, Outcome};
use super::checks::{Begun, Checks};
use super::fault::Fault;
use super::pace::Who;
use super::sasl::Checker;
use crate::config::Http;
use crate::xmpp::address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jid::{BareJid, DomainPart, NodePart};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Good logins that are remembered.
const KNOWN_MAX: usize = 20_000;
/// Passwords that are checked at the same time.
const CHECKS_MAX: usize = 16;

/// See the module.
pub struct Login {
    checker: Checker,
    checking: Semaphore,
    salt: [u8; 32],
    cache_ms: u64,
    checks: Checks,
    known: Mutex<HashMap<BareJid, ([u8; 32], u64)>>,
    metrics: Arc<Metrics>,
}

impl Login {
    /// As the settings say, with fresh randomness.
    ///
    /// # Errors
    /// Those of [`Checker::new`].
    pub fn new(http: &Http, salt: [u8; 32], metrics: Arc<Metrics>) -> anyhow::Result<Login> {
        let failures = u64::try_from(http.failed_logins_max).unwrap_or(u64::MAX);
        Ok(Login {
            checker: Checker::new(http)?,
            checking: Semaphore::new(CHECKS_MAX),
            salt,
            cache_ms: http.auth_cache_s * 1000,
            checks: Checks::new(failures, http.failed_logins_s * 1000),
            known: Mutex::default(),
            metrics,
        })
    }

    /// The account behind an `Authorization` header; a localpart alone is one of `domain`.
    ///
    /// # Errors
    /// 401 where there is none, or the password is wrong, or too many were; 500 where it cannot be checked.
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
    ) -> (Result<BareJid, Fault>, Outcome) {
        let wrong = (Err(Fault::new(401)), Outcome::Wrong);
        let Some((account, password)) = header.and_then(|header| credentials(header, domain)) else { return wrong };
        let hash = self.hash(&account, &password);
        let check = loop {
            // What the one before found out may answer this one, too.
            if self.knows(&account, &hash, clock::uptime_ms()) {
                return (Ok(account), Outcome::Remembered);
            }
            let ended = self.checks.next_end();
            match self.checks.begin(Who::at(from), Who::Account(account.clone()), clock::uptime_ms()) {
                Begun::Check(check) => break check,
                Begun::Refused(wait_s) => {
                    let fault = Fault { retry_after_s: Some(wait_s), ..Fault::new(401) };
                    return (Err(fault), Outcome::Slowed);
                }
                Begun::Later => ended.await,
            }
        };
        let checked = match self.checking.acquire().await {
            Ok(_place) => self.checker.check(&account, &password).await,
            Err(_) => return (Err(Fault::INTERNAL), Outcome::Unchecked),
        };
        match checked {
            Ok(false) => wrong,
            Ok(true) => {
                let now_ms = clock::uptime_ms();
                self.remember(&account, hash, now_ms);
                check.praise(now_ms);
                (Ok(account), Outcome::Good)
            }
            Err(error) => {
                check.forgive();
                tracing::warn!("a password cannot be checked: {error}; see http.check_host and http.check_port");
                (Err(Fault::INTERNAL), Outcome::Unchecked)
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
        self.lock().get(account).is_some_and(|(known, until_ms)| *until_ms > now_ms && known == hash)
    }

    fn remember(&self, account: &BareJid, hash: [u8; 32], now_ms: u64) {
        if self.cache_ms == 0 {
            return;
        }
        let mut known = self.lock();
        if known.len() >= KNOWN_MAX {
            known.retain(|_, (_, until_ms)| *until_ms > now_ms);
        }
        // When that made no room, the next check is just not saved.
        if known.len() < KNOWN_MAX {
            known.insert(account.clone(), (hash, now_ms + self.cache_ms));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BareJid, ([u8; 32], u64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a login name or a member's: a bare JID, or the localpart of one of `domain`.
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
        let login = Login::new(&Http { auth_cache_s: 60, ..Http::default() }, [7; 32], Arc::default()).unwrap();
        let ann = BareJid::new("ann@example.org").unwrap();
        login.remember(&ann, login.hash(&ann, "hush"), 1000);
        let knows = |password, now_ms| login.knows(&ann, &login.hash(&ann, password), now_ms);
        assert!(knows("hush", 60_999) && !knows("hush", 61_000) && !knows("hash", 1000));
        let login = Login::new(&Http { auth_cache_s: 0, ..Http::default() }, [7; 32], Arc::default()).unwrap();
        login.remember(&ann, login.hash(&ann, "hush"), 1000);
        assert!(!login.knows(&ann, &login.hash(&ann, "hush"), 1000));
    }
}
