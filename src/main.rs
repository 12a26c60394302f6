//! The command line: `mixd serve`, `mixd check-config`, and what one does to a store.

mod commands;
mod serving;

use clap::{Parser, Subcommand};
use mixd::config::Config;
use serving::From;
use std::process::ExitCode;

/// A stanza's memory is mostly allocated by one thread and freed by another. The system's allocator spends half of a
/// message's time on that. mimalloc takes no huge pages here (its feature `no_thp`): they keep far more memory resident
/// than is in use, most of all in an idle process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ABOUT: &str = "Group chat for XMPP: a MIX service (XEP-0369) beside any host server, as an external component";
const GUIDE: &str = "\
First steps:
  1. Name the component in the host server's configuration and restart it.
     Prosody:   Component \"mix.example.org\"
                    component_secret = \"change me\"
     ejabberd:  listen:
                  - port: 5347
                    ip: \"127.0.0.1\"
                    module: ejabberd_service
                    access: all
                    global_routes: false
                    hosts: {mix.example.org: {password: \"change me\"}}
  2. Write mixd.toml:
     [component]
     domain = \"mix.example.org\"
     secret = \"change me\"
  3. mixd check-config --config mixd.toml
  4. mixd serve --config mixd.toml
     The log says \"link up\" when the host server has let it in.

Environment variables go before the file: MIXD_, section, two underscores, setting. Others are left alone.
  MIXD_COMPONENT__SECRET='change me' mixd serve --config mixd.toml
  MIXD_LOG__LEVEL=debug mixd serve --config mixd.toml

Exit codes:
  0   stopped by SIGTERM or SIGINT, or the settings are right
  1   cannot start, or cannot do what was asked: the store cannot be opened or read
  2   the command line is wrong
  65  something is wrong with the store (verify, compact, upgrade) or with the backup of it (restore)
  70  the store failed while it wrote; check the disk, then start again
  78  the settings are wrong";

const GUIDE_BACKUP: &str = "\
Examples:
  mixd backup /backup/mixd/$(date +%F)
  mixd backup --store /var/lib/mixd /mnt/usb/mixd

While the service runs, it makes the copy itself, asked through a socket in the store's folder: run this as the same
user, or as root, and name a folder that the service may write. It goes on serving. The copy is the store as it was
between two commits, at the time that is told at the end. A folder without MANIFEST.json is no backup.

Exit codes: 0 the backup is complete and on disk, 1 no backup was made and nothing is left of it.";

const GUIDE_RESTORE: &str = "\
Examples:
  mixd restore /backup/mixd/2026-11-25
  mixd restore --store /var/lib/mixd /mnt/usb/mixd

The service must not run, and the folder of the store must not hold one: move the old one away first. Every byte is
checked against the backup's digests, and the store is looked through at the end, as by mixd verify. A restore that was
cut short is run again. Run it as the user that the service runs as.

Rows that came after the backup are gone. So that no id that a client has seen comes to mean something else, each
channel goes on with higher row numbers; the gap is kept, and mixd verify knows it.

Exit codes: 0 restored, 1 nothing was restored, 65 restored, and something is wrong with it.";

const GUIDE_VERIFY: &str = "\
Examples:
  mixd verify --config /etc/mixd/mixd.toml
  mixd verify --store /var/lib/mixd > findings.txt

Looked at are entries and their versions, the numbers of commits, the directory of channels, lists, members, the index
from accounts to channels, rows (numbers, stamps, ordinals, months), the indexes of rows, tombstones, and reports. Each
line of the output is one finding: the check, the place, the reason. The service must not run: a store serves one
process. A store with findings is replaced by its last good backup; there is no tool that repairs it.

With --account it looks instead for entries that say something of one account, as after mixd account erase; what others
wrote is not looked at.

Exit codes: 0 nothing is wrong, 1 the store cannot be opened, 65 something is wrong.";

const GUIDE_ACCOUNT: &str = "\
Examples:
  mixd account show bob@example.org
  mixd account export bob@example.org > bob.json
  mixd account end bob@example.org --yes
  mixd account erase --store /var/lib/mixd bob@example.org --yes

For accounts that their server does not tell about (docs/prosody.md, docs/ejabberd.md), and for people who ask for what
there is of them, or for its end. While the service runs it does this itself, asked through a socket in the store's folder:
run this as the same user, or as root. Where it does not run, show and export read the store, and the rest is noted and
done as soon as the service runs.

end: the account leaves every channel, those that it alone owns get another owner, its registered nick and its
invitations go. What it wrote stays. erase: besides, what it wrote gives way to marks that something was deleted, and its
nicks, its address, its receipts and its place on lists go; mixd verify --account finds nothing of it then. The bytes
are gone from the disk with the next mixd compact. Backups keep what they have.

Both say first what they do, and do it with --yes alone. To do it twice is to do it once.

Exit codes: 0 done, 1 nothing was done.";

const GUIDE_COMPACT: &str = "\
Examples:
  mixd compact --config /etc/mixd/mixd.toml
  mixd compact --store /var/lib/mixd

The service must not run; stop it first. A store only grows while it is in use: what was destroyed, expired or written
over keeps its room. This writes state/ and every month into new files, without all that, looks through them as mixd
verify does, and only then puts them in the place of the old ones. Nobody sees a difference: no id changes, and no row
that anybody can read goes.

It needs as much room beside the store as the store takes, and says so where there is less. Stopped or killed at any
moment, it leaves the old store or the new one; the next start of the service, or of any command, clears up. Run it as
the user that the service runs as.

Exit codes: 0 compacted, 1 nothing was done, 65 something is wrong with the store, which is left as it was.";

const GUIDE_UPGRADE: &str = "\
Examples:
  mixd upgrade --config /etc/mixd/mixd.toml
  mixd upgrade --store /var/lib/mixd
  mixd upgrade --store /var/lib/mixd --back

The service must not run; stop it first. A store of up to 128 MiB is upgraded by the service itself as it starts, in the
same way. state/ and the current month are written anew in this program's format; months that are over stay as they are.
The whole is looked through as by mixd verify, and only then takes the place of what was there. Stopped or killed at any
moment, it leaves the store as it was or as it is to be.

What it was stays in before-upgrade/ within the store, for seven days, or until a month or what nobody can reach is
removed. Until then --back puts it in its place again, for the program before: what was written since is lost. --done
removes it at once. It takes as much room as state/ and the current month.

Exit codes: 0 upgraded, 1 nothing was done, 65 something is wrong with the store, which is left as it was.";

const GUIDE_CLOCK: &str = "\
Examples:
  mixd clock show --config /etc/mixd/mixd.toml
  mixd clock confirm
  mixd clock confirm --store /var/lib/mixd

A clock that is wrongly ahead would have things end for good that end by time: invitations, channels with an end of life,
groups that nobody is in, old messages. So mixd does not believe a clock that jumps more than 24 hours ahead while it
runs, or that is, at a start, more than 7 days past what it last was sure of. The log and /health/ready say so. Look at
the clock then (date):
  right, since the service was off for a while, say: run 'mixd clock confirm'
  wrong: set it right, and everything goes on by itself
Where nothing is done, mixd believes it when it has gone on like that for 24 hours; but old messages are not removed
until this command says that the clock is right.

While the service runs, it is asked through a socket in the store's folder: run this as the same user, or as root. Where
it does not run, the store is told, for the next start.

Exit codes: 0 told, or confirmed; 1 it is not, and the reason is told.";

const GUIDE_HANDOVER: &str = "\
Examples:
  install -m 755 target/release/mixd /usr/local/bin/mixd && mixd handover --config /etc/mixd/mixd.toml
  mixd handover --store /var/lib/mixd
  kill -USR2 PID        the same, without the answer; the log has it

After an upgrade of the program, or with other settings: the running process executes the program that is on disk now in
its own place, and hands it the stream to the host server, its listening sockets and what it knows. The host server and
clients see no end of anything: nobody leaves a room, and no message is lost or comes twice. The process keeps its id.

First the new program is asked, while everything goes on. It says whether the settings are right and are those of the same
service (component.domain, host and port, and storage.path stay; all else may change), whether it reads the store as it is
or with an upgrade of seconds, and whether it understands the handover. If it refuses, crashes or is something else, the
reason is told, and the running process goes on as if nothing had been asked.

Then requests over HTTP end, for at most ten seconds, while new ones wait; people are served meanwhile. From then on
stanzas wait, mostly for some hundred milliseconds. The answer says how long it was.

Run it as the user that the service runs as, or as root.

Exit codes: 0 handed over, 1 not, and the reason is told, 78 the settings cannot be read.";

#[derive(Parser)]
#[command(name = "mixd", version, about = ABOUT, after_help = GUIDE, arg_required_else_help = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service until SIGTERM or SIGINT; the log goes to standard error
    #[command(after_help = "Example: mixd serve --config /etc/mixd/mixd.toml")]
    Serve(From),
    /// Check the settings and print them as they are in force, with the secret hidden
    #[command(after_help = "Example: mixd check-config --config mixd.toml && echo right")]
    CheckConfig(From),
    /// Copy the store into a folder of its own, also while the service runs
    #[command(after_help = GUIDE_BACKUP)]
    Backup(commands::Backup),
    /// Make a store of a backup, where there is none, and look through it
    #[command(after_help = GUIDE_RESTORE)]
    Restore(commands::Restore),
    /// Look through a store that is not in use, and print everything that is not as it has to be
    #[command(after_help = GUIDE_VERIFY)]
    Verify(commands::Verify),
    /// Look at an account, export what there is of it, end it, or erase it; also while the service runs
    #[command(after_help = GUIDE_ACCOUNT)]
    Account(commands::AccountArgs),
    /// Write a store that is not in use into new files, without what nobody can reach, and look through them
    #[command(after_help = GUIDE_COMPACT)]
    Compact(commands::StorePlace),
    /// Bring a store that is not in use from an earlier format to this one, or back
    #[command(after_help = GUIDE_UPGRADE)]
    Upgrade(commands::Upgrade),
    /// Say what the clock says, whether it is believed, and that it is right
    #[command(after_help = GUIDE_CLOCK)]
    Clock(commands::ClockArgs),
    /// Have the program on disk take over from the running service, which nobody notices
    #[command(after_help = GUIDE_HANDOVER)]
    Handover(commands::StorePlace),
}

fn main() -> ExitCode {
    let (from, serving) = match Line::parse().command {
        Command::Serve(from) => (from, true),
        Command::CheckConfig(from) => (from, false),
        Command::Backup(asked) => return commands::backup(&asked),
        Command::Restore(asked) => return commands::restore(&asked),
        Command::Verify(asked) => return commands::verify(&asked),
        Command::Account(asked) => return commands::account(&asked),
        Command::Compact(place) => return commands::compact(&place),
        Command::Upgrade(asked) => return commands::upgrade(&asked),
        Command::Clock(asked) => return commands::clock(&asked),
        Command::Handover(place) => return commands::handover(&place),
    };
    if serving {
        return serving::serve(&from);
    }
    let config = match Config::read(&from.config).and_then(|config| config.secret().map(|_| config)) {
        Ok(config) => config,
        Err(error) => {
            commands::note(&error);
            return ExitCode::from(commands::EXIT_CONFIG);
        }
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in mixd::config::strangers(names) {
        commands::say(&format_args!("# {name} is no setting (MIXD_SECTION__KEY) and is left alone"));
    }
    commands::say(&format_args!("{}# OK", config.show()));
    ExitCode::SUCCESS
}
