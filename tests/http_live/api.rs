//! `mixd` with its HTTP API beside a real host server.

use crate::hosts::{self, Host, MIX_DOMAIN, SECRET};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `mixd` with its HTTP API, in a folder of its own; ended when it is dropped.
pub struct Api {
    child: Child,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

impl Api {
    /// One that checks passwords over the loopback in the clear.
    pub fn start(host: &Host) -> Api {
        Api::with(host, &format!("check_port = {}", host.c2s_port))
    }

    /// One with these lines in `[http]`.
    pub fn with(host: &Host, http: &str) -> Api {
        let (folder, port) = (tempfile::tempdir().unwrap(), hosts::free_port());
        let file = folder.path().join("mixd.toml");
        let settings = format!(
            "[component]\ndomain = '{MIX_DOMAIN}'\nport = {}\nsecret = '{SECRET}'\n[storage]\npath = '{}'\n\
             [http]\nlisten = '127.0.0.1:{port}'\nauth_cache_s = 0\n{http}\n",
            host.setup.component_port,
            folder.path().join("store").display(),
        );
        std::fs::write(&file, settings).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mixd"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let api = Api { child, port, folder };
        let until = Instant::now() + Duration::from_secs(30);
        while !(api.log().contains("link up") && api.log().contains("the HTTP API listens")) {
            assert!(Instant::now() < until, "{}", api.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        api
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The status that a login gets.
    pub fn login(&self, login: &str) -> String {
        let url = format!("http://127.0.0.1:{}/gch.ashx?gm=getCommonGroups&pm=%7B%22l%22%3A%22bob%22%7D", self.port);
        let asked =
            Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", login, &url]).output();
        String::from_utf8(asked.unwrap().stdout).unwrap()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
