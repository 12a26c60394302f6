//! Every method that needs no file, in the order of a group's life, and each of its codes.

use crate::client::World;
use serde_json::{Value, json};

/// A group of ann's with bob and cy.
fn group(world: &World) -> u64 {
    let pm =
        json!({"gs": "Weekend", "dn": "Ann", "gm": [{"l": "bob", "dn": "Bob"}, {"l": "cy@example.org", "dn": "Cy"}]});
    world.done("ann", "addGroup", pm)["id"].as_u64().unwrap()
}

fn member<'a>(group: &'a Value, login: &str) -> &'a Value {
    group["gm"].as_array().unwrap().iter().find(|member| member["l"] == login).unwrap_or_else(|| panic!("{group}"))
}

#[test]
fn a_group_lives_from_its_creation_to_its_end() {
    let mut world = World::start();
    let id = group(&world);
    // Everybody who was added is told by a message whose body is the notice.
    let notice = format!("~[GC M:'NG' GID:{id} MID:1]");
    let told: Vec<String> = (0..3).map(|_| world.peer.read_until("~[GC", "]")).collect();
    assert!(told.iter().all(|body| body.replace("&apos;", "'").replace("&#39;", "'") == notice), "{told:?}");

    let seen = world.done("ann", "getGroup", json!({"id": id}));
    assert_eq!(
        (&seen["gs"], &seen["go"], &seen["ae"], &seen["at"]),
        (&json!("Weekend"), &json!("ann"), &json!("0"), &json!(""))
    );
    let ann = member(&seen, "ann");
    assert_eq!((&ann["a"], &ann["s"], &ann["dn"]), (&json!(true), &json!("j"), &json!("Ann")));
    let bob = member(&seen, "bob");
    assert_eq!((&bob["a"], &bob["s"], &bob["dn"]), (&json!(false), &json!("w"), &json!("Bob")));

    assert_eq!(world.code("bob", "sendMessage", json!({"id": id, "mb": "early"})), 457);
    assert_eq!(world.done("bob", "joinGroup", json!({"id": id, "dn": "Bob"})), 200);
    assert_eq!(world.done("cy", "joinGroup", json!({"id": id, "dn": "Bob"})), 200);
    let sent = world.call("bob", "sendMessage", &json!({"id": id, "dn": "Bob", "mb": "When shall we <meet> again? 🌩"}));
    assert_eq!(sent.status, 200);
    let mid: u64 = sent.header("message-id").unwrap().parse().unwrap();
    world.done("ann", "conf Message", json!({"id": id, "dn": "Ann", "mid": mid}));
    let info = world.done("bob", "getMessageInfo", json!({"id": id, "mid": mid}));
    let ann = info.as_array().unwrap().iter().find(|line| line["l"] == "ann").unwrap();
    assert!(ann["cf"] != "" && ann["rd"] == "", "{info}");
    world.done("ann", "readMessage", json!({"id": id, "mid": mid.to_string()}));
    world.done("ann", "readMessage", json!({"id": id, "mid": mid}));
    let info = world.done("bob", "getMessageInfo", json!({"id": id, "mid": mid}));
    assert_eq!(info.as_array().unwrap().iter().filter(|line| line["rd"] != "").count(), 1, "{info}");
    assert_eq!(info.as_array().unwrap().len(), 2, "{info}");

    assert_eq!(world.code("cy", "delMessage", json!({"id": id, "mid": mid})), 444);
    world.done("bob", "delMessage", json!({"id": id, "mid": mid}));
    world.done("ann", "setGroupSubject", json!({"id": id, "gs": "Nowy temat", "dn": "Ann"}));
    world.done("ann", "editGroup", json!({"id": id, "gs": "Nowy temat 2"}));
    world.done("ann", "addAdmin", json!({"id": id, "dn": "Ann", "gm": ["bob"]}));
    assert_eq!(member(&world.done("cy", "getGroup", json!({"id": id})), "bob")["a"], true);
    world.done("bob", "addMember", json!({"id": id, "gm": [{"l": "dee", "dn": "Dee"}]}));
    world.done("ann", "delAdmin", json!({"id": id, "gm": ["bob"]}));
    world.done("ann", "delMember", json!({"id": id, "gm": ["cy"]}));
    let seen = world.done("bob", "getGroup", json!({"id": id}));
    assert_eq!(
        (&seen["gs"], &member(&seen, "cy")["s"], &member(&seen, "dee")["s"]),
        (&json!("Nowy temat 2"), &json!("l"), &json!("w"))
    );
    let common = world.done("bob", "getCommonGroups", json!({"l": "ann"}));
    assert_eq!((common.as_array().unwrap().len(), &common[0]["id"]), (1, &json!(id)));
    assert_eq!(world.done("bob", "getCommonGroups", json!({"l": "nobody"})), json!([]));
    world.done("bob", "leaveGroup", json!({"id": id, "dn": "Bob"}));
    assert_eq!(world.code("bob", "getGroup", json!({"id": id})), 444);
    assert_eq!(world.code("dee", "delGroup", json!({"id": id})), 444);
    assert_eq!(world.code("cy", "delGroup", json!({"id": id})), 444);
    world.done("ann", "delGroup", json!({"id": id, "dn": "Ann"}));
    assert_eq!(world.code("ann", "getGroup", json!({"id": id})), 444);
}

