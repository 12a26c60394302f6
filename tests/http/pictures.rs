//! Pictures and videos: types, sizes, parts, and what is left on the disk.

use crate::client::World;
use serde_json::json;

const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 a small picture";
const JPEG_MAX: usize = 102_400;

fn group(world: &World) -> u64 {
    world.done("ann", "addGroup", json!({"gs": "Weekend", "dn": "Ann", "gm": [{"l": "bob"}]}))["id"].as_u64().unwrap()
}

fn video(len: usize) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypmp42".to_vec();
    bytes.extend((0..len - bytes.len()).map(|n| (n % 251) as u8));
    bytes
}

#[test]
fn a_picture_is_put_shown_and_deleted() {
    let world = World::start();
    let (id, image) = (group(&world), json!({"id": 0, "t": "image"}));
    let mut image = image;
    image["id"] = id.into();
    assert_eq!(world.code("ann", "downloadAvatar", image.clone()), 404);
    let largest = [JPEG, &vec![7; JPEG_MAX - JPEG.len()]].concat();
    for picture in [JPEG, &largest] {
        let put = world.upload("ann", "uploadAvatar", &json!({"id": id, "dn": "Ann"}), &[("a.jpg", picture)]);
        assert_eq!(put.status, 200, "{put:?}");
        crate::schema::check("uploadAvatar", &put.json());
        let seen = world.done("bob", "getGroup", json!({"id": id}));
        assert_eq!((&seen["ae"], &seen["at"]), (&json!("1"), &put.json()["at"]));
        let got = world.call("bob", "downloadAvatar", &image);
        assert_eq!((got.status, got.header("content-type")), (200, Some("image/jpeg")));
        assert!(got.body == picture);
    }
    let code = |who: &str, file: &[u8]| world.upload(who, "uploadAvatar", &json!({"id": id}), &[("a", file)]).text();
    assert_eq!(code("ann", b"\x89PNG\r\n\x1A\n picture"), "407");
    assert_eq!(code("ann", b"GIF89a"), "407");
    assert_eq!(code("ann", &[&largest[..], b"x"].concat()), "411");
    assert_eq!(code("ann", b""), "400");
    assert_eq!(code("bob", JPEG), "444");
    assert_eq!(code("eve", JPEG), "444");
    assert_eq!(world.upload("ann", "uploadAvatar", &json!({"id": id}), &[]).text(), "400");
    assert_eq!(world.upload("ann", "uploadAvatar", &json!({}), &[("a", JPEG)]).text(), "400");
    world.done("ann", "delAvatar", json!({"id": id, "dn": "Ann"}));
    assert_eq!(world.code("ann", "downloadAvatar", image), 404);
    assert_eq!(world.done("ann", "getGroup", json!({"id": id}))["ae"], "0");
    assert_eq!(world.code("ann", "downloadAvatar", json!({"id": id, "t": "portrait"})), 400);
}

