//! docs/openapi.json against what is really asked and answered.

use boon::{Compiler, Schemas};
use serde_json::Value;

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[track_caller]
fn validate(place: &str, value: &Value) {
    let mut compiler = Compiler::new();
    compiler.add_resource("openapi.json", document()).unwrap();
    let mut schemas = Schemas::new();
    let schema = compiler.compile(&format!("openapi.json#/components/schemas/{place}"), &mut schemas).unwrap();
    if let Err(error) = schemas.validate(value, schema) {
        panic!("{place}: {error:#}: {value}");
    }
}

/// Holds the answer of a method to the document.
#[track_caller]
pub fn check(gm: &str, answer: &Value) {
    validate(&format!("answers/properties/{gm}"), answer);
}

/// Holds the parameters of a method to the document.
#[track_caller]
pub fn check_parameters(gm: &str, pm: &Value) {
    validate(&format!("parameters/properties/{gm}"), pm);
}

#[test]
fn the_document_describes_every_method_and_refuses_what_is_not_one() {
    let document = document();
    let named = |place: &str| -> Vec<String> {
        document["components"]["schemas"][place]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let source = include_str!("../../src/runtime/http/api.rs");
    for gm in named("parameters") {
        assert!(source.contains(&format!("\"{gm}\"")), "{gm} is documented and not served");
    }
    for line in source.lines().filter(|line| line.contains("=> self.") && line.trim_start().starts_with('"')) {
        let gm = line.trim_start().trim_start_matches('"').split('"').next().unwrap();
        assert!(named("parameters").contains(&gm.to_owned()), "{gm} is served and not documented");
    }
    let wrong = std::panic::catch_unwind(|| check("addGroup", &serde_json::json!({ "id": "x" })));
    assert!(wrong.is_err());
}
