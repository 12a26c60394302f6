//! Private host servers and `mixd` processes for tests that run the real programs.
//!
//! Each lives in its own folder on free loopback ports and is ended by its own
//! process id when dropped, also when the test panics. The host servers read
//! the files of `config/`, through `scripts/host`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::Once;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Domain of the accounts.
pub const USER_DOMAIN: &str = "localhost";
/// Domain of the service.
pub const MIX_DOMAIN: &str = "mix.localhost";
/// Secret that the host servers expect of the component.
pub const SECRET: &str = "a-secret-for-tests";
/// Accounts that each host server has, with the password `pw-NAME`.
const ACCOUNTS: [&str; 7] = ["alice", "bob", "carol", "dave", "erin", "frank", "mallory"];
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(25);

/// Which host server, and with which file of `config/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// Prosody with delegation and privilege.
    Prosody,
    /// Prosody with `mod_mixd`.
    ProsodyMixd,
    /// ejabberd with delegation and privilege.
    Ejabberd,
    /// ejabberd with its own `mod_mix_pam`.
    EjabberdMixPam,
}

impl HostKind {
    /// The name that `scripts/host` and the scenarios know.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prosody => "prosody",
            Self::ProsodyMixd => "prosody-mixd",
            Self::Ejabberd => "ejabberd",
            Self::EjabberdMixPam => "ejabberd-mix-pam",
        }
    }
}

/// A path within the checkout.
pub fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Installs what the live tests run, once a test run; panics with the reason if it cannot.
pub fn install_packages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = Command::new(checkout("scripts/packages")).status().expect("scripts/packages starts");
        assert!(status.success(), "scripts/packages could not install what the live tests need (see above)");
        if let Some(debian) = std::env::var("HOST_DEBIAN").ok().filter(|it| !it.is_empty()) {
            unpack(&debian);
        }
    });
}

/// Unpacks the host servers of another Debian, once; panics with the reason if it cannot.
fn unpack(debian: &str) {
    let status = Command::new(checkout("scripts/debian")).arg(debian).stdout(Stdio::null()).status();
    assert!(status.expect("scripts/debian starts").success(), "no host servers of Debian {debian} (see above)");
}

/// A port of the loopback address that was free a moment ago, and that nobody here was given before.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        if GIVEN.lock().expect("nobody panics with it").insert(port) {
            return port;
        }
    }
}

/// What differs between host servers in tests.
pub struct Setup {
    /// Which one.
    pub kind: HostKind,
    /// Its file, if not the one of `config/`.
    pub config: Option<PathBuf>,
    /// Domain of the accounts.
    pub domain: &'static str,
    /// Domain of the service.
    pub service: &'static str,
    /// Port for components.
    pub component_port: u16,
    /// The Debian that it comes from, as `scripts/debian` knows it; that of the system, or of HOST_DEBIAN, if absent.
    pub debian: Option<&'static str>,
    /// Accounts besides the usual ones, as `name@domain`; the password is `pw-NAME`.
    pub accounts: Vec<String>,
}

impl Setup {
    /// With its file of `config/`.
    pub fn of(kind: HostKind) -> Self {
        Self {
            kind,
            config: None,
            domain: USER_DOMAIN,
            service: MIX_DOMAIN,
            component_port: free_port(),
            debian: None,
            accounts: Vec::new(),
        }
    }
}

