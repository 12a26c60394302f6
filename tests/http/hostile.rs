//! What nobody friendly sends, and how much of it there may be.

use crate::client::{Response, World, basic, read};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

#[test]
fn nothing_is_served_to_strangers_and_guessing_comes_to_an_end() {
    let world = World::with("failed_logins_max = 5\nauth_cache_s = 60");
    world.done("bob", "getCommonGroups", json!({"l": "ann"}));
    let ask = |login: &str| {
        world.raw(format!("GET /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Connection: close\r\n\r\n").as_bytes())
    };
    for login in ["", "Authorization: Basic\r\n", "Authorization: Basic !!!\r\n", "Authorization: Bearer x\r\n"] {
        let refused = ask(login);
        assert_eq!((refused.status, refused.text()), (401, "401".to_owned()), "{login}");
        assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "));
    }
    for n in 0..5 {
        assert_eq!(ask(&basic("ann", &format!("guess {n}"))).header("retry-after"), None);
    }
    // From here on even the right one is not looked at, but who is known already goes on.
    let refused = ask(&basic("ann", "pw-ann"));
    assert_eq!(refused.status, 401);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    world.done("bob", "getCommonGroups", json!({"l": "ann"}));
    let log = world.mixd.log();
    assert!(!log.contains("guess") && !log.contains("pw-"), "{log}");
}

#[test]
fn strangers_who_guess_do_not_keep_an_account_out_from_where_it_was() {
    let world = World::with("trust_forwarded = true\nfailed_logins_max = 5\nauth_cache_s = 0");
    let from = |address: &str, password: &str| {
        let login = basic("ann", password);
        let head = format!("Host: x\r\nX-Forwarded-For: {address}\r\n{login}Connection: close\r\n");
        let asked = world.raw(format!("GET /groupchat/1/video HTTP/1.1\r\n{head}\r\n").as_bytes());
        (asked.status, asked.header("retry-after").is_some())
    };
    let (served, wrong, unchecked) = ((404, false), (401, false), (401, true));
    assert_eq!(from("192.0.2.1", "pw-ann"), served);
    assert!((0..5).all(|n| from("192.0.2.2", &format!("guess {n}")) == wrong));
    for elsewhere in ["192.0.2.2", "192.0.2.3"] {
        assert_eq!(from(elsewhere, "pw-ann"), unchecked);
    }
    assert_eq!(from("192.0.2.1", "pw-ann"), served);
    assert!((0..5).all(|n| from("192.0.2.1", &format!("guess {n}")) == wrong));
    assert_eq!(from("192.0.2.1", "pw-ann"), unchecked, "guessing ends there as well");
}

#[test]
fn many_logins_at_once_are_all_found_good_and_many_guesses_are_few() {
    let world = World::with("requests_per_s = 10000\nrequests_burst = 10000\nfailed_logins_max = 5");
    std::thread::scope(|scope| {
        for n in 0..40 {
            let world = &world;
            scope.spawn(move || world.done(&format!("p{}", n % 20), "getCommonGroups", json!({"l": "ann"})));
        }
    });
    assert!(world.logins.count() <= 20, "one check serves all who ask at the same time: {}", world.logins.count());
    let before = world.logins.count();
    std::thread::scope(|scope| {
        for n in 0..40 {
            let (world, login) = (&world, basic("ann", &format!("guess {n}")));
            let request = format!("GET /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Connection: close\r\n\r\n");
            scope.spawn(move || assert_eq!(world.raw(request.as_bytes()).status, 401));
        }
    });
    assert_eq!(world.logins.count(), before + 5);
}

