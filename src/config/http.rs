//! `[http]`: the HTTP API. It is off unless an address to listen at is set.

use super::Domain;
use super::range::OutOfRange;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// How the host server is connected to for checking a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckTls {
    /// Without TLS, which is allowed on the loopback only.
    #[default]
    None,
    /// With STARTTLS (RFC 6120 §5).
    Starttls,
    /// With TLS from the first byte (XEP-0368).
    Direct,
}

/// The settings of the HTTP API. `config/mixd.toml` explains each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // Each is described in docs/configuration.md, which a test holds to this list.
pub struct Http {
    #[serde(deserialize_with = "super::listen::read")]
    pub listen: Option<SocketAddr>,
    pub user_domain: Option<Domain>,
    pub strict_status: bool,
    pub public_url: Option<String>,
    pub origins: Vec<String>,
    pub trust_forwarded: bool,
    pub check_host: String,
    pub check_port: u16,
    pub check_tls: CheckTls,
    pub check_ca_file: PathBuf,
    pub check_timeout_s: u64,
    pub auth_cache_s: u64,
    pub failed_logins_max: usize,
    pub failed_logins_s: u64,
    pub requests_per_s: u64,
    pub requests_burst: u64,
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub request_timeout_s: u64,
    pub request_bytes_max: usize,
    pub requests_memory_bytes_max: usize,
    pub upload_bytes_max: u64,
}

impl Default for Http {
    fn default() -> Http {
        Http {
            listen: None,
            user_domain: None,
            strict_status: true,
            public_url: None,
            origins: Vec::new(),
            trust_forwarded: false,
            check_host: "127.0.0.1".to_owned(),
            check_port: 5222,
            check_tls: CheckTls::None,
            check_ca_file: PathBuf::from("/etc/ssl/certs/ca-certificates.crt"),
            check_timeout_s: 10,
            auth_cache_s: 60,
            failed_logins_max: 10,
            failed_logins_s: 300,
            requests_per_s: 20,
            requests_burst: 100,
            connections_max: 512,
            connections_per_address_max: 64,
            request_timeout_s: 30,
            request_bytes_max: 256 << 10,
            requests_memory_bytes_max: 64 << 20,
            upload_bytes_max: 50 << 20,
        }
    }
}

/// Adds the settings that are out of range to `wrong`.
pub(super) fn check(http: &Http, wrong: &mut Vec<OutOfRange>) {
    let of = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let (day_s, many, gib) = (86_400, 1_000_000, 1 << 30);
    for (key, found, least, most) in [
        ("http.check_port", u64::from(http.check_port), 1, 65_535),
        ("http.check_timeout_s", http.check_timeout_s, 1, 600),
        ("http.auth_cache_s", http.auth_cache_s, 0, day_s),
        ("http.failed_logins_max", of(http.failed_logins_max), 1, many),
        ("http.failed_logins_s", http.failed_logins_s, 1, day_s),
        ("http.requests_per_s", http.requests_per_s, 1, many),
        ("http.requests_burst", http.requests_burst, 1, many),
        ("http.connections_max", of(http.connections_max), 1, many),
        ("http.connections_per_address_max", of(http.connections_per_address_max), 1, many),
        ("http.request_timeout_s", http.request_timeout_s, 1, 600),
        ("http.request_bytes_max", of(http.request_bytes_max), 4096, gib),
        ("http.requests_memory_bytes_max", of(http.requests_memory_bytes_max), 1 << 20, 1024 * gib),
        ("http.upload_bytes_max", http.upload_bytes_max, 1024, 1024 * gib),
    ] {
        if found < least || found > most {
            let expected = format!("a number from {least} to {most}");
            wrong.push(OutOfRange { key, found: found.to_string(), expected });
        }
    }
    let mut refuse = |key, found: &str, expected: &str| {
        wrong.push(OutOfRange { key, found: format!("{found:?}"), expected: expected.to_owned() });
    };
    if http.check_host.trim().is_empty() {
        refuse("http.check_host", &http.check_host, "a name or an address");
    }
    if http.listen.is_some() && http.check_tls == CheckTls::None && !is_loopback(&http.check_host) {
        refuse("http.check_tls", "none", "starttls or direct, since check_host is not on the loopback");
    }
    for origin in http.origins.iter().filter(|origin| !is_origin(origin)) {
        refuse("http.origins", origin, "origins such as \"https://chat.example.org\", without a path");
    }
    if let Some(url) = http.public_url.as_deref().filter(|url| !is_web(url)) {
        refuse("http.public_url", url, "an address such as \"https://groups.example.org\", without white space");
    }
}

/// Whether a text is a web origin as browsers write it.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && !b"/?#@".contains(&b)))
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty()) && url.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(http: Http) -> Vec<&'static str> {
        let mut wrong = Vec::new();
        check(&http, &mut wrong);
        wrong.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn passwords_cross_no_network_in_the_clear() {
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 1)));
        let to = |host: &str, tls| Http { listen, check_host: host.to_owned(), check_tls: tls, ..Http::default() };
        for host in ["127.0.0.1", "127.9.9.9", "::1", "localhost"] {
            assert!(refused(to(host, CheckTls::None)).is_empty(), "{host}");
        }
        for host in ["192.0.2.1", "xmpp.example.org", "localhost.example.org"] {
            assert_eq!(refused(to(host, CheckTls::None)), ["http.check_tls"], "{host}");
            assert!(refused(to(host, CheckTls::Starttls)).is_empty(), "{host}");
        }
        assert_eq!(refused(to(" ", CheckTls::Direct)), ["http.check_host"]);
    }

    #[test]
    fn numbers_and_addresses_have_their_bounds() {
        assert!(refused(Http::default()).is_empty());
        let http = Http { check_port: 0, connections_max: 0, upload_bytes_max: 1, ..Http::default() };
        assert_eq!(refused(http), ["http.check_port", "http.connections_max", "http.upload_bytes_max"]);
        for url in ["groups.example.org", "https://", "ftp://a.b", "https://a b"] {
            let http = Http { public_url: Some(url.to_owned()), ..Http::default() };
            assert_eq!(refused(http), ["http.public_url"], "{url}");
        }
    }
}
