//! What the log shows: a level, or a filter of levels by module.

use std::str::FromStr;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The modules of this program that write to the log.
const MODULES: [&str; 8] = ["channel", "config", "commands", "engine", "runtime", "store", "xep", "xmpp"];

/// Whether a filter is one that shows something of this program, or says `off`.
///
/// The filter's own parser takes any word for a module and then shows that module alone, so that a level with a slip of
/// the pen in it would silence the log. Here every part is a level or `module=level`, and one of them is about mixd.
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

/// Whether a module of this program exists; those of libraries are not known here.
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
        // What counts steps, says how far something is, or whose share it is, writes nothing.
        let silent = ["main", "lib", "steps", "chore", "share", "share_tests", "site"];
        for module in modules.filter(|name| !silent.contains(&&**name)) {
            assert!(MODULES.contains(&&*module), "{module}");
        }
    }
}