#[test]
fn nonsense_is_refused_and_the_next_one_is_served() {
    let world = World::start();
    let login = basic("ann", "pw-ann");
    let status = |request: &str| world.raw(request.as_bytes()).status;
    for (request, expected) in [
        ("\0\0\0\0\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400),
        (format!("GET /else HTTP/1.1\r\nHost: x\r\n{login}Connection: close\r\n\r\n"), 404),
        (format!("DELETE /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Connection: close\r\n\r\n"), 405),
        (format!("PUT /groupchat/1/video HTTP/1.1\r\nHost: x\r\n{login}Connection: close\r\n\r\n"), 405),
        (
            format!(
                "POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}Content-Type: text/plain\r\nConnection: close\r\n\r\n"
            ),
            400,
        ),
        (format!("GET /gch.ashx HTTP/1.1\r\nHost: x\r\n{}Connection: close\r\n\r\n", "A: b\r\n".repeat(100)), 431),
        (format!("GET /gch.ashx?pm={} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000)), 414),
        (format!("GET /gch.ashx HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "x".repeat(200_000)), 431),
    ] {
        assert_eq!(status(&request), expected, "{:.80}", request);
    }
    for pm in ["", "{", "[]", "null", "{\"id\":1e999}", "{\"id\":{}}", &"[".repeat(50_000), "{\"id\":\"\\ud800\"}"] {
        let form = format!("gm=getGroup&pm={pm}");
        assert_eq!(world.post("ann", "application/x-www-form-urlencoded", form.as_bytes()).text(), "400", "{pm:.40}");
    }
    for body in
        ["", "--XX", "--XX\r\n\r\n\r\n--XX--", "--XX\r\nContent-Disposition: form-data; name=\"gm\"\r\n\r\n\u{FFFF}"]
    {
        let response = world.post("ann", "multipart/form-data; boundary=XX", body.as_bytes());
        assert_eq!(response.text(), "400", "{body:?}");
    }
    assert_eq!(world.post("ann", "multipart/form-data", b"x").text(), "400");
    let form = "application/x-www-form-urlencoded";
    for twice in ["gm=getGroup&gm=getGroup&pm={}", "gm=getGroup&pm={}&pm={}", "gm=getGroup&pm=%", "gm=getGroup&pm=%FF"]
    {
        let refused = world.post("ann", form, twice.as_bytes());
        assert_eq!((refused.text(), refused.header("reason").is_some()), ("400".to_owned(), true), "{twice}");
    }
    // In the query as well as in the form.
    let head = format!("{login}Content-Type: {form}\r\nContent-Length: 11\r\nConnection: close\r\n\r\ngm=getGroup");
    let twice = format!("POST /gch.ashx?gm=delGroup HTTP/1.1\r\nHost: x\r\n{head}");
    assert_eq!(status(&twice), 400);
    // What XML cannot hold is refused, and what it has to spell otherwise comes through.
    let id = world.done("ann", "addGroup", json!({"gs": "x", "gm": []}))["id"].clone();
    for (method, pm) in [
        ("addGroup", json!({"gs": "x", "dn": "\u{1}", "gm": []})),
        ("addGroup", json!({"gs": "\u{FFFF}", "gm": []})),
        ("sendMessage", json!({"id": id, "mb": "a\u{0}\u{8}b"})),
        ("addGroupMembers", json!({"id": id, "gm": [{"l": "bob", "dn": "\u{B}"}]})),
    ] {
        let refused = world.call("ann", method, &pm);
        assert!(refused.text() == "400" && refused.header("reason").is_some(), "{method} {pm}");
    }
    world.done("ann", "sendMessage", json!({"id": id, "mb": "a<&>]]>\t"}));
    world.done("ann", "getGroup", json!({"id": id}));
}

#[test]
fn a_body_has_so_many_parts_and_no_more() {
    let world = World::start();
    let part =
        |name: &str, value: &str| format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let asked = part("gm", "getCommonGroups") + &part("pm", "{\"l\":\"ann\"}");
    let post = |more: usize| {
        let body = asked.clone() + &part("x", "").repeat(more) + "--XX--\r\n";
        world.post("ann", "multipart/form-data; boundary=XX", body.as_bytes())
    };
    assert_eq!(post(14).status, 200);
    for many in [15, 100_000] {
        let refused = post(many);
        // A server that refuses early may have closed its end before all of it was sent.
        assert!(refused.text() == "400" || many > 15, "{refused:?}");
        assert_eq!(
            refused.header("reason").filter(|_| many == 15),
            (many == 15).then_some("there are more than 16 parts")
        );
        assert_ne!(refused.status, 200);
    }
    world.done("ann", "getCommonGroups", json!({"l": "ann"}));
}

#[test]
fn large_requests_cost_no_memory() {
    let world = World::with("upload_bytes_max = 100000000");
    let id = world.done("ann", "addGroup", json!({"gs": "x", "dn": "x", "gm": []}))["id"].clone();
    let (before, _) = world.mixd.memory();
    let form = format!("gm=sendMessage&pm={}", "x".repeat(4 * MIB));
    assert_eq!(world.post("ann", "application/x-www-form-urlencoded", form.as_bytes()).text(), "400");
    // Announced by nobody: in chunks without an end.
    let head = format!(
        "POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{}Content-Type: application/x-www-form-urlencoded\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        basic("ann", "pw-ann")
    );
    let mut stream = world.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [format!("{:x}\r\n", MIB).as_bytes(), &vec![b'x'; MIB], b"\r\n"].concat();
    for _ in 0..64 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    assert_ne!(read(&mut stream).status, 200);
    // A part whose headers never end, and a picture that is a film.
    let endless = [b"--XX\r\nA: ".to_vec(), vec![b'x'; 32 * MIB]].concat();
    assert_ne!(world.post("ann", "multipart/form-data; boundary=XX", &endless).status, 200);
    let huge = world.upload("ann", "uploadAvatar", &json!({"id": id}), &[("a.jpg", &vec![0xFF; 32 * MIB])]);
    assert_ne!(huge.status, 200);
    let video = [&b"\0\0\0\x18ftypmp42"[..], &vec![1; 64 * MIB]].concat();
    assert_eq!(world.upload("ann", "uploadVideo", &json!({"id": id}), &[("a.mp4", &video)]).status, 200);
    let (_, peak) = world.mixd.memory();
    assert!(peak < before + 24 * MIB, "{} MiB before, {} MiB at the peak", before / MIB, peak / MIB);
}

#[test]
fn whoever_dawdles_is_let_go_and_keeps_nobody_waiting() {
    let world = World::with("request_timeout_s = 1\nconnections_per_address_max = 20");
    let since = Instant::now();
    let login = basic("ann", "pw-ann");
    let mut slow: Vec<_> = (0..15).map(|_| world.connect()).collect();
    for (n, stream) in slow.iter_mut().enumerate() {
        let begin = match n % 3 {
            0 => "",
            1 => "GET /gch.ashx HTTP/1.1\r\nHost:",
            _ => {
                "POST /gch.ashx HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            }
        };
        stream.write_all(begin.as_bytes()).unwrap();
        if n % 3 == 2 {
            stream.write_all(format!("{login}\r\ngm=").as_bytes()).unwrap();
        }
    }
    world.done("bob", "getCommonGroups", json!({"l": "ann"}));
    for stream in &mut slow {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
}

#[test]
fn more_connections_and_requests_than_allowed_are_refused() {
    let world = World::with("connections_per_address_max = 8\nrequests_per_s = 1\nrequests_burst = 5");
    let held: Vec<_> = (0..8).map(|_| world.connect()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let mut ninth = world.connect();
    assert_eq!(ninth.read(&mut [0; 1]).unwrap_or(0), 0);
    drop(held);
    std::thread::sleep(Duration::from_millis(200));
    let responses: Vec<_> = (0..8).map(|_| world.call("ann", "getCommonGroups", &json!({"l": "bob"}))).collect();
    assert_eq!(responses[0].status, 200, "{:?}", responses[0]);
    let refused = responses.iter().find(|response| response.status == 429).expect("somebody is refused");
    assert!(refused.header("retry-after").is_some());
}

/// Sends so many messages at once, each on a connection of its own.
fn send_at_once(world: &World, id: &serde_json::Value, count: usize) -> Vec<Response> {
    let send = |n: usize| world.call("ann", "sendMessage", &json!({"id": id, "mb": n.to_string()}));
    std::thread::scope(|scope| {
        let sending: Vec<_> = (0..count).map(|n| scope.spawn(move || send(n))).collect();
        sending.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

#[test]
fn messages_over_http_wait_for_their_time_and_no_more_than_sixteen_at_once() {
    let world = World::with(
        "requests_per_s = 1000\nrequests_burst = 1000\n[limits]\nmessages_per_s = 4\nmessages_burst = 2\nmessages_backlog = 0",
    );
    let id = world.done("ann", "addGroup", json!({"gs": "x", "dn": "x", "gm": []}))["id"].clone();
    let sent = send_at_once(&world, &id, 40);
    let of = |status: u16| sent.iter().filter(|response| response.status == status).count();
    assert!(of(200) >= 16 && of(429) >= 1 && of(200) + of(429) == 40, "{sent:?}");
    let refused = sent.iter().find(|response| response.status == 429).unwrap();
    assert_eq!((refused.text().as_str(), refused.header("retry-after")), ("429", Some("1")));
    // Each of those that waited is there once.
    let numbers: BTreeSet<&str> = sent.iter().filter_map(|it| it.header("message-id")).collect();
    assert_eq!(numbers.len(), of(200), "{sent:?}");
}

#[test]
fn messages_over_http_keep_the_pace_of_all_messages() {
    let world = World::with(
        "requests_per_s = 1000\n[limits]\nheld_s = 0\nmessages_per_s = 1\nmessages_burst = 2\nchannels_per_creator_max = 1",
    );
    let id = world.done("ann", "addGroup", json!({"gs": "x", "dn": "x", "gm": []}))["id"].clone();
    assert_eq!(world.call("ann", "addGroup", &json!({"gs": "x", "dn": "x", "gm": []})).text(), "400");
    let sent: Vec<_> = (0..6).map(|_| world.call("ann", "sendMessage", &json!({"id": id, "mb": "x"}))).collect();
    assert_eq!((sent[0].status, sent[1].status), (200, 200), "{sent:?}");
    let refused = sent.iter().find(|response| response.status == 429).expect("one is refused");
    assert_eq!((refused.text().as_str(), refused.header("retry-after")), ("429", Some("1")));
}

#[test]
fn the_end_of_the_process_answers_what_was_asked() {
    let mut world = World::start();
    let _idle = world.connect();
    world.done("ann", "getCommonGroups", json!({"l": "bob"}));
    world.mixd.terminate();
    let (status, took) = world.mixd.wait();
    assert!(status.success() && took < Duration::from_secs(9), "{status} after {took:?}");
}

#[test]
fn pages_of_other_sites_may_not_ask_and_listed_ones_may() {
    let world = World::with("origins = ['https://chat.example.org']");
    let id = world.done("ann", "addGroup", json!({"gs": "x", "gm": []}))["id"].clone();
    let pm = json!({"id": id, "mb": "hello"}).to_string();
    let ask = |headers: &str| {
        let (login, body) = (basic("ann", "pw-ann"), format!("gm=sendMessage&pm={pm}"));
        let head = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
        let head =
            format!("POST /gch.ashx HTTP/1.1\r\nHost: x\r\n{login}{headers}{head}Connection: close\r\n\r\n{body}");
        world.raw(head.as_bytes())
    };
    for other in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"] {
        let refused = ask(other);
        assert!(refused.status == 400 && refused.header("access-control-allow-origin").is_none(), "{}", refused.head);
    }
    let own = ask("Sec-Fetch-Site: same-origin\r\nOrigin: http://x\r\n");
    assert!(own.status == 200 && own.header("access-control-allow-origin").is_none(), "{}", own.head);
    let listed = ask("Sec-Fetch-Site: cross-site\r\nOrigin: https://chat.example.org\r\n");
    assert_eq!((listed.status, listed.header("message-id").is_some()), (200, true), "{}", listed.head);
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://chat.example.org"));
    assert!(listed.header("access-control-expose-headers").is_some_and(|it| it.contains("message-id")));
    let preflight = |origin: &str| {
        let head = format!(
            "OPTIONS /gch.ashx HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Connection: close\r\n\r\n"
        );
        world.raw(head.as_bytes())
    };
    let allowed = preflight("https://chat.example.org");
    assert_eq!((allowed.status, allowed.header("access-control-allow-methods")), (204, Some("GET, HEAD, POST")));
    assert_eq!(preflight("https://evil.example").status, 400);
    assert_eq!(world.logins.count(), 1, "who is refused for its page is not looked up");
}
