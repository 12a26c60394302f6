//! Checks a password by a login at the host server's client port. The session ends after the answer.
//!
//! SCRAM-SHA-256 and SCRAM-SHA-1, else PLAIN over TLS or the loopback. No resource is bound, so nobody sees the login.
//! Bounded in time and bytes. A password never gets into an error or the log.

use super::super::framer::{Frame, Framer, StanzaLimits};
use crate::config::{CheckTls, Http};
use crate::xmpp::{Parts, escape_into};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jid::BareJid;
use memchr::memmem;
use minidom::Element;
use sasl::client::Mechanism;
use sasl::client::mechanisms::{Plain, Scram};
use sasl::common::scram::{Sha1, Sha256};
use sasl::common::{ChannelBinding, Credentials};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const STREAMS: &str = "http://etherx.jabber.org/streams";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Limits of elements of this stream. Features and challenges are far smaller.
const LIMITS: StanzaLimits = StanzaLimits {
    stanza_bytes_max: 64 * 1024,
    stanza_depth_max: 16,
    stanza_elements_max: 500,
    attribute_bytes_max: 8192,
    start_tag_bytes_max: 16_384,
    attributes_max: 64,
};
/// The maximum of rounds of a mechanism.
const ROUNDS_MAX: usize = 4;
/// The maximum of a password, in bytes. Longer ones count as wrong.
const PASSWORD_BYTES_MAX: usize = 1024;
/// The maximum of iterations of a password's hash: a faulty host server must not cost minutes.
const ITERATIONS_MAX: u32 = 1_000_000;

/// Why a password could not be checked.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The connection failed.
    #[error("the host server cannot be asked: {0}")]
    Io(#[from] io::Error),
    /// No answer in time.
    #[error("the host server does not answer in time")]
    Timeout,
    /// The host server sent what this client does not understand or accept.
    #[error("the host server {0}")]
    Unusable(&'static str),
}

/// Checks passwords at one host server.
pub struct Checker {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, CheckTls)>,
    patience: Duration,
}

impl Checker {
    /// The checker that the settings name.
    ///
    /// # Errors
    /// TLS is asked for, and the file of certificates cannot be read.
    pub fn new(http: &Http) -> anyhow::Result<Checker> {
        let tls = match http.check_tls {
            CheckTls::None => None,
            mode => Some((connector(http)?, mode)),
        };
        let patience = Duration::from_secs(http.check_timeout_s);
        Ok(Checker { host: http.check_host.clone(), port: http.check_port, tls, patience })
    }

    /// Whether this is the account's password.
    ///
    /// # Errors
    /// [`CheckError`] when that cannot be found out.
    pub async fn check(&self, account: &BareJid, password: &str) -> Result<bool, CheckError> {
        tokio::time::timeout(self.patience, self.ask(account, password)).await.unwrap_or(Err(CheckError::Timeout))
    }

    async fn ask(&self, account: &BareJid, password: &str) -> Result<bool, CheckError> {
        let mut tcp = TcpStream::connect((&*self.host, self.port)).await?;
        tcp.set_nodelay(true)?;
        let domain = account.domain().as_str();
        let Some((connector, mode)) = &self.tls else {
            let is_private = tcp.peer_addr()?.ip().is_loopback();
            return Session::new(tcp).log_in(account, password, is_private).await;
        };
        if *mode == CheckTls::Starttls {
            let mut plain = Session::new(tcp);
            let features = match plain.open(domain).await {
                Err(_) if plain.unknown_domain => return Ok(false),
                opened => opened?,
            };
            if !features.has_part("starttls", TLS) {
                return Err(CheckError::Unusable("offers no TLS, which check_tls asks for"));
            }
            plain.send(&format!("<starttls xmlns='{TLS}'/>")).await?;
            if !plain.next().await?.is("proceed", TLS) {
                return Err(CheckError::Unusable("refuses TLS"));
            }
            // What came behind it in the clear could be from anybody.
            if !plain.waiting.is_empty() {
                return Err(CheckError::Unusable("speaks in the clear after TLS was agreed on"));
            }
            tcp = plain.io;
        }
        let name = ServerName::try_from(domain.to_owned())
            .map_err(|_| CheckError::Unusable("has a domain that no certificate can name"))?;
        Session::new(connector.connect(name, tcp).await?).log_in(account, password, true).await
    }
}

