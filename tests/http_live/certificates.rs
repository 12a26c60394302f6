//! Certificates made for one test, by `openssl`, which Debian's ca-certificates brings.

use std::path::{Path, PathBuf};
use std::process::Command;

const KEY: [&str; 6] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"];

/// An authority with a folder for what it signs.
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Authority {
        let authority = Authority { folder: tempfile::tempdir().unwrap() };
        // Two of one name could not be told apart.
        let name = format!("/CN=authority in {}", authority.folder.path().display().to_string().replace('/', " "));
        let made = ["-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", &name];
        let is_authority = ["-addext", "basicConstraints=critical,CA:TRUE"];
        authority.openssl(&[&["req", "-x509"], &KEY[..], &made, &is_authority].concat());
        authority
    }

    /// Its own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Makes `NAME.crt` and `NAME.key` in `place`, for these domains and valid for so many days.
    pub fn sign(&self, place: &Path, name: &str, domains: &[&str], days: u32) {
        let named: Vec<String> = domains.iter().map(|domain| format!("DNS:{domain}")).collect();
        let named = format!("subjectAltName={}", named.join(","));
        let path = |ending: &str| place.join(format!("{name}.{ending}")).display().to_string();
        let (key, request, signed, days) = (path("key"), path("csr"), path("crt"), days.to_string());
        let made = ["-keyout", &key, "-out", &request, "-subj", "/CN=host server", "-addext", &named];
        self.openssl(&[&["req"], &KEY[..], &made].concat());
        let by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
        let made = ["-in", &request, "-out", &signed, "-days", &days, "-copy_extensions", "copy"];
        self.openssl(&[&["x509", "-req"], &by[..], &made].concat());
    }

    fn openssl(&self, words: &[&str]) {
        let ran = Command::new("openssl").args(words).current_dir(self.folder.path()).output().unwrap();
        assert!(ran.status.success(), "openssl {words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}
