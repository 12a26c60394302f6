//! The bytes of the handover, beside its version: two programs of one version have to understand each other.

use super::{Estate, VERSION};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// Something of everything that is handed over.
const SAMPLE: &str = include_str!("../../../tests/handover/sample.json");
const ADVICE: &str = "what is handed over has another layout: raise VERSION in estate.rs, have tests/handover/sample.json hold \
                      something of everything, and let UPDATE=1 write the new layout beside it; the old one goes";

/// What each choice in the sample might be as well, as errors tell it.
fn choices(sample: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for at in 0.. {
        let mut twisted = sample.clone();
        if !twist(&mut twisted, &mut { at }) {
            return found;
        }
        let error = serde_json::from_str::<Estate>(&twisted.to_string()).err().map(|error| error.to_string());
        let choice = error.as_deref().and_then(|error| error.split_once("unknown variant `?`, expected "));
        found.extend(choice.map(|(_, choice)| choice.split(" at line ").next().unwrap().to_owned()));
    }
    found
}

/// Puts a question mark in the place of one name in it: the one behind `left` others.
fn twist(value: &mut Value, left: &mut usize) -> bool {
    let is_last = |left: &mut usize| {
        *left = left.wrapping_sub(1);
        *left == usize::MAX
    };
    match value {
        Value::String(text) if is_last(left) => *text = "?".to_owned(),
        Value::Object(fields) if fields.len() == 1 && is_last(left) => {
            let inner = std::mem::take(fields).into_iter().map(|(_, inner)| inner).next().unwrap();
            fields.insert("?".to_owned(), inner);
        }
        Value::Object(fields) => return fields.values_mut().any(|inner| twist(inner, left)),
        Value::Array(items) => return items.iter_mut().any(|inner| twist(inner, left)),
        _ => return false,
    }
    true
}

fn leaves_out(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty() || items.iter().any(leaves_out),
        Value::Object(fields) => fields.values().any(leaves_out),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[test]
fn the_layout_is_that_of_the_version() {
    let sample: Value = serde_json::from_str(SAMPLE).unwrap();
    assert!(!leaves_out(&sample), "the sample holds something of everything");
    let estate: Estate = serde_json::from_str(SAMPLE).unwrap_or_else(|error| panic!("{ADVICE}: {error}"));
    let bytes = estate.encode().unwrap();
    let mut told = String::new();
    bytes.chunks(60).for_each(|some| writeln!(told, "{}", hex::encode(some)).unwrap());
    choices(&sample).iter().for_each(|choice| writeln!(told, "{choice}").unwrap());
    let name = format!("tests/handover/layout-{VERSION}.txt");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&name);
    // One that is there is never written over.
    if std::env::var_os("UPDATE").is_some() && !path.exists() {
        std::fs::write(&path, &told).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}. {ADVICE}"));
    assert!(stored == told, "{ADVICE}:\n{told}");
    let bytes = hex::decode(stored.lines().take_while(|line| !line.contains('`')).collect::<String>()).unwrap();
    assert_eq!(Estate::decode(&bytes), Ok(estate));
}