fn connector(http: &Http) -> anyhow::Result<TlsConnector> {
    use anyhow::Context;
    let file = &http.check_ca_file;
    let place = || format!("http.check_ca_file: {}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).with_context(place)? {
        roots.add(certificate.with_context(place)?).with_context(place)?;
    }
    anyhow::ensure!(!roots.is_empty(), "{}: no certificate is in it", place());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let settings = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(TlsConnector::from(Arc::new(settings.with_root_certificates(roots).with_no_client_auth())))
}

/// A client stream before resource binding.
struct Session<S> {
    io: S,
    framer: Framer,
    waiting: Vec<Vec<u8>>,
    ended: bool,
    /// Whether the stream ended because the host server does not serve the domain.
    unknown_domain: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(io: S) -> Session<S> {
        Session { io, framer: Framer::new(LIMITS), waiting: Vec::new(), ended: false, unknown_domain: false }
    }

    /// Logs in and out again. `is_private` says that nobody can read along.
    async fn log_in(mut self, account: &BareJid, password: &str, is_private: bool) -> Result<bool, CheckError> {
        let features = match self.open(account.domain().as_str()).await {
            // An account of a domain that is not served here has no login here.
            Err(_) if self.unknown_domain => return Ok(false),
            opened => opened?,
        };
        let offered: Vec<String> = features
            .part("mechanisms", SASL)
            .map(|list| list.parts().map(|mechanism| mechanism.text().trim().to_owned()).collect())
            .unwrap_or_default();
        let Some(mechanism) = choose(&offered, account, password, is_private)? else { return Ok(false) };
        let good = self.converse(mechanism).await?;
        let _ = self.send("</stream:stream>").await;
        Ok(good)
    }

    async fn converse(&mut self, mut mechanism: Box<dyn Mechanism + Send>) -> Result<bool, CheckError> {
        let initial = mechanism.initial();
        let first = STANDARD.encode(&initial);
        let first = if first.is_empty() { "=" } else { &first };
        self.send(&format!("<auth xmlns='{SASL}' mechanism='{}'>{first}</auth>", mechanism.name())).await?;
        for _ in 0..ROUNDS_MAX {
            let said = self.next().await?;
            let given = STANDARD.decode(said.text().trim()).unwrap_or_default();
            match said.name() {
                "challenge" => {
                    if iterations(&given).is_some_and(|n| n > ITERATIONS_MAX) {
                        return Err(CheckError::Unusable("demands too many iterations of a hash"));
                    }
                    if !echoes(&given, &initial) {
                        return Err(CheckError::Unusable("answers somebody else's challenge"));
                    }
                    // Thousands of iterations of a hash would keep others waiting.
                    let hashed = tokio::task::spawn_blocking(move || (mechanism.response(&given), mechanism)).await;
                    let (response, hasher) = hashed.map_err(io::Error::other)?;
                    mechanism = hasher;
                    // The client refuses an empty or invalid password here. It counts as wrong.
                    let Ok(response) = response else { return Ok(false) };
                    let response = STANDARD.encode(response);
                    self.send(&format!("<response xmlns='{SASL}'>{response}</response>")).await?;
                }
                // A host server that cannot prove that it knows the password does not vouch for it.
                "success" if mechanism.success(&given).is_ok() => return Ok(true),
                "success" => return Err(CheckError::Unusable("does not prove that it knows the password")),
                "failure" if is_temporary(&said) => {
                    return Err(CheckError::Unusable("cannot check passwords at present"));
                }
                "failure" => return Ok(false),
                _ => break,
            }
        }
        Err(CheckError::Unusable("does not come to an end with a login"))
    }

    async fn open(&mut self, domain: &str) -> Result<Element, CheckError> {
        let mut to = String::new();
        escape_into(domain, &mut to);
        self.send(&format!(
            "<?xml version='1.0'?><stream:stream to='{to}' version='1.0' xmlns='jabber:client' xmlns:stream='{STREAMS}'>"
        ))
        .await?;
        let features = self.next().await?;
        match features.is("features", STREAMS) {
            true => Ok(features),
            false => Err(CheckError::Unusable("does not open a stream for clients of this domain")),
        }
    }

