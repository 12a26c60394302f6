//! No engine of containers runs here: the files are read, and what they copy is built as they say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of a stage of the Dockerfile, from its FROM to the next one.
fn stage(name: &str) -> Vec<String> {
    let text = fs::read_to_string(checkout().join("Dockerfile")).unwrap();
    let end = format!(" AS {name}");
    let lines = text.lines().skip_while(|line| !line.ends_with(&end)).skip(1);
    lines.take_while(|line| !line.starts_with("FROM ")).map(str::to_owned).collect()
}

/// What a line copies out of the checkout, and where to.
fn copied(line: &str) -> Option<(Vec<&str>, &str)> {
    let words: Vec<&str> = line.strip_prefix("COPY ")?.split_whitespace().collect();
    let (to, from) = words.split_last()?;
    (!words.iter().any(|word| word.starts_with("--"))).then(|| (from.to_vec(), *to))
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

#[test]
fn the_image_builds_from_what_is_copied_into_it() {
    let folder = tempfile::tempdir().unwrap();
    let lines = stage("build");
    for (sources, to) in lines.iter().filter_map(|line| copied(line)) {
        for source in sources {
            let into = folder.path().join(to);
            let into = if to.ends_with('/') { into.join(Path::new(source).file_name().unwrap()) } else { into };
            copy(&checkout().join(source), &into);
        }
    }
    let run = lines.iter().find_map(|line| line.strip_prefix("RUN cargo build ")).expect("it runs cargo");
    // The compiler reads everything that it would read for the image; the machine code is that of every other build, and
    // the dependencies are at hand.
    let words = ["check"].into_iter().chain(run.split_whitespace().filter(|word| *word != "--release"));
    let target = Path::new(env!("CARGO_BIN_EXE_mixd")).ancestors().nth(2).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(words)
        .current_dir(folder.path())
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn everything_that_is_copied_is_there_and_not_left_out() {
    let ignored = fs::read_to_string(checkout().join(".dockerignore")).unwrap();
    let text = fs::read_to_string(checkout().join("Dockerfile")).unwrap();
    let mut seen = 0;
    for (sources, _) in text.lines().filter_map(copied) {
        for source in sources {
            assert!(checkout().join(source).exists(), "{source} is copied and is not there");
            assert!(!ignored.lines().any(|line| source.starts_with(line)), "{source} is left out by .dockerignore");
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}