#[test]
fn what_a_file_claims_to_be_counts_as_much_as_what_it_is() {
    let world = World::start();
    let id = group(&world);
    let put = |gm: &str, claim: &str, file: &[u8]| {
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=gm\r\n\r\n{gm}\r\n--XX\r\nContent-Disposition: form-data; name=pm\r\n\r\n\
             {{\"id\":{id}}}\r\n--XX\r\nContent-Disposition: form-data; name=f; filename=f\r\nContent-Type: {claim}\r\n\r\n"
        );
        let body = [head.as_bytes(), file, b"\r\n--XX--\r\n"].concat();
        world.post("ann", "multipart/form-data; boundary=XX", &body).status
    };
    for (gm, claim, file, expected) in [
        ("uploadAvatar", "image/jpeg", JPEG, 200),
        ("uploadAvatar", "application/octet-stream", JPEG, 200),
        ("uploadAvatar", "image/png", JPEG, 407),
        ("uploadAvatar", "text/html", JPEG, 407),
        ("uploadAvatar", "image/jpeg", b"<html>", 407),
        ("uploadVideo", "video/mp4", &video(100), 200),
        ("uploadVideo", "text/html", &video(100), 407),
        ("uploadVideo", "video/mp4", b"<html>", 407),
    ] {
        assert_eq!(put(gm, claim, file), expected, "{gm} {claim} {:?}", String::from_utf8_lossy(file));
    }
    // The order of the specification's table: parameters, type, size, group.
    let both = [&b"GIF89a"[..], &vec![7; JPEG_MAX]].concat();
    let code = |pm: serde_json::Value, file: &[u8]| world.upload("ann", "uploadAvatar", &pm, &[("a", file)]).text();
    assert_eq!(code(json!({}), &both), "400");
    assert_eq!(code(json!({"id": id + 1}), &both), "407");
    assert_eq!(code(json!({"id": id + 1}), &[JPEG, &vec![7; JPEG_MAX]].concat()), "411");
    assert_eq!(code(json!({"id": id + 1}), JPEG), "444");
}

#[test]
fn a_video_is_put_shown_in_parts_and_replaced() {
    let world = World::with("upload_bytes_max = 3000000");
    let id = group(&world);
    let path = format!("/groupchat/{id}/video");
    assert_eq!(world.get("ann", &path, "").status, 404);
    let whole = video(3_000_000);
    let put = world.upload("ann", "uploadVideo", &json!({"id": id}), &[("a.mp4", &whole), ("t.jpg", JPEG)]);
    assert_eq!(put.status, 200, "{}", put.text());
    crate::schema::check("uploadVideo", &put.json());
    let seen = world.done("bob", "getGroup", json!({"id": id}));
    assert_eq!((&seen["ve"], &seen["vt"]), (&json!("1"), &put.json()["vt"]));
    let got = world.get("bob", &path, "");
    assert_eq!(
        (got.status, got.header("content-type"), got.header("content-length")),
        (200, Some("video/mp4"), Some("3000000"))
    );
    assert!(got.body == whole);
    assert!(world.call("bob", "downloadAvatar", &json!({"id": id, "t": "video"})).body == whole);
    assert_eq!(world.get("bob", &format!("{path}-thumb"), "").body, JPEG);
    assert_eq!(world.call("bob", "downloadAvatar", &json!({"id": id, "t": "video-thumbnail"})).body, JPEG);
    let part = world.get("bob", &path, "Range: bytes=2999990-\r\n");
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 2999990-2999999/3000000")));
    assert_eq!(part.body, &whole[2_999_990..]);
    assert_eq!(world.get("bob", &path, "Range: bytes=3000000-\r\n").status, 416);
    let stale = world.get("bob", &path, "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n");
    assert_eq!((stale.status, stale.body.len()), (200, 3_000_000));
    assert_eq!((world.get("eve", &path, "").status, world.get("ann", "/groupchat/9/video", "").status), (404, 404));
    assert_eq!(world.get("ann", "/groupchat/x/video", "").status, 404);

    let code = |who: &str, file: &[u8]| world.upload(who, "uploadVideo", &json!({"id": id}), &[("a", file)]).text();
    assert_eq!(code("ann", &video(3_000_001)), "411");
    assert_eq!(code("ann", JPEG), "407");
    assert_eq!((code("bob", &video(100)), code("eve", &video(100))), ("444".to_owned(), "444".to_owned()));
    assert!(world.get("ann", &path, "").body == whole, "a refused video replaced another");
    let next = video(5000);
    assert_eq!(world.upload("ann", "uploadVideo", &json!({"id": id}), &[("b.mp4", &next)]).status, 200);
    assert!(world.get("bob", &path, "").body == next);
    assert_eq!(world.get("bob", &format!("{path}-thumb"), "").status, 404);
    // What was replaced or refused does not stay on the disk.
    world.wait_for_files(1);
    world.done("bob", "joinGroup", json!({"id": id}));
    assert_eq!(code("bob", &next), "444");
    assert!(world.get("bob", &path, "").body == next, "a refused upload took away what was there before");
}

/// Publishes a video of that address over XMPP, as ann.
fn publish(world: &mut World, group: &str, target: &str) -> String {
    let id = format!("p-{}", target.len());
    world.peer.send(&format!(
        "<iq type='set' id='{id}' from='ann@example.org/r' to='{group}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='urn:mixd:group:1#video'><item><file-sharing xmlns='urn:xmpp:sfs:0'>\
         <file xmlns='urn:xmpp:file:metadata:0'><media-type>video/mp4</media-type></file><sources>\
         <url-data xmlns='http://jabber.org/protocol/url-data' target='{target}'/></sources></file-sharing></item>\
         </publish></pubsub></iq>"
    ));
    world.peer.answer_to(&id)
}

/// The address of ann's only group.
fn address(world: &mut World) -> String {
    world.peer.send(
        "<iq type='get' id='g' from='ann@example.org/r' to='mix.example.org'><groups xmlns='urn:mixd:group:1'/></iq>",
    );
    let list = world.peer.answer_to("g");
    let found = list.split("<group jid='").nth(1).and_then(|rest| rest.split('\'').next());
    found.unwrap_or_else(|| panic!("{list}")).to_owned()
}

#[test]
fn videos_leave_the_disk_when_nothing_refers_to_them() {
    let mut world = World::start();
    let id = group(&world);
    let put = |world: &World, id: u64, len: usize, more: &[(&str, &[u8])]| {
        let film = video(len);
        let files = [&[("a.mp4", &film[..])], more].concat();
        assert_eq!(world.upload("ann", "uploadVideo", &json!({"id": id}), &files).status, 200);
    };
    put(&world, id, 1000, &[("t.jpg", JPEG)]);
    world.wait_for_files(2);
    let group_address = address(&mut world);
    // Replaced by one that is kept elsewhere.
    publish(&mut world, &group_address, "https://files.example.org/v.mp4");
    world.wait_for_files(0);
    put(&world, id, 2000, &[("t.jpg", JPEG)]);
    let other = group(&world);
    put(&world, other, 3000, &[]);
    world.wait_for_files(3);
    // Destroyed over XMPP, and over HTTP.
    let name = group_address.split('@').next().unwrap();
    world.peer.send(&format!(
        "<iq type='set' id='d' from='ann@example.org/r' to='mix.example.org'>\
         <destroy xmlns='urn:xmpp:mix:core:1' channel='{name}'/></iq>"
    ));
    assert!(world.peer.answer_to("d").contains("type='result'"));
    world.wait_for_files(1);
    assert_eq!(world.get("ann", &format!("/groupchat/{other}/video"), "").body, video(3000));
    world.done("ann", "delGroup", json!({"id": other}));
    world.wait_for_files(0);
}

#[test]
fn a_start_removes_what_the_end_came_before() {
    let mut world = World::start();
    let id = group(&world);
    let film = video(1000);
    assert_eq!(world.upload("ann", "uploadVideo", &json!({"id": id}), &[("a.mp4", &film)]).status, 200);
    let kept = std::fs::read_dir(world.files()).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let (tag, hash) = kept.split_once('-').unwrap();
    world.mixd.kill();
    // Killed behind the commit of another video or of the end of another group, or within an upload.
    let (of_none, replaced) = (format!("{:016x}-{hash}", 7), format!("{tag}-{}", "0f".repeat(32)));
    for left in [&of_none, &replaced, "part-3"] {
        std::fs::write(world.files().join(left), b"left").unwrap();
    }
    world.start_again();
    world.wait_for_files(1);
    assert_eq!(world.get("bob", &format!("/groupchat/{id}/video"), "").body, film);
}

#[test]
fn a_video_that_is_kept_elsewhere_is_redirected_to() {
    let mut world = World::start();
    let id = group(&world);
    let group = address(&mut world);
    let elsewhere = "https://files.example.org/v.mp4";
    let answer = publish(&mut world, &group, elsewhere);
    assert!(answer.contains("type='result'"), "{answer}");
    let got = world.get("ann", &format!("/groupchat/{id}/video"), "");
    assert_eq!((got.status, got.header("location")), (302, Some(elsewhere)));
    publish(&mut world, &group, "javascript:alert(1)");
    assert_ne!(world.get("ann", &format!("/groupchat/{id}/video"), "").status, 302);
}