    async fn send(&mut self, text: &str) -> Result<(), CheckError> {
        self.io.write_all(text.as_bytes()).await?;
        Ok(self.io.flush().await?)
    }

    /// The next element of the stream.
    async fn next(&mut self) -> Result<Element, CheckError> {
        let mut chunk = [0; 4096];
        while self.waiting.is_empty() {
            if self.ended {
                return Err(CheckError::Unusable("does not speak as one does to clients of this domain"));
            }
            let read = self.io.read(&mut chunk).await?;
            if read == 0 {
                return Err(CheckError::Unusable("closed the connection"));
            }
            let (waiting, ended, unknown) = (&mut self.waiting, &mut self.ended, &mut self.unknown_domain);
            let fed = self.framer.feed(&chunk[..read], |frame| match frame {
                Frame::Stanza(bytes) => waiting.push(bytes.to_vec()),
                Frame::Header(_) => {}
                Frame::StreamError(bytes) => {
                    *ended = true;
                    *unknown |= memmem::find(bytes, b"<host-unknown").is_some();
                }
                _ => *ended = true,
            });
            self.ended |= fed.is_err();
        }
        let bytes = self.waiting.remove(0);
        let inner = String::from_utf8_lossy(&bytes);
        let whole = format!("<w xmlns='jabber:client' xmlns:stream='{STREAMS}'>{inner}</w>");
        let tree: Element = whole.parse().map_err(|_| CheckError::Unusable("sends what is no XML"))?;
        tree.parts().next().cloned().ok_or(CheckError::Unusable("sends what is no XML"))
    }
}

fn choose(
    offered: &[String],
    account: &BareJid,
    password: &str,
    is_private: bool,
) -> Result<Option<Box<dyn Mechanism + Send>>, CheckError> {
    let Some(node) = account.node() else { return Ok(None) };
    // A NUL would change the meaning of a PLAIN message; and host servers bound the length of passwords.
    if password.is_empty() || password.contains('\0') || password.len() > PASSWORD_BYTES_MAX {
        return Ok(None);
    }
    let scram = offers_any(offered, &["SCRAM-SHA-256", "SCRAM-SHA-1"]);
    // RFC 5802 §5.1: a comma would end the name and begin another attribute.
    let name = if scram { node.as_str().replace('=', "=3D").replace(',', "=2C") } else { node.as_str().to_owned() };
    let credentials =
        Credentials::default().with_username(name).with_password(password).with_channel_binding(ChannelBinding::None);
    let offers = |name: &str| offers_any(offered, &[name]);
    let failed = |_| CheckError::Unusable("cannot be logged in to: the system gives no randomness");
    Ok(Some(if offers("SCRAM-SHA-256") {
        Box::new(Scram::<Sha256>::from_credentials(credentials).map_err(failed)?)
    } else if offers("SCRAM-SHA-1") {
        Box::new(Scram::<Sha1>::from_credentials(credentials).map_err(failed)?)
    } else if offers("PLAIN") && !is_private {
        return Err(CheckError::Unusable("offers PLAIN alone, which needs TLS: set http.check_tls"));
    } else if offers("PLAIN") {
        Box::new(Plain::from_credentials(credentials).map_err(failed)?)
    } else {
        return Err(CheckError::Unusable("offers neither SCRAM-SHA-256, SCRAM-SHA-1 nor PLAIN"));
    }))
}

fn offers_any(offered: &[String], names: &[&str]) -> bool {
    offered.iter().any(|offer| names.contains(&offer.as_str()))
}

/// Whether a SCRAM challenge continues the nonce that was sent (RFC 5802 §5.1). True for a challenge without one.
fn echoes(challenge: &[u8], initial: &[u8]) -> bool {
    let nonce = |text: &[u8]| {
        let text = std::str::from_utf8(text).ok()?;
        text.split(',').find_map(|part| part.strip_prefix("r=")).map(str::to_owned)
    };
    match (nonce(challenge), nonce(initial)) {
        (Some(theirs), Some(ours)) => theirs.starts_with(&ours),
        _ => true,
    }
}

