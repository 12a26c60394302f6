//! A clock that can jump, of one process alone.

use std::fs;
use std::path::{Path, PathBuf};

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