/// A running private host server.
pub struct Host {
    /// How it is set up.
    pub setup: Setup,
    /// Port for clients.
    pub c2s_port: u16,
    /// Port for BOSH and WebSockets.
    pub http_port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Host {
    /// Starts one with its file of `config/` and fresh accounts, and waits until it takes connections.
    pub fn start(kind: HostKind) -> Self {
        Self::start_as(Setup::of(kind))
    }

    /// Starts one set up as said, with fresh accounts, and waits until it takes connections.
    pub fn start_as(setup: Setup) -> Self {
        install_packages();
        if let Some(debian) = setup.debian {
            unpack(debian);
        }
        let folder = tempfile::Builder::new().prefix("mixd-host-").tempdir().expect("a folder");
        let (c2s_port, http_port) = (free_port(), free_port());
        let child = spawn_host(&setup, folder.path(), [c2s_port, http_port]);
        let mut host = Self { setup, c2s_port, http_port, folder, child };
        host.wait_until_ready();
        host
    }

    /// Stops it in order and starts it again with the same ports and accounts.
    pub fn restart(&mut self) {
        stop(&mut self.child);
        // The log of the run before would make the wait for readiness end at once.
        fs::remove_file(self.log_path()).expect("the log is there");
        self.child = spawn_host(&self.setup, self.folder.path(), [self.c2s_port, self.http_port]);
        self.wait_until_ready();
    }

    /// All that it logged since it was last started.
    #[allow(dead_code)]
    pub fn log(&self) -> String {
        read(&self.log_path())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("host.log")
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + START_MAX;
        loop {
            let listening = listens(self.c2s_port) && listens(self.setup.component_port);
            // ejabberd listens a moment before it has registered the accounts.
            let ready = self.setup.kind.name().starts_with("prosody") || read(&self.log_path()).contains("host: ready");
            if listening && ready {
                return;
            }
            let ended = self.child.try_wait().expect("its state");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{} is not ready (ended: {ended:?}); its log:\n{}",
                self.setup.kind.name(),
                tail(&read(&self.log_path())),
            );
            sleep(POLL);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn spawn_host(setup: &Setup, folder: &Path, [c2s_port, http_port]: [u16; 2]) -> Child {
    let logins = ACCOUNTS.iter().copied().chain(setup.accounts.iter().map(String::as_str));
    let password = |login: &str| format!("pw-{}", login.split('@').next().unwrap_or(login));
    let accounts: Vec<String> = logins.map(|login| format!("{login}:{}", password(login))).collect();
    let log = File::create(folder.join("host.log")).expect("a log file");
    Command::new(checkout("scripts/host"))
        .envs(setup.config.iter().map(|file| ("HOST_CONFIG", file)))
        .envs(setup.debian.iter().map(|debian| ("HOST_DEBIAN", debian)))
        .arg(setup.kind.name())
        .arg(folder)
        .env("HOST_ACCOUNTS", accounts.join(" "))
        .env("HOST_INTERFACE", Ipv4Addr::LOCALHOST.to_string())
        .env("XMPP_DOMAIN", setup.domain)
        .env("MIX_DOMAIN", setup.service)
        .env("MIX_SECRET", SECRET)
        .env("C2S_PORT", c2s_port.to_string())
        .env("COMPONENT_PORT", setup.component_port.to_string())
        .env("HTTP_PORT", http_port.to_string())
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("its second handle"))
        .stderr(log)
        .spawn()
        .expect("scripts/host starts")
}

/// What differs between runs of `mixd` in tests.
pub struct MixdSettings<'a> {
    /// Domain it authenticates as.
    pub domain: &'a str,
    /// Secret it authenticates with.
    pub secret: &'a str,
}

impl Default for MixdSettings<'_> {
    fn default() -> Self {
        Self { domain: MIX_DOMAIN, secret: SECRET }
    }
}

/// A `mixd` of its own folder, running or between two runs.
pub struct Mixd {
    binary: PathBuf,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl Mixd {
    /// Starts it beside `host` and waits for the link.
    pub fn start(binary: &Path, host: &Host) -> Self {
        let mut mixd = Self::launch(binary, host.setup.component_port, &MixdSettings::default());
        mixd.wait_for_links(1);
        mixd
    }

    /// Starts it and waits for nothing.
    pub fn launch(binary: &Path, component_port: u16, settings: &MixdSettings<'_>) -> Self {
        let component = format!("[component]\ndomain = '{}'\nsecret = '{}'\n", settings.domain, settings.secret);
        Self::launch_with(binary, &component, component_port)
    }

    /// Starts it with that `[component]`, completed by its port and its folder, and waits for nothing.
    pub fn launch_with(binary: &Path, component: &str, component_port: u16) -> Self {
        let folder = tempfile::Builder::new().prefix("mixd-").tempdir().expect("a folder");
        let store = folder.path().join("store");
        let config = format!("{component}port = {component_port}\n[storage]\npath = '{}'\n", store.display());
        fs::write(folder.path().join("mixd.toml"), config).expect("the configuration is written");
        let mut mixd = Self { binary: binary.to_owned(), folder, child: None };
        mixd.run();
        mixd
    }

    fn run(&mut self) {
        let log = File::options().create(true).append(true).open(self.log_path()).expect("a log file");
        let child = Command::new(&self.binary)
            .args(["serve", "--config"])
            .arg(self.folder.path().join("mixd.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its second handle"))
            .stderr(log)
            .spawn()
            .expect("mixd starts");
        self.child = Some(child);
    }

    /// Runs it again on the same store after it ended, and waits for the link.
    pub fn start_again(&mut self) {
        let links = self.links();
        self.run();
        self.wait_for_links(links + 1);
    }

    /// Sends SIGTERM; the exit status, or a panic after `within`.
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        let mut child = self.child.take().expect("mixd runs");
        send_sigterm(&child);
        let status = wait(&mut child, within);
        if status.is_none() {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
        }
        status.unwrap_or_else(|| panic!("mixd still ran {within:?} after SIGTERM; its log:\n{}", self.log_tail()))
    }

