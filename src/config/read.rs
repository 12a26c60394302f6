//! Reads the file and the environment into checked settings, or reports what is wrong and where.

use super::check::check;
use super::{Config, Secret};
use figment::error::{Error, Kind};
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use std::path::Path;

const PREFIX: &str = "MIXD_";
const SECRET: &str = "component.secret";
/// The only section that a variable sets as a whole.
const HOSTS: &str = "HOSTS";

/// Everything that is wrong with the settings, one line each: place, key, what was found, what is expected.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the file and the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or a setting is wrong.
    pub fn read(file: &Path) -> Result<Config, ConfigError> {
        // Other programs' variables may be no UTF-8.
        let ours = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let mut variables = Vec::new();
        for (name, value) in ours.filter(|(name, _)| key_of(name).is_some()) {
            let refused = |_| ConfigError(vec![format!("environment variable {name}: found no UTF-8, expected text")]);
            let value = value.into_string().map_err(refused)?;
            variables.push((name, value));
        }
        Config::read_with(file, variables)
    }

    /// Reads the file and the given environment variables.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_with(
        file: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        if let Err(error) = std::fs::read_to_string(file) {
            return Err(ConfigError(vec![format!("{}: the file cannot be read: {error}", file.display())]));
        }
        let mut figment = Figment::from(Toml::file_exact(file));
        for (name, text) in variables {
            if let Some(key) = key_of(&name) {
                figment = figment.merge(Variable { name, key, text });
            }
        }
        let place = |key: &str| source(figment.find_metadata(key), file);
        let config: Config =
            figment.extract().map_err(|errors| ConfigError(errors.into_iter().map(|e| line(e, file)).collect()))?;
        let wrong = check(&config);
        if wrong.is_empty() {
            return Ok(config);
        }
        let lines = wrong
            .into_iter()
            .map(|it| format!("{}: {}: found {}, expected {}", place(it.key), it.key, it.found, it.expected));
        Err(ConfigError(lines.collect()))
    }

    /// The secret, from the settings or from its file.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read or is empty.
    pub fn secret(&self) -> Result<Secret, ConfigError> {
        let (Some(file), None) = (&self.component.secret_file, &self.component.secret) else {
            return Ok(self.component.secret.clone().unwrap_or(Secret(String::new())));
        };
        let refused = |why: String| ConfigError(vec![format!("component.secret_file: {}: {why}", file.display())]);
        let text = std::fs::read_to_string(file).map_err(|error| refused(format!("cannot be read: {error}")))?;
        match text.trim() {
            "" => Err(refused("found an empty file, expected the secret shared with the host server".to_owned())),
            secret => Ok(Secret(secret.to_owned())),
        }
    }
}

/// The key that a variable sets; `None` for a variable that is no setting. Kubernetes, for example, sets `MIXD_PORT`
/// and `MIXD_SERVICE_HOST` for a service called mixd.
fn key_of(name: &str) -> Option<String> {
    let key = name.strip_prefix(PREFIX)?;
    (key.contains("__") || key == HOSTS).then(|| key.to_lowercase().replace("__", "."))
}

/// The variables that begin like settings and are none.
pub fn strangers(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> =
        names.into_iter().filter(|name| name.starts_with(PREFIX) && key_of(name).is_none()).collect();
    names.sort_unstable();
    names
}

/// One environment variable. Its name is part of the message when its value is wrong.
struct Variable {
    name: String,
    key: String,
    text: String,
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("environment variable {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        // A secret that consists of digits is text, too.
        let value: Value = match &*self.key {
            SECRET => Value::from(self.text.clone()),
            _ => self.text.parse().unwrap_or_else(|_| Value::from(self.text.clone())),
        };
        let dict = figment::util::nest(&self.key, value).into_dict().unwrap_or_default();
        Ok(Profile::Default.collect(dict))
    }
}

