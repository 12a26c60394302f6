//! Guards threads and tasks without which the process would go on half dead.

use std::panic::PanicHookInfo;

/// Held by a thread or task; a panic that unwinds through it ends the process.
#[derive(Debug)]
pub struct Vital(pub &'static str);

impl Drop for Vital {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(
                "{} failed in a way it never should; the process ends, please report the place above",
                self.0
            );
            std::process::abort();
        }
    }
}

/// Logs where a panic happened, without its message, which may hold what people wrote.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("panic at {place}");
    }));
}
