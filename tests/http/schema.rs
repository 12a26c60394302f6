//! docs/openapi.json against what is really asked and answered.

use crate::client::Response;
use boon::{Compiler, Schemas};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::OnceLock;

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    })
}

/// Holds a value to the schema at a place of the document.
#[track_caller]
fn validate(place: &str, value: &Value) {
    thread_local! {
        static COMPILED: RefCell<(Compiler, Schemas)> = {
            let mut compiler = Compiler::new();
            compiler.add_resource("openapi.json", document().clone()).unwrap();
            RefCell::new((compiler, Schemas::new()))
        };
    }
    let error = COMPILED.with_borrow_mut(|(compiler, schemas)| {
        let place = format!("openapi.json#{}", place.replace(' ', "%20"));
        let schema = compiler.compile(&place, schemas).unwrap();
        schemas.validate(value, schema).err().map(|error| format!("{error:#}"))
    });
    assert!(error.is_none(), "{place}: {}: {value}", error.unwrap_or_default());
}

/// Holds the answer of a method to the document.
#[track_caller]
pub fn check(gm: &str, answer: &Value) {
    validate(&format!("/components/schemas/answers/properties/{gm}"), answer);
}

/// Holds the parameters of a method to the document.
#[track_caller]
pub fn check_parameters(gm: &str, pm: &Value) {
    validate(&format!("/components/schemas/parameters/properties/{gm}"), pm);
}

/// What stands at a place of the document, behind a reference where there is one.
fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => {
            document().pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place} is missing"))
        }
        None => value,
    }
}

/// Holds a whole response to the document: its status, its headers, the type of its body, and the body where it is
/// JSON.
#[track_caller]
pub fn check_response(verb: &str, path: &str, response: &Response) {
    let template = match path.split('?').next().unwrap().rsplit_once('/').unwrap() {
        ("", "gch.ashx") => "/gch.ashx",
        (_, "video") => "/groupchat/{id}/video",
        (_, "video-thumb") => "/groupchat/{id}/video-thumb",
        _ => return,
    };
    let status = response.status.to_string();
    let documented = resolved(&document()["paths"][template][verb]["responses"][&status]);
    assert!(documented.is_object(), "{verb} {template}: {status} is not documented: {response:?}");
    let usual = ["content-type", "content-length", "connection", "date", "cache-control", "x-content-type-options"];
    for (name, value) in response.headers().filter(|(name, _)| !usual.contains(&&*name.to_ascii_lowercase())) {
        let headers = documented["headers"].as_object();
        let found = headers.and_then(|headers| headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
        let (_, header) = found.unwrap_or_else(|| panic!("{verb} {template} {status}: no header {name} is documented"));
        let number = value.parse::<u64>().is_ok();
        assert!(number || resolved(header)["schema"]["type"] != "integer", "{name}: {value}");
    }
    let Some(kind) = response.header("content-type") else {
        return assert!(response.body.is_empty(), "a body of no type: {response:?}");
    };
    let content = documented["content"].as_object().unwrap_or_else(|| panic!("{status}: no body is documented"));
    let class = format!("{}/*", kind.split('/').next().unwrap());
    let known =
        content.get(kind).or(content.get(&class)).unwrap_or_else(|| panic!("{status}: {kind} is not documented"));
    if kind == "application/json" && !response.body.is_empty() {
        let schema = resolved(&known["schema"]);
        // The schema of all that is done is the method's own, which whoever asked checks.
        if schema == &document()["components"]["schemas"]["Code"] {
            validate("/components/schemas/Code", &response.json());
        }
    }
}

#[test]
fn the_document_describes_every_method_and_refuses_what_is_not_one() {
    let schemas = &document()["components"]["schemas"];
    let named: Vec<&String> = schemas["parameters"]["properties"].as_object().unwrap().keys().collect();
    let source = include_str!("../../src/runtime/http/requests.rs");
    for gm in &named {
        assert!(source.contains(&format!("\"{gm}\"")), "{gm} is documented and not served");
    }
    let methods: BTreeSet<&str> =
        schemas["Method"]["enum"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
    assert_eq!(methods, named.iter().map(|gm| gm.as_str()).collect());
    let mut served = 0;
    let arms = source.split("let served = match gm {").nth(1).unwrap().split("_ =>").next().unwrap();
    for gm in arms.split('"').skip(1).step_by(2).filter(|text| !text.contains(':') && !text.contains(' ')) {
        assert!(named.contains(&&gm.to_owned()), "{gm} is served and not documented");
        // What answers with a file has no schema of an answer.
        assert!(gm == "downloadAvatar" || schemas["answers"]["properties"][gm].is_object(), "{gm} has no answer");
        served += 1;
    }
    assert!(served > 20, "the methods were not found in the source");
    for (gm, wrong) in [("addGroup", serde_json::json!({ "id": "x" })), ("getGroup", serde_json::json!({}))] {
        assert!(std::panic::catch_unwind(|| check(gm, &wrong)).is_err());
    }
}