fn source(metadata: Option<&Metadata>, file: &Path) -> String {
    match metadata {
        Some(metadata) if metadata.source.is_none() => metadata.name.to_string(),
        _ => file.display().to_string(),
    }
}

fn line(error: Error, file: &Path) -> String {
    let place = source(error.metadata.as_ref(), file);
    let mut path = error.path.clone();
    let what = match &error.kind {
        Kind::UnknownField(name, known) => {
            // The path of an unknown key ends with its name, that of an unknown section does not.
            if path.last() != Some(name) {
                path.push(name.clone());
            }
            format!("found an unknown setting, expected one of {}", known.join(", "))
        }
        Kind::MissingField(name) => {
            path.push(name.to_string());
            "found nothing, expected a value".to_owned()
        }
        Kind::InvalidType(_, expected) if path.join(".") == SECRET => format!("found no text, expected {expected}"),
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("found {found}, expected {}", in_words(expected))
        }
        Kind::USizeOutOfRange(found) => format!("found {found}, expected a smaller number"),
        Kind::ISizeOutOfRange(found) => format!("found {found}, expected a whole number of 0 or more"),
        Kind::UnknownVariant(found, known) => format!("found {found:?}, expected one of {}", known.join(", ")),
        // The TOML parser quotes the line, which may hold the secret.
        Kind::Message(text) => {
            text.lines().filter(|line| !line.contains('|')).map(str::trim).collect::<Vec<_>>().join(": ")
        }
        other => other.to_string(),
    };
    match path.is_empty() {
        true => format!("{place}: {what}"),
        false => format!("{place}: {}: {what}", path.join(".")),
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "u16" | "u64" | "usize" => "a whole number of 0 or more, within bounds",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pam;

    const LEAST: &str = "[component]\ndomain = 'mix.example.org'\nsecret = 'hush'\n";

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, text).unwrap();
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let prefix = format!("{}/", dir.path().display());
        Config::read_with(&file, variables)
            .map_err(|error| error.0.into_iter().map(|line| line.replace(&prefix, "")).collect())
    }

    #[track_caller]
    fn refused(text: &str, variables: &[(&str, &str)], expected: &str) {
        assert_eq!(read(text, variables).unwrap_err().join("\n"), expected);
    }

    #[test]
    fn two_settings_are_enough_and_the_environment_goes_first() {
        let config = read(LEAST, &[]).unwrap();
        assert_eq!((config.component.port, config.archive.page_max), (5347, 100));
        assert_eq!(config.component.ping_target(), "example.org");
        let variables = [("MIXD_COMPONENT__PORT", "1234"), ("MIXD_COMPONENT__SECRET", "007"), ("HOME", "/")];
        let config = read(LEAST, &variables).unwrap();
        assert_eq!((config.component.port, config.secret().unwrap().reveal()), (1234, "007"));
        let config = read("", &[("MIXD_COMPONENT__DOMAIN", "mix"), ("MIXD_COMPONENT__SECRET", "x")]).unwrap();
        assert_eq!(config.component.ping_target(), "mix");
        let creators = read(LEAST, &[("MIXD_SERVICE__CREATORS", "[a.org, \"*\"]")]).unwrap().service.creators;
        assert_eq!(creators, ["a.org", "*"]);
    }

    #[test]
    fn variables_that_a_kubernetes_service_of_this_name_makes_are_none_of_ours() {
        let made = [
            ("MIXD_PORT", "tcp://10.0.0.7:5347"),
            ("MIXD_SERVICE_HOST", "10.0.0.7"),
            ("MIXD_SERVICE_PORT_HTTP", "8080"),
            ("MIXD_PORT_5347_TCP", "tcp://10.0.0.7:5347"),
            ("MIXD_PORT_5347_TCP_ADDR", "10.0.0.7"),
        ];
        assert_eq!(read(LEAST, &made).unwrap().component.port, 5347);
        let names = made.iter().map(|(name, _)| *name).chain(["HOME", "MIXD_HOSTS", "MIXD_LOG__LEVEL"]);
        assert_eq!(strangers(names.map(str::to_owned)).len(), made.len());
    }

    #[test]
    fn host_servers_are_set_by_one_variable_beside_those_of_the_file() {
        let file = format!("{LEAST}[hosts.'a.org']\npam = 'standard'\n[hosts.'b.org']\npam = 'ejabberd'");
        let config = read(&file, &[("MIXD_HOSTS", r#"{"a.org" = {pam = "none"}, "c.org"={pam="standard"}}"#)]).unwrap();
        let pams = config.hosts.iter().map(|(domain, host)| (domain.to_string(), host.pam)).collect::<Vec<_>>();
        let pam = |domain: &str, pam: Pam| (domain.to_owned(), pam);
        assert_eq!(pams, [pam("a.org", Pam::None), pam("b.org", Pam::Ejabberd), pam("c.org", Pam::Standard)]);
        refused(
            LEAST,
            &[("MIXD_HOSTS", r#"{"a.org"={pam="maybe"}}"#)],
            "environment variable MIXD_HOSTS: hosts.a.org.pam: found \"maybe\", expected one of auto, standard, ejabberd, none",
        );
    }

    #[test]
    fn what_is_unknown_or_missing_or_of_another_type_is_refused_at_its_place() {
        let known = "domain, host, port, secret, secret_file, connect_timeout_s, ping_idle_s, ping_timeout_s, \
                     write_timeout_s, resend_s, backoff_ms_min, backoff_ms_max, ping_to";
        refused(
            &format!("{LEAST}prot = 1"),
            &[],
            &format!("m.toml: component.prot: found an unknown setting, expected one of {known}"),
        );
        refused("[component]\nsecret='x'", &[], "m.toml: component.domain: found nothing, expected a value");
        refused("", &[], "m.toml: component: found nothing, expected a value");
        refused(
            &format!("{LEAST}port = 'x'"),
            &[],
            "m.toml: component.port: found string \"x\", expected a whole number of 0 or more, within bounds",
        );
        refused(
            LEAST,
            &[("MIXD_COMPONENT__PORT", "high")],
            "environment variable MIXD_COMPONENT__PORT: component.port: found string \"high\", expected a whole number of 0 or more, within bounds",
        );
        let sections =
            "component, service, storage, archive, limits, channels, muc, groups, features, http, metrics, hosts, log";
        refused(
            LEAST,
            &[("MIXD_PORT__X", "1")],
            &format!("environment variable MIXD_PORT__X: port: found an unknown setting, expected one of {sections}"),
        );
        refused(
            LEAST,
            &[("MIXD_COMPONENT__PROT", "1")],
            &format!(
                "environment variable MIXD_COMPONENT__PROT: component.prot: found an unknown setting, expected one of {known}"
            ),
        );
        refused(
            &format!("{LEAST}[hosts.\"a.org\"]\npam = 'maybe'"),
            &[],
            "m.toml: hosts.a.org.pam: found \"maybe\", expected one of auto, standard, ejabberd, none",
        );
    }

    #[test]
    fn what_is_out_of_range_is_refused_and_all_of_it_at_once() {
        refused(
            &format!("{LEAST}backoff_ms_max = 20\n[archive]\npage_max = 0\n[limits]\nstanza_depth_max = 4000"),
            &[("MIXD_ARCHIVE__QUERY_THREADS", "0")],
            "m.toml: archive.page_max: found 0, expected a number from 1 to 10000\n\
             environment variable MIXD_ARCHIVE__QUERY_THREADS: archive.query_threads: found 0, expected a number from \
             1 to 256\n\
             m.toml: limits.stanza_depth_max: found 4000, expected a number from 16 to 256\n\
             m.toml: component.backoff_ms_max: found 20, expected at least backoff_ms_min\n\
             m.toml: archive.page_default: found 20, expected at most archive.page_max",
        );
    }

    #[test]
    fn a_channel_is_made_with_what_its_owner_could_settle() {
        refused(
            &format!("{LEAST}[channels]\nguests = 'owners'\nmoderation = 'anyone'\n[groups]\nguests = 'nobody'"),
            &[],
            "m.toml: channels.guests: found \"owners\", expected one of participants, allowed, anyone\n\
             m.toml: channels.moderation: found \"anyone\", expected one of nobody, admins, owners\n\
             m.toml: groups.guests: found \"nobody\", expected one of participants, allowed, anyone",
        );
    }

    #[test]
    fn a_host_server_that_does_not_read_is_left_before_the_process_counts_as_stuck() {
        refused(
            &format!("{LEAST}write_timeout_s = 90\n[metrics]\nstuck_s = 90"),
            &[],
            "m.toml: metrics.stuck_s: found 90, expected more than component.write_timeout_s",
        );
    }

    #[test]
    fn a_secret_is_asked_for_once_and_never_shown() {
        refused(
            "[component]\ndomain='a.b'",
            &[],
            "m.toml: component.secret: found nothing, expected either secret or secret_file",
        );
        refused(
            &format!("{LEAST}secret_file='/x'"),
            &[],
            "m.toml: component.secret_file: found secret as well, expected only one of the two",
        );
        for text in ["[component]\ndomain='a.b'\nsecret = 12345", "[component]\nsecret = 'hush' 12345"] {
            let lines = read(text, &[]).unwrap_err().join("\n");
            assert!(!lines.contains("12345") && !lines.contains("hush"), "{lines}");
        }
        assert!(!format!("{:?}", read(LEAST, &[]).unwrap()).contains("hush"));
    }

    #[test]
    fn a_secret_file_is_trimmed_and_must_hold_something() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let text = format!("[component]\ndomain='a.b'\nsecret_file='{}'", file.display());
        let config = read(&text, &[]).unwrap();
        assert!(config.secret().unwrap_err().to_string().contains("cannot be read"));
        std::fs::write(&file, " \n").unwrap();
        assert!(config.secret().unwrap_err().to_string().contains("empty file"));
        std::fs::write(&file, "s3 cret\n").unwrap();
        assert_eq!(config.secret().unwrap().reveal(), "s3 cret");
    }

    #[test]
    fn domains_accounts_and_filters_are_checked() {
        let base = "[component]\nsecret='x'\n";
        let lines = read(&format!("{base}domain='a@b'"), &[]).unwrap_err().join("\n");
        assert!(lines.contains("component.domain: found \"a@b\", expected a domain"), "{lines}");
        let lines = read(&format!("{LEAST}[service]\nadmins=['x.org', 'a@b']\ncreators=['/']"), &[]).unwrap_err();
        assert!(
            lines[0].contains("service.creators: found \"/\"") && lines[1].contains("found \"x.org\""),
            "{lines:?}"
        );
        assert!(read(&format!("{LEAST}[service]\nadmins=['a@b/c']"), &[]).is_err());
        let lines = read(&format!("{LEAST}[log]\nlevel='a=b=c'"), &[]).unwrap_err().join("\n");
        assert!(lines.contains("log.level: found \"a=b=c\""), "{lines}");
        assert!(read(&format!("{LEAST}[hosts.'a@b']"), &[]).is_err());
    }

    #[test]
    fn a_broken_or_absent_file_is_named() {
        let lines = read("[component", &[]).unwrap_err().join("\n");
        assert!(lines.starts_with("m.toml: TOML parse error at line 1"), "{lines}");
        let absent = Config::read_with(Path::new("/nonexistent/m.toml"), []).unwrap_err().to_string();
        assert!(absent.starts_with("/nonexistent/m.toml: the file cannot be read"), "{absent}");
    }
}
