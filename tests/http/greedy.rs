//! Who takes more than a share of time, places and memory, or speaks so that it can be read in two ways.

use crate::client::{World, basic, read};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
const FORM: &str = "application/x-www-form-urlencoded";

/// Begins a request by POST of that length, and sends this much of its body.
fn begin(world: &World, who: &str, kind: &str, len: usize, body: &[u8]) -> TcpStream {
    let mut stream = world.connect();
    let login = basic(who, &format!("pw-{who}"));
    let head = format!(
        "POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Content-Type: {kind}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    stream
}

/// Waits until a condition holds.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it does not come to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let world = World::start();
    let login = basic("ann", "pw-ann");
    let asked = "/gch.ashx?gm=getCommonGroups&pm=%7B%22l%22%3A%22bob%22%7D";
    let status = |request: String| world.raw(request.as_bytes()).status;
    for (head, expected) in [
        (format!("GET {asked} HTTP/1.1\r\nHost: x\r\n{login}"), 200),
        (format!("GET {asked} HTTP/1.0\r\n{login}"), 200),
        (format!("GET {asked} HTTP/1.1\r\n{login}"), 400),
        (format!("GET {asked} HTTP/1.1\r\nHost: x\r\nHost: y\r\n{login}"), 400),
        (format!("GET {asked} HTTP/1.1\r\nHost: x\r\n{login}{}", basic("eve", "pw-eve")), 400),
        (format!("GET {asked} HTTP/1.1\r\nHost: x\r\n{login} folded: x\r\n"), 400),
        (format!("GET {asked} HTTP/1.1\r\nHost : x\r\n{login}"), 400),
        (format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Content-Length: 0\r\nContent-Length: 5\r\n"), 400),
        (format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Content-Length: +5\r\n"), 400),
        (format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Content-Length: 18446744073709551616\r\n"), 400),
        (format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Transfer-Encoding: chunked, gzip\r\n"), 400),
        (
            format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Content-Type: {FORM}\r\nContent-Type: text/plain\r\n"),
            400,
        ),
    ] {
        assert_eq!(status(format!("{head}Connection: close\r\n\r\n")), expected, "{head}");
    }
    // Where there is a length beside chunks, the chunks count (RFC 9112 §6.3), and nothing of them is another request.
    let head = format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Content-Type: text/plain\r\n");
    let both = format!(
        "{head}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n21\r\nGET /else HTTP/1.1\r\nHost: x\r\n\r\n\r\n0\r\n\r\n"
    );
    assert_eq!(world.raw(both.as_bytes()).text(), "400", "a body was read as a request");
    // Chunks whose sizes are none.
    for chunks in ["-1\r\nx\r\n0\r\n\r\n", "fffffffffffffffff\r\nx", "zz\r\n", "5;\nx"] {
        let head = format!("POST {asked} HTTP/1.1\r\nHost: x\r\n{login}Content-Type: {FORM}\r\n");
        let refused = status(format!("{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}"));
        assert_eq!(refused, 400, "{chunks:?}");
    }
}

#[test]
fn what_drips_comes_to_its_end_in_time() {
    let world = World::with("request_timeout_s = 1");
    let login = basic("ann", "pw-ann");
    let heads = [
        "GET /gch.ashx HTTP/1.1\r\nHost: x\r\nA: ".to_owned(),
        format!("POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Content-Type: {FORM}\r\nContent-Length: 9999\r\n\r\n"),
        format!(
            "POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
        ),
    ];
    for (n, head) in heads.iter().enumerate() {
        let (mut stream, since) = (world.connect(), Instant::now());
        stream.write_all(head.as_bytes()).unwrap();
        let drop: &[u8] = if n == 2 { b"1\r\nx\r\n" } else { b"x" };
        while stream.write_all(drop).is_ok() {
            assert!(since.elapsed() < Duration::from_secs(15), "{head} goes on for ever");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    // A connection that was of use keeps its place no longer than one that never was.
    let mut idle = world.connect();
    let asked = "GET /gch.ashx?gm=getCommonGroups&pm=%7B%22l%22%3A%22bob%22%7D HTTP/1.1\r\nHost: x\r\n";
    idle.write_all(format!("{asked}{login}\r\n").as_bytes()).unwrap();
    let since = Instant::now();
    assert_eq!(read(&mut idle).status, 200);
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
}

#[test]
fn who_reads_a_video_too_slowly_is_let_go() {
    let world = World::with("request_timeout_s = 1\nupload_bytes_max = 67108864");
    let id = world.done("ann", "addGroup", json!({"gs": "x", "dn": "x", "gm": []}))["id"].clone();
    let video = [&b"\0\0\0\x18ftypmp42"[..], &vec![1; 48 * MIB]].concat();
    assert_eq!(world.upload("ann", "uploadVideo", &json!({"id": id}), &[("a.mp4", &video)]).status, 200);
    let mut stream = world.connect();
    let head = format!("GET /groupchat/{id}/video HTTP/1.1\r\nHost: x\r\n{}\r\n", basic("ann", "pw-ann"));
    stream.write_all(head.as_bytes()).unwrap();
    let mut chunk = [0; 512];
    for _ in 0..8 {
        stream.read_exact(&mut chunk).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    let rest = read(&mut stream);
    assert!(rest.body.len() + rest.head.len() < video.len(), "all of it was sent");
    assert!(world.get("ann", &format!("/groupchat/{id}/video"), "").body == video);
}

#[test]
fn one_account_is_served_so_often_at_the_same_time() {
    let world = World::start();
    let mut held: Vec<TcpStream> = Vec::new();
    // What asks how far it is takes a place meanwhile, too.
    while world.call("ann", "getCommonGroups", &json!({"l": "bob"})).status != 429 {
        assert!(held.len() < 40, "any number of requests is worked on");
        held.push(begin(&world, "ann", FORM, 1000, b"gm="));
    }
    let refused = world.call("ann", "getCommonGroups", &json!({"l": "bob"}));
    assert_eq!((refused.text(), refused.header("retry-after")), ("429".to_owned(), Some("1")));
    world.done("bob", "getCommonGroups", json!({"l": "ann"}));
    drop(held);
    until(|| world.call("ann", "getCommonGroups", &json!({"l": "bob"})).status == 200);
}

#[test]
fn one_account_keeps_no_others_from_uploading() {
    let world = World::start();
    let group = |who: &str| world.done(who, "addGroup", json!({"gs": "x", "dn": "x", "gm": []}))["id"].clone();
    let (anns, bobs) = (group("ann"), group("bob"));
    let begun = format!(
        "--XX\r\nContent-Disposition: form-data; name=gm\r\n\r\nuploadVideo\r\n--XX\r\nContent-Disposition: form-data; name=pm\r\n\r\n\
         {{\"id\":{anns}}}\r\n--XX\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n\0\0\0\x18ftypmp42 and so on"
    );
    let kind = "multipart/form-data; boundary=XX";
    let held: Vec<TcpStream> = (0..2).map(|_| begin(&world, "ann", kind, 10_000, begun.as_bytes())).collect();
    world.wait_for_files(2);
    let film = b"\0\0\0\x18ftypmp42 another one";
    let put = |who: &str, id: &serde_json::Value| world.upload(who, "uploadVideo", &json!({"id": id}), &[("f", film)]);
    assert_eq!((put("ann", &anns).text(), put("bob", &bobs).status), ("429".to_owned(), 200));
    drop(held);
    // What was begun goes, and its places are free again.
    world.wait_for_files(1);
    assert_eq!(put("ann", &anns).status, 200);
}

#[test]
fn bodies_take_so_much_memory_in_all() {
    // A quarter of it: bytes count as often as they are kept.
    let world = World::with("requests_per_s = 10000\nrequests_burst = 10000\nrequests_memory_bytes_max = 2000000");
    let post = |len: usize| {
        let padded = format!("gm=getCommonGroups&pm={{\"l\":\"ann\"}}&x={}", "x".repeat(len));
        world.post("bob", FORM, padded.as_bytes())
    };
    let mut held: Vec<TcpStream> = Vec::new();
    // What asks how far it is takes room meanwhile, too.
    let refused = loop {
        let response = post(150_000);
        if response.status == 500 {
            break response;
        }
        assert!(held.len() < 12, "any amount of memory is taken");
        held.push(begin(&world, "ann", FORM, 250_000, &vec![b'x'; 100_000]));
    };
    assert_eq!((refused.text(), refused.header("retry-after")), ("500".to_owned(), Some("1")));
    // Whoever asks for little is served all the same.
    assert_eq!(post(0).status, 200);
    drop(held);
    until(|| post(150_000).status == 200);
}

#[test]
fn what_a_request_costs_in_memory_is_about_its_size() {
    let world = World::start();
    world.done("ann", "getCommonGroups", json!({"l": "bob"}));
    let (before, _) = world.mixd.memory();
    // As trees of values, each of these would be many times as large.
    let bombs = [
        format!("{{\"x\":[{}1]}}", "1,".repeat(120_000)),
        format!("{{\"gm\":[{}1]}}", "1,".repeat(120_000)),
        format!("{{\"x\":{{{}\"a\":1}}}}", "\"\":{},".repeat(40_000)),
    ];
    std::thread::scope(|scope| {
        for n in 0..24 {
            let (world, bomb) = (&world, &bombs[n % bombs.len()]);
            scope.spawn(move || {
                let form = format!("gm=getGroup&pm={bomb}");
                for _ in 0..4 {
                    let refused = world.post(&format!("p{n}"), FORM, form.as_bytes());
                    assert_eq!(refused.text(), "400");
                }
            });
        }
    });
    let (_, peak) = world.mixd.memory();
    assert!(peak < before + 64 * MIB, "{} MiB before, {} MiB at the peak", before / MIB, peak / MIB);
}
