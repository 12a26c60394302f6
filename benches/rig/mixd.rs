//! The real binary beside the rig, and what it costs the machine.

use super::{DOMAIN, Rig, USERS};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `mixd`, which is killed when this is dropped.
pub struct Mixd {
    child: Child,
}

impl Mixd {
    /// Starts it on the store in `folder` and lets it in. Returns also how long that took.
    pub fn start(folder: &Path) -> (Mixd, Rig, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let file = folder.join("mixd.toml");
        let settings = format!(
            "[component]\ndomain = '{DOMAIN}'\nport = {port}\nsecret = 's'\n[service]\ncreators = ['*']\n\
             [log]\nlevel = 'warn'\n[storage]\npath = '{}'\n[hosts.'{USERS}']\npam = 'standard'\n\
             [limits]\nmessages_per_s = 0\nmessage_bytes_per_s = 0\nchannel_messages_per_s = 0\nrequests_per_s = 0\ninvitations_per_s = 0\n\
             presence_per_s = 0\n",
            folder.join("store").display()
        );
        std::fs::write(&file, settings).unwrap();
        let begun = Instant::now();
        let mut mixd = Command::new(env!("CARGO_BIN_EXE_mixd"));
        mixd.args(["serve", "--config"]).arg(&file).stdin(Stdio::null());
        let mixd = Mixd { child: mixd.spawn().unwrap() };
        let rig = Rig::accept(&listener);
        (mixd, rig, begun.elapsed())
    }

    /// Ends it once it knows that everything arrived: what it does not know it would send again after the next start.
    pub fn stop(mut self) {
        std::thread::sleep(Duration::from_secs(2));
        Command::new("kill").arg(self.id().to_string()).status().unwrap();
        self.child.wait().unwrap();
    }

    /// Has it hand over to the same program. Returns for how long no stanza was served, in milliseconds.
    pub fn hand_over(&self, folder: &Path) -> f64 {
        let mut asking = Command::new(env!("CARGO_BIN_EXE_mixd"));
        let told = asking.args(["handover", "--config"]).arg(folder.join("mixd.toml")).output().unwrap();
        let text = String::from_utf8(told.stdout).unwrap();
        let ms = text.split("waited for ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        ms.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&told.stderr)))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What is resident of it, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The processor time that each of its threads has had, by its name.
    pub fn cpu(&self) -> Vec<(String, Duration)> {
        cpu_of(&format!("/proc/{}/task", self.id()))
    }
}

impl Drop for Mixd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of this program's own threads.
pub fn own_cpu() -> Vec<(String, Duration)> {
    cpu_of("/proc/self/task")
}

fn cpu_of(tasks: &str) -> Vec<(String, Duration)> {
    let mut all: Vec<(String, Duration)> = Vec::new();
    for task in std::fs::read_dir(tasks).unwrap().flatten() {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let (name, schedstat) = (read("comm").trim().to_owned(), read("schedstat"));
        let ran = schedstat.split_whitespace().next().and_then(|ns| ns.parse().ok()).map(Duration::from_nanos);
        let ran = ran.unwrap_or_default();
        match all.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += ran,
            None => all.push((name, ran)),
        }
    }
    all.sort();
    all
}

/// What was spent between two looks, by thread, and in all.
pub fn spent(before: &[(String, Duration)], after: &[(String, Duration)]) -> (Vec<(String, Duration)>, Duration) {
    let spent = after.iter().map(|(name, ran)| {
        let past = before.iter().find(|(other, _)| other == name).map_or(Duration::ZERO, |(_, ran)| *ran);
        (name.clone(), ran.saturating_sub(past))
    });
    let spent: Vec<_> = spent.filter(|(_, ran)| !ran.is_zero()).collect();
    let sum = spent.iter().map(|(_, ran)| *ran).sum();
    (spent, sum)
}
