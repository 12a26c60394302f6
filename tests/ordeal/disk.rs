//! A disk that can be full, and a clock that can jump, of one process alone.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder below which the store lies: a file system of its own where root may mount one; elsewhere the process is
/// limited in how large its files may be, which every write meets in the same way.
pub struct Disk {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl Disk {
    /// An empty disk of so many MiB.
    pub fn new(mib: usize) -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let words = ["-t", "tmpfs", "-o", &size, "mixd-ordeal"];
        let mounted = Command::new("mount").args(words).arg(folder.path()).output().is_ok_and(|it| it.status.success());
        Disk { folder, mounted }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the disk is.
    pub fn kind(&self) -> &'static str {
        if self.mounted { "a disk of its own" } else { "a limit on its files" }
    }

    /// Nothing more can be written.
    pub fn fill(&self, pid: u32) {
        if !self.mounted {
            return limit(pid, "1:");
        }
        let mut filler = File::create(self.filler()).unwrap();
        for block in [vec![0; 1 << 20], vec![0; 4096], vec![0; 1]] {
            while filler.write_all(&block).is_ok() {}
        }
    }

    /// So much is left, in bytes; whether that can be had.
    pub fn fill_up_to(&self, left: u64) -> bool {
        if self.mounted {
            let room = fs4::available_space(self.path()).unwrap().saturating_sub(left);
            fs::write(self.filler(), vec![0; room as usize]).unwrap();
        }
        self.mounted
    }

    /// There is room again.
    pub fn free(&self, pid: Option<u32>) {
        match (self.mounted, pid) {
            (true, _) => fs::remove_file(self.filler()).unwrap(),
            (false, Some(pid)) => limit(pid, "unlimited:"),
            (false, None) => {}
        }
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
        }
    }
}

fn limit(pid: u32, bytes: &str) {
    let words = ["--pid", &pid.to_string(), &format!("--fsize={bytes}")].map(str::to_owned);
    assert!(Command::new("prlimit").args(words).status().unwrap().success());
}

/// The time as the process sees it: libfaketime reads how far it is off from a file.
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    pub fn new(folder: &Path) -> Clock {
        let clock = Clock { file: folder.join("clock") };
        clock.set(0);
        clock
    }

    /// Seconds from the right time on.
    pub fn set(&self, off_s: i64) {
        // Written aside and renamed, so that nobody reads half of it.
        let aside = self.file.with_extension("new");
        fs::write(&aside, format!("{off_s:+}s\n")).unwrap();
        fs::rename(&aside, &self.file).unwrap();
    }

    /// What goes before the command line of the process. A file over its limit is an error of the write and no signal.
    pub fn wrapper(&self) -> Vec<String> {
        let library =
            fs::read_dir("/usr/lib").unwrap().flatten().map(|it| it.path().join("faketime/libfaketimeMT.so.1"));
        let library = library.into_iter().find(|path| path.exists());
        let library = library.expect("libfaketime is not installed; scripts/packages does it");
        let words = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", "env", "FAKETIME_NO_CACHE=1", "NO_FAKE_STAT=1"];
        let mut words: Vec<String> = words.map(str::to_owned).into();
        words.extend([
            "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
            format!("LD_PRELOAD={}", library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", self.file.display()),
        ]);
        words
    }
}
