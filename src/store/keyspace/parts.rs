//! The parts that keys are made of.

use sha2::{Digest, Sha256};

/// The longest text that a key holds as it is, in bytes. Longer ones are replaced by a digest.
pub(super) const PLAIN_BYTES_MAX: usize = 96;

/// A key: its letter, then its parts.
pub(super) fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    key.push(letter);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// A text as part of a key: its length and itself, or a digest where it is long. No part is a prefix of another one.
pub(super) fn short(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut part = Vec::with_capacity(PLAIN_BYTES_MAX + 1);
    if bytes.len() <= PLAIN_BYTES_MAX {
        part.push(bytes.len() as u8);
        part.extend_from_slice(bytes);
    } else {
        part.push(u8::MAX);
        part.extend_from_slice(&Sha256::digest(bytes));
    }
    part
}