/// The number of iterations in a SCRAM challenge (RFC 5802 §5.1).
fn iterations(challenge: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(challenge).ok()?;
    let number = text.split(',').find_map(|part| part.strip_prefix("i="))?;
    Some(number.parse().unwrap_or(u32::MAX))
}

fn is_temporary(failure: &Element) -> bool {
    failure.parts().any(|reason| matches!(reason.name(), "temporary-auth-failure" | "aborted" | "encryption-required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_proves_nothing_or_demands_too_much_vouches_for_nobody() {
        let challenge = |text: &str| format!("<challenge xmlns='{SASL}'>{}</challenge>", STANDARD.encode(text));
        let cases = [
            (format!("<success xmlns='{SASL}'/>"), "does not prove"),
            (challenge("r=x,s=QSXCR+Q6sek8bf92,i=999999999999"), "too many iterations"),
            (format!("<failure xmlns='{SASL}'><temporary-auth-failure/></failure>"), "at present"),
            ("<stream:error/>".to_owned(), "does not speak"),
            (format!("<odd xmlns='{SASL}'/>"), "come to an end"),
        ];
        for (said, expected) in cases {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            let header = format!("<stream:stream xmlns:stream='{STREAMS}' xmlns='jabber:client' id='1'>");
            let mechanisms = format!("<mechanisms xmlns='{SASL}'><mechanism>SCRAM-SHA-256</mechanism></mechanisms>");
            let features = format!("<stream:features>{mechanisms}</stream:features>");
            let wire = header + &features + &said;
            theirs.write_all(wire.as_bytes()).await.unwrap();
            let account = BareJid::new("ann@example.org").unwrap();
            let error = Session::new(ours).log_in(&account, "hush", true).await.unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hush"), "{said}: {error}");
        }
    }

    #[test]
    fn no_password_can_say_something_else_in_the_framing() {
        let (offered, ann) = (["PLAIN".to_owned()], BareJid::new("ann@example.org").unwrap());
        for wrong in ["", "x\0y", &"x".repeat(PASSWORD_BYTES_MAX + 1)] {
            assert!(choose(&offered, &ann, wrong, true).unwrap().is_none());
        }
        assert!(choose(&offered, &BareJid::new("example.org").unwrap(), "x", true).unwrap().is_none());
        assert!(choose(&["X-OAUTH2".to_owned()], &ann, "x", true).is_err());
        assert_eq!(choose(&offered, &ann, "x", true).unwrap().unwrap().initial(), b"\0ann\0x");
    }

    #[test]
    fn a_password_goes_nowhere_where_others_can_read_it() {
        let ann = BareJid::new("ann@example.org").unwrap();
        let chosen = |offered: &[&str], is_private| {
            let offered: Vec<String> = offered.iter().map(|&offer| offer.to_owned()).collect();
            let mechanism = choose(&offered, &ann, "hush", is_private).map_err(|error| error.to_string())?;
            Ok::<_, String>(mechanism.unwrap().name().to_owned())
        };
        assert!(chosen(&["PLAIN"], false).unwrap_err().contains("http.check_tls"));
        assert_eq!(chosen(&["PLAIN"], true).unwrap(), "PLAIN");
        for is_private in [false, true] {
            assert_eq!(chosen(&["PLAIN", "SCRAM-SHA-1"], is_private).unwrap(), "SCRAM-SHA-1");
            assert_eq!(chosen(&["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"], is_private).unwrap(), "SCRAM-SHA-256");
        }
    }

    #[test]
    fn no_name_can_say_something_else_in_the_framing_of_scram() {
        let account = BareJid::new("ann,r=x@example.org").unwrap();
        let initial = |offer: &str| choose(&[offer.to_owned()], &account, "x", true).unwrap().unwrap().initial();
        assert!(initial("SCRAM-SHA-1").starts_with(b"n,,n=ann=2Cr=3Dx,r="));
        assert_eq!(initial("PLAIN"), b"\0ann,r=x\0x");
        assert!(echoes(b"r=abcd,s=x,i=1", b"n,,n=ann,r=ab") && !echoes(b"r=xbcd,s=x,i=1", b"n,,n=ann,r=ab"));
    }
}
