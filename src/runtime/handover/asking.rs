//! Asks the program on disk whether it would take over.

use super::offer::{Offer, Verdict};
use super::passing::Program;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The argument of a program that is asked.
pub const WOULD_TAKE_OVER: &str = "--would-take-over";
/// How long the program may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the rest of what it says may take once it has ended.
const REST_PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked whether it has.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// How much of what else it says is told, in characters.
const TOLD_CHARS_MAX: usize = 300;

/// Has the program say whether it would take over what is offered. Returns its notes.
///
/// # Errors
/// Why not: it refuses, is no mixd that understands this, crashes, or does not answer.
pub fn ask_program(program: &Program, offer: &Offer) -> Result<(String, Vec<String>), String> {
    let path = program.path.display();
    let offer = serde_json::to_string(offer).map_err(|error| error.to_string())?;
    let mut command = Command::new(&program.path);
    command.args(&program.args).args([WOULD_TAKE_OVER, &offer]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("{path} cannot be run: {error}"))?;
    let (answer, complaint) = (reading(child.stdout.take()), reading(child.stderr.take()));
    let ended = wait(&mut child).map_err(|error| format!("{path} {error}"))?;
    // Something that the program left behind may keep its output open.
    let text = |reading: Receiver<String>| reading.recv_timeout(REST_PATIENCE).unwrap_or_default();
    let (answer, complaint) = (text(answer), text(complaint));
    let mut verdicts = answer.lines().filter_map(|line| serde_json::from_str(line).ok());
    match verdicts.next_back() {
        Some(Verdict::Accepted { program, notes }) if ended.success() => Ok((program, notes)),
        Some(Verdict::Refused { why }) => Err(why),
        Some(Verdict::Accepted { .. }) | None => {
            let said = complaint.trim().lines().collect::<Vec<_>>().join(" ");
            let said: String = said.chars().filter(|c| !c.is_control()).take(TOLD_CHARS_MAX).collect();
            Err(format!("{path} is no mixd that can take over, or does not start ({ended}): {said}"))
        }
    }
}

/// Reads in a thread of its own: nobody is to wait for a program that writes without end.
fn reading(from: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (tell, told) = channel();
    let read = move || {
        let (Some(mut from), mut bytes) = (from, Vec::new()) else { return };
        let _ = from.by_ref().take(ANSWER_BYTES_MAX).read_to_end(&mut bytes);
        let _ = tell.send(String::from_utf8_lossy(&bytes).into_owned());
        // The rest goes nowhere, so that it can be written and the program ends.
        let _ = io::copy(&mut from, &mut io::sink());
    };
    // Without a thread nothing is told, and that is no verdict.
    let _ = std::thread::Builder::new().name("verdict".to_owned()).spawn(read);
    told
}

fn wait(child: &mut Child) -> Result<std::process::ExitStatus, String> {
    for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
        match child.try_wait() {
            Ok(Some(ended)) => return Ok(ended),
            Ok(None) => std::thread::sleep(PAUSE),
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(format!("does not say within {} s whether it would take over", PATIENCE.as_secs()))
}
