//! Passwords are checked by each mechanism, over TLS begun in both ways, and only where the certificate is the right one.

use crate::api::Api;
use crate::certificates::Authority;
use crate::hosts::{Host, HostKind, MIX_DOMAIN, Setup, USER_DOMAIN, checkout, free_port};
use std::path::{Path, PathBuf};

/// Domains whose accounts have one mechanism each, by a certificate that names all of them.
const MECHANISMS: [(&str, &str); 3] =
    [("sha1.localhost", "SCRAM-SHA-1"), ("sha256.localhost", "SCRAM-SHA-256"), ("plain.localhost", "PLAIN")];
/// A domain whose certificate names another one, and one whose certificate is over.
const MISNAMED: &str = "misnamed.localhost";
const EXPIRED: &str = "expired.localhost";

/// A host server of these domains, at a port for STARTTLS and one for TLS from the first byte.
struct Secured {
    host: Host,
    direct_port: u16,
    authority: Authority,
    _folder: tempfile::TempDir,
}

impl Secured {
    fn start(kind: HostKind) -> Secured {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        let certificates = folder.path().join("certificates");
        std::fs::create_dir(&certificates).unwrap();
        authority.sign(&certificates, "good", &MECHANISMS.map(|(domain, _)| domain), 2);
        authority.sign(&certificates, MISNAMED, &["elsewhere.localhost"], 2);
        authority.sign(&certificates, EXPIRED, &[EXPIRED], 0);
        let direct_port = free_port();
        let config = match kind {
            HostKind::Prosody => prosody(&certificates, direct_port),
            _ => ejabberd(&certificates, direct_port),
        };
        let file = folder.path().join("host.cfg.lua");
        std::fs::write(&file, config).unwrap();
        let accounts = domains().map(|domain| format!("alice@{domain}")).collect();
        let (domain, service, component_port) = (USER_DOMAIN, MIX_DOMAIN, free_port());
        let host =
            Host::start_as(Setup { kind, config: Some(file), domain, service, component_port, debian: None, accounts });
        Secured { host, direct_port, authority, _folder: folder }
    }

    /// `mixd` that checks passwords in this way, and trusts this authority.
    fn api(&self, tls: &str, authority: &Authority) -> Api {
        let port = if tls == "direct" { self.direct_port } else { self.host.c2s_port };
        let file: PathBuf = authority.certificate();
        let lines = format!("check_port = {port}\ncheck_tls = '{tls}'\ncheck_ca_file = '{}'", file.display());
        Api::with(&self.host, &lines)
    }
}

fn domains() -> impl Iterator<Item = &'static str> {
    MECHANISMS.iter().map(|(domain, _)| *domain).chain([MISNAMED, EXPIRED])
}

/// The name of the certificate that a domain has.
fn certificate_of(domain: &str) -> &str {
    if MECHANISMS.iter().any(|(of, _)| *of == domain) { "good" } else { domain }
}

fn prosody(certificates: &Path, direct_port: u16) -> String {
    let text = std::fs::read_to_string(checkout("config/prosody.cfg.lua")).unwrap();
    let ssl = |domain: &str| {
        let file = certificates.join(certificate_of(domain)).display().to_string();
        format!("ssl = {{ certificate = '{file}.crt', key = '{file}.key' }}\n")
    };
    let mut text = text
        .replace("c2s_direct_tls_ports = { }", &format!("c2s_direct_tls_ports = {{ {direct_port} }}"))
        .replace("c2s_require_encryption = false", &format!("{}c2s_require_encryption = true", ssl("sha1.localhost")));
    for domain in domains() {
        let only = match domain {
            "plain.localhost" => "disable_sasl_mechanisms = { 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS' }",
            "sha256.localhost" => "password_hash = 'SHA-256'\n  disable_sasl_mechanisms = { 'PLAIN' }",
            _ => "disable_sasl_mechanisms = { 'PLAIN' }",
        };
        text += &format!("\nVirtualHost '{domain}'\n  modules_enabled = {{ 'tls' }}\n  {}  {only}\n", ssl(domain));
    }
    text
}

