//! The settings in force, as TOML, with the secret hidden.

use super::Config;
use figment::Figment;
use figment::providers::Serialized;
use figment::value::{Dict, Value};

impl Config {
    /// All settings in force, in the form of the file.
    pub fn show(&self) -> String {
        let figment = Figment::from(Serialized::defaults(self));
        let mut out = String::new();
        if let Ok(sections) = figment.extract::<Dict>() {
            for (name, section) in &sections {
                table(name, section, &mut out);
            }
        }
        out
    }
}

fn table(name: &str, section: &Value, out: &mut String) {
    let Some(settings) = section.as_dict() else { return };
    if !settings.values().all(|value| value.as_dict().is_some()) {
        out.push_str(&format!("[{name}]\n"));
        for (key, value) in settings.iter().filter(|(_, value)| value.as_dict().is_none()) {
            match text(value) {
                Some(value) => out.push_str(&format!("{key} = {value}\n")),
                None => out.push_str(&format!("# {key} is not set\n")),
            }
        }
        out.push('\n');
    }
    for (key, value) in settings {
        table(&format!("{name}.{}", quoted(key)), value, out);
    }
}

/// A key in TOML: bare if that is possible.
fn quoted(key: &str) -> String {
    let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { format!("{key:?}") }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(format!("{text:?}")),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, number) => number.to_u128().map(|n| n.to_string()),
        Value::Array(_, items) => Some(format!("[{}]", items.iter().filter_map(text).collect::<Vec<_>>().join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn example() -> Config {
        Config::read_with(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mixd.toml"), []).unwrap()
    }

    /// The keys of all settings, as `section.key`.
    fn settings(config: &Config) -> BTreeSet<String> {
        let mut section = String::new();
        let mut found = BTreeSet::new();
        for line in config.show().lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
            } else if let Some(key) = line.trim_start_matches("# ").split(' ').next().filter(|key| !key.is_empty()) {
                found.insert(format!("{section}.{key}"));
            }
        }
        found
    }

    #[test]
    fn what_is_shown_reads_back_the_same_but_for_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "[component]\ndomain='a.b'\nsecret='hush'\n[hosts.'c.d']\npam='none'").unwrap();
        let config = Config::read_with(&file, []).unwrap();
        let shown = config.show();
        assert!(!shown.contains("hush") && shown.contains("(hidden)") && shown.contains("[hosts.\"c.d\"]"), "{shown}");
        std::fs::write(&file, shown.replace("(hidden)", "hush")).unwrap();
        assert_eq!(Config::read_with(&file, []).unwrap(), config);
    }

    #[test]
    fn the_example_shows_the_default_of_every_setting_and_the_manual_explains_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let example_text = std::fs::read_to_string(root.join("config/mixd.toml")).unwrap();
        let manual = std::fs::read_to_string(root.join("docs/configuration.md")).unwrap();
        let found = settings(&example());
        assert!(found.len() > 35 && found.contains("limits.stanza_bytes_max"), "{found:?}");
        for setting in &found {
            let key = setting.rsplit('.').next().unwrap();
            let starts = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(example_text.lines().any(starts), "config/mixd.toml does not show {setting}");
            assert!(manual.contains(&format!("`{key}`")), "docs/configuration.md does not explain {setting}");
        }
        // With every commented setting uncommented, the file parses and changes only what has no default.
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        let full: Vec<_> = example_text
            .lines()
            .map(|line| match line.strip_prefix("# ").filter(|rest| rest.contains(" = ") || rest.starts_with('[')) {
                Some(rest) if !rest.starts_with("secret_file") => rest,
                _ => line,
            })
            .collect();
        std::fs::write(&file, full.join("\n")).unwrap();
        let mut config = Config::read_with(&file, []).unwrap();
        config.component.ping_to = None;
        (config.http.listen, config.http.user_domain, config.http.public_url) = (None, None, None);
        config.metrics.listen = None;
        config.hosts.clear();
        config.service.admins.clear();
        assert_eq!(config, example());
    }
}
