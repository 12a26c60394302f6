//! A disk that can be full, of one process alone.

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