#[test]
fn each_method_refuses_what_it_must_with_the_code_of_the_specification() {
    let world = World::start();
    let id = group(&world);
    let many: Vec<Value> = (0..30).map(|n| json!({"l": format!("p{n}")})).collect();
    assert_eq!(world.code("ann", "addGroup", json!({"gs": "Crowd", "dn": "Ann", "gm": many})), 443);
    assert_eq!(world.code("ann", "addMember", json!({"id": id, "gm": many})), 443);
    assert_eq!(world.done("ann", "getGroup", json!({"id": id}))["gm"].as_array().unwrap().len(), 3);
    for gs in ["", "  ", &"x".repeat(31)] {
        assert_eq!(world.code("ann", "addGroup", json!({"gs": gs, "dn": "Ann", "gm": []})), 400, "{gs:?}");
        assert_eq!(world.code("ann", "setGroupSubject", json!({"id": id, "gs": gs})), 400, "{gs:?}");
    }
    world.done("ann", "setGroupSubject", json!({"id": id, "gs": "ä".repeat(30)}));
    let all = [
        ("getGroup", json!({})),
        ("delGroup", json!({})),
        ("setGroupSubject", json!({"gs": "x"})),
        ("joinGroup", json!({})),
        ("leaveGroup", json!({})),
        ("addMember", json!({"gm": [{"l": "x"}]})),
        ("delMember", json!({"gm": ["bob"]})),
        ("addAdmin", json!({"gm": ["bob"]})),
        ("delAdmin", json!({"gm": ["bob"]})),
        ("sendMessage", json!({"mb": "x"})),
        ("confMessage", json!({"mid": 1})),
        ("readMessage", json!({"mid": 1})),
        ("delMessage", json!({"mid": 1})),
        ("getMessageInfo", json!({"mid": 1})),
        ("downloadAvatar", json!({"t": "image"})),
        ("delAvatar", json!({})),
    ];
    for (gm, mut pm) in all {
        assert_eq!(world.code("ann", gm, pm.clone()), 400, "{gm} without an id");
        for stranger in [id, id + 1, 4_294_967_296] {
            pm["id"] = stranger.into();
            assert_eq!(world.code("eve", gm, pm.clone()), 444, "{gm} of {stranger} by a stranger");
        }
        for (name, _) in pm.as_object().unwrap().clone().iter().filter(|(name, _)| *name != "id") {
            let mut less = pm.clone();
            less["id"] = id.into();
            less.as_object_mut().unwrap().remove(name);
            assert_eq!(world.code("ann", gm, less), 400, "{gm} without {name}");
        }
    }
    for gm in ["setGroupSubject", "addMember", "delMember", "addAdmin", "delAvatar", "delGroup"] {
        world.done("bob", "joinGroup", json!({"id": id}));
        let pm =
            json!({"id": id, "gs": "x", "gm": if gm == "addMember" { json!([{"l": "x"}]) } else { json!(["cy"]) }});
        assert_eq!(world.code("bob", gm, pm), 444, "{gm} by a member");
    }
    for gm in ["confMessage", "readMessage", "sendMessage"] {
        assert_eq!(world.code("cy", gm, json!({"id": id, "mid": 1, "mb": "x"})), 457, "{gm} by somebody who waits");
    }
    let (people, logins) = (json!([{"l": "x"}]), json!(["bob"]));
    for (gm, named) in [
        ("setGroupSubject", &logins),
        ("addMember", &people),
        ("delMember", &logins),
        ("addAdmin", &logins),
        ("delAdmin", &logins),
        ("delMessage", &logins),
        ("getMessageInfo", &logins),
        ("delAvatar", &logins),
        ("delGroup", &logins),
    ] {
        let pm = json!({"id": id, "gs": "x", "mid": 1, "gm": named});
        assert_eq!(world.code("cy", gm, pm), 444, "{gm} by somebody who waits");
    }
    assert_eq!(world.code("ann", "getMessageInfo", json!({"id": id, "mid": 999})), 400);
    assert_eq!(world.code("ann", "noSuchMethod", json!({"id": id})), 400);
    assert_eq!(world.code("ann", "getCommonGroups", json!({"l": "a b"})), 400);
}

