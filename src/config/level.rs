//! The level of the log, or a filter with levels by module.

use std::str::FromStr;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The modules of this program that write to the log.
const MODULES: [&str; 9] = ["channel", "config", "commands", "engine", "runtime", "serving", "store", "xep", "xmpp"];

/// Whether a filter shows something of this program, or is `off`.
///
/// The filter's own parser takes any word for a module and then shows that module alone. So a misspelt level would
/// silence the log. Here each part has to be a level or `module=level`, and one of them has to be about mixd.
pub(super) fn is_filter(text: &str) -> bool {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_right = |part: &&str| match part.rsplit_once('=') {
        None => is_level(part),
        Some((module, level)) => is_level(level) && is_known(module),
    };
    let is_ours = |part: &&str| !part.contains('=') || part.starts_with("mixd");
    parts.iter().all(is_right) && parts.iter().any(is_ours) && EnvFilter::try_new(text).is_ok()
}

fn is_level(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic()) && LevelFilter::from_str(text).is_ok()
}

/// Whether this program has such a module. Modules of libraries are not known here.
fn is_known(module: &str) -> bool {
    let module = module.split('[').next().unwrap_or_default();
    let mut path = module.split("::");
    match (path.next(), path.next()) {
        (Some("mixd"), None) => true,
        (Some("mixd"), Some(part)) => MODULES.contains(&part),
        (Some(library), _) => !library.is_empty(),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_would_show_nothing_by_mistake_is_none() {
        for right in
            ["info", "DEBUG", "off", "info,mixd::runtime=debug", "warn,sled=info", "mixd=debug", "mixd::store=trace"]
        {
            assert!(is_filter(right), "{right}");
        }
        for wrong in [
            "",
            "verbose",
            "inof",
            "3",
            "info,",
            "a=b=c",
            "mixd",
            "mixd::runtime",
            "mixd=inof",
            "mixd::runtme=debug",
            "sled=info",
            "mxid=info",
            "info debug",
            "=info",
        ] {
            assert!(!is_filter(wrong), "{wrong}");
        }
    }

    #[test]
    fn every_module_that_writes_to_the_log_is_known() {
        let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let names = std::fs::read_dir(src).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let modules = names.map(|name| name.trim_end_matches(".rs").to_owned());
        // These modules write nothing to the log.
        let silent = ["main", "lib", "steps", "chore", "timers", "share", "share_tests", "site"];
        for module in modules.filter(|name| !silent.contains(&&**name)) {
            assert!(MODULES.contains(&&*module), "{module}");
        }
    }
}
