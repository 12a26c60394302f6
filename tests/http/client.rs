//! A service with its HTTP API, a port for logins, and a client without a library.

use crate::logins::{Logins, take_logins};
use crate::scripted::{Host, Mixd, Peer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What mixd is given besides: nobody waits for limits that are not tested.
const SETTINGS: &str = "requests_per_s = 10000\nrequests_burst = 10000";

pub struct World {
    pub mixd: Mixd,
    pub peer: Peer,
    pub port: u16,
    pub logins: Logins,
    host: Host,
    settings: String,
    folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.map(|(name, value)| (name, value.trim()))
    }
}

impl World {
    pub fn start() -> World {
        World::with(SETTINGS)
    }

    /// With these lines in `[http]`.
    pub fn with(settings: &str) -> World {
        World::with_settings(settings, "")
    }

    /// With these lines in `[http]`, and further tables.
    pub fn with_settings(http: &str, tables: &str) -> World {
        let (host, port, logins) = (Host::start(), free_port(), take_logins());
        let folder = tempfile::tempdir().unwrap();
        let settings = format!("[http]\nlisten = '127.0.0.1:{port}'\ncheck_port = {}\n{http}\n{tables}", logins.port);
        let mixd = Mixd::start_in(folder.path(), host.port(), &settings, &[]);
        let peer = host.accept_authenticated();
        mixd.wait_for_log("the HTTP API listens", 1);
        World { mixd, peer, port, logins, host, settings, folder }
    }

    /// Starts it again on the same store, after it ended.
    pub fn start_again(&mut self) {
        self.mixd = Mixd::start_in(self.folder.path(), self.host.port(), &self.settings, &[]);
        self.peer = self.host.accept_authenticated();
        self.mixd.wait_for_log("the HTTP API listens", 1);
    }

    /// Where the files of videos are.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("store/files")
    }

    /// Waits until there are so many files of videos.
    #[track_caller]
    pub fn wait_for_files(&self, count: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        let found = || std::fs::read_dir(self.files()).unwrap().count();
        while found() != count {
            assert!(Instant::now() < until, "{} files, not {count}:\n{}", found(), self.mixd.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these bytes and reads to the end of the connection.
    pub fn raw(&self, request: &[u8]) -> Response {
        let mut stream = self.connect();
        // A server that refuses early may have closed its end.
        let _ = stream.write_all(request);
        read(&mut stream)
    }

    /// Sends these bytes, a request of this method and path, whose response has to be as docs/openapi.json says.
    #[track_caller]
    fn checked(&self, verb: &str, path: &str, request: &[u8]) -> Response {
        let response = self.raw(request);
        // One that was cut short by a refusal before its request was read says nothing.
        if response.status != 0 {
            crate::schema::check_response(verb, path, &response);
        }
        response
    }

    /// A request by GET as `who`, whose password is `pw-WHO`.
    #[track_caller]
    pub fn get(&self, who: &str, path: &str, headers: &str) -> Response {
        let login = basic(who, &format!("pw-{who}"));
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{login}{headers}Connection: close\r\n\r\n");
        self.checked("get", path, request.as_bytes())
    }

    #[track_caller]
    pub fn post(&self, who: &str, kind: &str, body: &[u8]) -> Response {
        let login = basic(who, &format!("pw-{who}"));
        let head = format!(
            "POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        self.checked("post", "/gch.ashx", &[head.as_bytes(), body].concat())
    }

    /// A method by a form.
    #[track_caller]
    pub fn call(&self, who: &str, gm: &str, pm: &Value) -> Response {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("gm", gm)
            .append_pair("pm", &pm.to_string())
            .finish();
        self.post(who, "application/x-www-form-urlencoded", form.as_bytes())
    }

    /// A method that has to succeed; its answer has to be as docs/openapi.json says.
    #[track_caller]
    pub fn done(&self, who: &str, gm: &str, pm: Value) -> Value {
        let response = self.call(who, gm, &pm);
        assert_eq!(response.status, 200, "{gm} {pm}: {response:?}");
        crate::schema::check_parameters(gm, &pm);
        let answer = response.json();
        crate::schema::check(gm, &answer);
        answer
    }

    /// The code with which a method is refused, as status and in the body.
    #[track_caller]
    pub fn code(&self, who: &str, gm: &str, pm: Value) -> u16 {
        let response = self.call(who, gm, &pm);
        assert_eq!(response.text(), response.status.to_string(), "{gm} {pm}: {response:?}");
        response.status
    }

    /// A method with a file.
    #[track_caller]
    pub fn upload(&self, who: &str, gm: &str, pm: &Value, files: &[(&str, &[u8])]) -> Response {
        let mut body = Vec::new();
        for (name, value) in [("gm", gm.to_owned()), ("pm", pm.to_string())] {
            body.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, bytes) in files {
            body.extend(
                format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").bytes(),
            );
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--XX--\r\n");
        self.post(who, "multipart/form-data; boundary=XX", &body)
    }
}

pub fn basic(who: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{who}:{password}")))
}

/// Reads a response to the end of the connection.
pub fn read(stream: &mut TcpStream) -> Response {
    let mut all = Vec::new();
    let mut chunk = [0; 65536];
    // A connection that is reset behind its response has still told it.
    while let Ok(n @ 1..) = stream.read(&mut chunk) {
        all.extend_from_slice(&chunk[..n]);
    }
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(all.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Response { status, head, body: all[end..].to_vec() }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