    /// Has the program on disk take its place. The process stays, and so does its link.
    #[allow(dead_code)]
    pub fn hand_over(&mut self) {
        let (id, links) = (self.id(), self.links());
        let told = self.ask_for_handover();
        assert!(told.status.success(), "{told:?}; its log:\n{}", self.log_tail());
        assert!(self.runs() && self.id() == id, "another process serves; its log:\n{}", self.log_tail());
        assert_eq!(self.links(), links, "the link was lost; its log:\n{}", self.log_tail());
        println!("{}", String::from_utf8_lossy(&told.stdout).trim());
    }

    /// The program on disk finds settings that are wrong, and does not take its place.
    #[allow(dead_code)]
    pub fn is_refused_a_handover(&mut self) {
        let settings = self.folder.path().join("mixd.toml");
        let right = read(&settings);
        fs::write(&settings, format!("{right}\n[nobody_knows_this]\na = 1\n")).expect("it is written");
        // The command itself needs right settings, or the place of the store.
        let store = self.folder.path().join("store");
        let told = Command::new(&self.binary).args(["handover", "--store"]).arg(store).output().expect("it runs");
        fs::write(&settings, right).expect("it is written");
        let why = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.code() == Some(1) && why.contains("nobody_knows_this"), "{told:?}");
        assert!(self.runs(), "mixd ended; its log:\n{}", self.log_tail());
    }

    fn ask_for_handover(&self) -> std::process::Output {
        let settings = self.folder.path().join("mixd.toml");
        Command::new(&self.binary).args(["handover", "--config"]).arg(settings).output().expect("it runs")
    }

    fn id(&self) -> u32 {
        self.child.as_ref().expect("mixd runs").id()
    }

    /// Ends it as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("mixd runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    /// Whether the process runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("its state").is_none())
    }

    /// All that it logged, over all its runs.
    pub fn log(&self) -> String {
        read(&self.log_path())
    }

    /// How often it has authenticated with the host server.
    pub fn links(&self) -> usize {
        self.log().matches("link up").count()
    }

    /// Waits until it has authenticated `count` times in all.
    pub fn wait_for_links(&mut self, count: usize) {
        self.wait_for_log(&format!("link {count} up"), |log| log.matches("link up").count() >= count);
    }

    /// Waits until its log `shows` what is described; panics if it ends or takes too long.
    pub fn wait_for_log(&mut self, what: &str, shows: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + START_MAX;
        while !shows(&self.log()) {
            assert!(self.runs(), "mixd ended before: {what}; its log:\n{}", self.log_tail());
            assert!(
                Instant::now() < deadline,
                "mixd did not log within {START_MAX:?}: {what}; its log:\n{}",
                self.log_tail()
            );
            sleep(POLL);
        }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.log())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("mixd.log")
    }
}

impl Drop for Mixd {
    fn drop(&mut self) {
        if let Some(child) = self.child.as_mut() {
            stop(child);
        }
    }
}

fn stop(child: &mut Child) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    send_sigterm(child);
    if wait(child, STOP_MAX).is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn send_sigterm(child: &Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
}

fn wait(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + within;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        sleep(POLL);
    }
    None
}

fn listens(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_secs(1)).is_ok()
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
