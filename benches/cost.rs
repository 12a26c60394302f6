//! What a stanza costs in instructions: the table of `tests/cost/`, with more of everything, in the release build.
//!
//! `scripts/cost` runs it. The program runs itself under callgrind, which writes down after each measurement what it took,
//! and then goes through the table once more with these numbers in hand.

#![allow(clippy::unwrap_used, dead_code)]

#[path = "../tests/cost/table/mod.rs"]
mod table;

use std::cell::RefCell;
use std::path::Path;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;
use table::family::Bound;

/// What the service allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How much of everything the smaller service holds, and how many parts the smaller stanzas, unless told otherwise.
const SIZE: usize = 100;
const COUNT: usize = 30;
/// Set for the run under callgrind, to the folder that it shares with the one that waits for it.
const INNER: &str = "COST_INNER";
/// The files by which both tell each other that the services are filled, and that callgrind looks.
const READY: &str = "ready";
const WATCHED: &str = "watched";
const BOUND: Bound = Bound { steps: 4_000_000, a_byte: 400, noise: 30_000 };

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What callgrind counts, and after which it writes down how much that was.
#[inline(never)]
fn counted_work(work: &mut dyn FnMut()) {
    work();
    std::hint::black_box(());
}

fn main() {
    let (size, count) = (number("SIZE", SIZE), number("COUNT", COUNT));
    let only = std::env::var("ONLY").unwrap_or_default();
    if let Some(folder) = std::env::var_os(INNER) {
        return measure_under_callgrind(size, count, &only, Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    eprintln!("cost: {size} and {} of everything, under callgrind (some minutes)", size * table::family::TIMES);
    run_under_callgrind(folder.path());
    let counts = RefCell::new(numbers(folder.path()).into_iter());
    let (told, wrong) = table::measure(&mut table::fill(size), &only, count, BOUND, &|work| {
        work();
        counts.borrow_mut().next().expect("callgrind counted each measurement")
    });
    assert_eq!(counts.borrow().len(), 0, "callgrind counted more than was measured");
    println!(
        "what\tbytes\tbytes of ten times as much\tinstructions\tof ten times as much\twhere there is ten times as much"
    );
    print!("{told}");
    if !wrong.is_empty() {
        eprintln!("cost: {} of {} cost more than they may:\n{}", wrong.len(), told.lines().count(), wrong.join("\n"));
        exit(1);
    }
}

/// The run under callgrind. It looks at nothing before it is told so, since filling the services takes long.
fn measure_under_callgrind(size: usize, count: usize, only: &str, folder: &Path) {
    let mut worlds = table::fill(size);
    std::fs::write(folder.join(READY), "").unwrap();
    // Callgrind listens while something goes on.
    while !folder.join(WATCHED).exists() {}
    let nothing = |work: &mut dyn FnMut()| {
        counted_work(work);
        0
    };
    table::measure(&mut worlds, only, count, BOUND, &nothing);
}

fn run_under_callgrind(folder: &Path) {
    let mut inner = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--instr-atstart=no", "--collect-atstart=no"])
        .args(["--toggle-collect=cost::counted_work", "--dump-after=cost::counted_work"])
        .arg(format!("--callgrind-out-file={}", folder.join("count").display()))
        .arg(std::env::current_exe().unwrap())
        .env(INNER, folder)
        .spawn()
        .unwrap_or_else(|error| panic!("valgrind does not start ({error}): scripts/packages installs it"));
    while !folder.join(READY).exists() {
        assert!(inner.try_wait().unwrap().is_none(), "the services were not filled");
        sleep(Duration::from_millis(100));
    }
    let told = Command::new("callgrind_control").args(["-i", "on", &inner.id().to_string()]).output().unwrap();
    assert!(told.status.success(), "callgrind does not listen: {}", String::from_utf8_lossy(&told.stdout));
    std::fs::write(folder.join(WATCHED), "").unwrap();
    assert!(inner.wait().unwrap().success(), "the run under callgrind failed");
}

/// What callgrind wrote down, in order.
fn numbers(folder: &Path) -> Vec<u64> {
    let count = |part: usize| {
        let text = std::fs::read_to_string(folder.join(format!("count.{part}"))).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
        Some(line.and_then(|number| number.trim().parse().ok()).unwrap_or(0))
    };
    (1..).map_while(count).collect()
}