#[test]
fn a_message_is_named_by_its_number_or_by_the_id_that_xmpp_shows() {
    let mut world = World::start();
    let id = group(&world);
    let sent = world.call("ann", "sendMessage", &json!({"id": id, "mb": "hello, id"}));
    assert_eq!(sent.status, 200, "{sent:?}");
    world.done("bob", "joinGroup", json!({"id": id}));
    let sent = world.call("ann", "sendMessage", &json!({"id": id, "mb": "to bob"}));
    assert_eq!(sent.status, 200, "{sent:?}");
    world.peer.send(
        "<iq type='get' id='g' from='ann@example.org/r' to='mix.example.org'><groups xmlns='urn:mixd:group:1'/></iq>",
    );
    let list = world.peer.answer_to("g");
    let last =
        list.split("last-row='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_else(|| panic!("{list}"));
    world.done("bob", "readMessage", json!({"id": id, "mid": last}));
    let mid: u64 = sent.header("message-id").unwrap().parse().unwrap();
    let info = world.done("ann", "getMessageInfo", json!({"id": id, "mid": mid}));
    assert!(info[0]["l"] == "bob" && info[0]["rd"] != "", "{info}");
    assert_eq!(world.code("bob", "readMessage", json!({"id": id, "mid": "0".repeat(32)})), 400);
}

#[test]
fn a_method_comes_by_query_form_or_parts_and_the_login_may_be_a_whole_address() {
    let world = World::start();
    let id = group(&world);
    let query = format!("/gch.ashx?gm=getGroup&pm=%7B%22id%22%3A{id}%7D");
    let by_query = world.get("ann", &query, "");
    let by_parts = world.upload("ann", "getGroup", &json!({"id": id}), &[]);
    let by_form = world.call("ann", "getGroup", &json!({"id": id}));
    assert_eq!((by_query.status, &by_query.body), (200, &by_form.body), "{by_query:?}");
    assert_eq!(by_parts.body, by_form.body);
    let whole = format!(
        "GET {query} HTTP/1.1\r\nHost: x\r\n{}Connection: close\r\n\r\n",
        crate::client::basic("ann@example.org", "pw-ann")
    );
    assert_eq!(world.raw(whole.as_bytes()).body, by_form.body);
}

#[test]
fn what_the_operator_switched_off_is_403_and_changes_nothing() {
    let world = World::with_settings("", "[features]\nreceipts = false\nretraction = false\n");
    let id = group(&world);
    let sent = world.call("ann", "sendMessage", &json!({"id": id, "mb": "stays"}));
    let mid: u64 = sent.header("message-id").unwrap().parse().unwrap();
    world.done("bob", "joinGroup", json!({"id": id}));
    for (who, gm) in [("bob", "confMessage"), ("bob", "readMessage"), ("ann", "getMessageInfo"), ("ann", "delMessage")]
    {
        let refused = world.call(who, gm, &json!({"id": id, "mid": mid}));
        assert_eq!((refused.status, refused.text()), (403, "403".to_owned()), "{gm}");
        let reason = refused.header("reason").unwrap();
        assert!(reason.contains(if gm == "delMessage" { "retraction" } else { "receipts" }), "{gm}: {reason}");
    }
    let world = World::with_settings("", "[features]\ngroups = false\n");
    assert_eq!(world.code("ann", "addGroup", json!({"gs": "x", "dn": "x", "gm": []})), 403);
    assert_eq!(world.done("ann", "getCommonGroups", json!({"l": "ann"})), json!([]));
}

#[test]
fn what_exactly_is_wrong_is_told_beside_the_code() {
    let world = World::start();
    let id = group(&world);
    for (gm, pm, reason) in [
        ("getGroup", json!({}), "id: expected the number of a group"),
        ("getGroup", json!({"id": true}), "pm: invalid type: boolean"),
        ("addGroup", json!({"gs": "x".repeat(31), "gm": []}), "30"),
        ("addMember", json!({"id": id, "gm": [{"l": "a b"}]}), "l: 'a b' is no login"),
        ("addMember", json!({"id": id, "gm": []}), "name somebody"),
        ("downloadAvatar", json!({"id": id, "t": "x"}), "t: 'x' is none of"),
        ("fly", json!({"id": id}), "gm: there is no such method"),
    ] {
        let refused = world.call("ann", gm, &pm);
        assert_eq!(refused.text(), "400", "{gm} {pm}");
        assert!(refused.header("reason").unwrap().contains(reason), "{gm} {pm}: {refused:?}");
    }
    // Of a group that is none of one's own, nothing is told but the code.
    let (other, none) =
        (world.call("eve", "getGroup", &json!({"id": id})), world.call("eve", "getGroup", &json!({"id": id + 1})));
    assert_eq!((other.text(), other.header("reason")), ("444".to_owned(), None));
    assert_eq!((none.text(), none.header("reason")), ("444".to_owned(), None));
}

#[test]
fn lenient_statuses_keep_the_code_in_the_body() {
    let world = World::with("strict_status = false");
    let response = world.call("ann", "getGroup", &json!({"id": 7}));
    assert_eq!((response.status, response.text()), (400, "444".to_owned()));
}