fn ejabberd(certificates: &Path, direct_port: u16) -> String {
    let text = std::fs::read_to_string(checkout("config/ejabberd.yml")).unwrap();
    let (mut files, mut hosts, mut settings) = (Vec::new(), vec!["XMPP_DOMAIN".to_owned()], String::new());
    for domain in domains() {
        let file = certificates.join(certificate_of(domain)).display().to_string();
        files.extend([format!("'{file}.crt'"), format!("'{file}.key'")]);
        hosts.push(format!("'{domain}'"));
        let only = match domain {
            "plain.localhost" => {
                "disable_sasl_mechanisms: [digest-md5, X-OAUTH2, scram-sha-1, scram-sha-256, scram-sha-512]"
            }
            "sha256.localhost" => "auth_scram_hash: sha256\n    disable_sasl_mechanisms: [digest-md5, X-OAUTH2, plain]",
            _ => "disable_sasl_mechanisms: [digest-md5, X-OAUTH2, plain]",
        };
        settings += &format!("  '{domain}':\n    modules: {{}}\n    {only}\n");
    }
    let direct = format!(
        "listen:\n  - port: {direct_port}\n    ip: HOST_INTERFACE\n    module: ejabberd_c2s\n    access: all\n    tls: true\n"
    );
    text.replace("hosts: [XMPP_DOMAIN]", &format!("hosts: [{}]", hosts.join(", ")))
        .replace("certfiles: [CERT_FILE]", &format!("certfiles: [{}]", files.join(", ")))
        .replace("starttls: true ", "starttls_required: true ")
        .replace("listen:\n", &direct)
        + &format!("host_config:\n{settings}")
}

fn plays(kind: HostKind) {
    let secured = Secured::start(kind);
    for tls in ["starttls", "direct"] {
        let api = secured.api(tls, &secured.authority);
        for (domain, mechanism) in MECHANISMS {
            let login = |password: &str| api.login(&format!("alice@{domain}:{password}"));
            assert_eq!(login("pw-alice"), "200", "{mechanism}, {tls}: {}", api.log());
            assert_eq!(login("pw-bob"), "401", "{mechanism}, {tls}: {}", api.log());
        }
        // A password is not even sent where the certificate is not the domain's, or is over.
        // An ejabberd that has none for a domain shows any, which may be the one that is over.
        let misnamed = ["not valid for name", "expired"];
        for (domain, reasons) in [(MISNAMED, misnamed), (EXPIRED, ["expired"; 2])] {
            let before = api.log().len();
            assert_eq!(api.login(&format!("alice@{domain}:pw-alice")), "500", "{tls} {domain}: {}", api.log());
            let told = api.log().split_off(before);
            assert!(
                told.contains("a password cannot be checked") && reasons.iter().any(|reason| told.contains(reason)),
                "{tls} {domain}: {told}"
            );
        }
        assert!(!api.log().contains("pw-"), "a password is in the log");
        drop(api);
        let of_others = secured.api(tls, &Authority::new());
        assert_eq!(of_others.login("alice@sha1.localhost:pw-alice"), "500", "{tls}: {}", of_others.log());
        assert!(of_others.log().contains("UnknownIssuer"), "{tls}: {}", of_others.log());
    }
    // Where the host server demands TLS and mixd was not told to use it, nobody logs in.
    let api = secured.api("none", &secured.authority);
    assert_eq!(api.login("alice@plain.localhost:pw-alice"), "500", "{}", api.log());
}

#[test]
fn passwords_are_checked_over_tls_at_prosody() {
    plays(HostKind::Prosody);
}

#[test]
fn passwords_are_checked_over_tls_at_ejabberd() {
    plays(HostKind::Ejabberd);
}

#[test]
fn a_host_server_that_is_not_there_is_no_wrong_password() {
    let host = Host::start(HostKind::Prosody);
    let api = Api::with(&host, &format!("check_port = {}", free_port()));
    for _ in 0..12 {
        assert_eq!(api.login("alice:pw-alice"), "500");
    }
    assert!(api.log().contains("a password cannot be checked"), "{}", api.log());
}
