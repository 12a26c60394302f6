//! What one process hands to the next: the form in which it does.
//!
//! A version comes first, so that a program says what it does not understand before it reads any of it. A digest shows
//! that all of it is there. What is damaged is refused as a whole.

use super::super::framer::{Excess, HalfRead};
use crate::engine::Memory;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use thiserror::Error;

/// The version of the handover that this program makes and understands. It changes with [`Estate`], [`Memory`] and all
/// that they consist of, and with what else the next program has to know: signals wait in the kernel from version 2 on.
pub const VERSION: u32 = 3;
/// The most that is handed over, in bytes: the presence of everybody takes most of it.
pub const BYTES_MAX: usize = 1 << 30;
/// The most descriptors. The kernel passes 253 at once.
pub const DESCRIPTORS_MAX: usize = 32;

const MAGIC: &[u8; 16] = b"mixd handover\r\n\0";
const HEAD_BYTES: usize = MAGIC.len() + 4 + 8 + 32;

/// A stanza that came in and was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// As it came.
    Stanza(Vec<u8>),
    /// One over a limit: its start tag.
    Oversize(Vec<u8>, Excess),
}

impl Held {
    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        let (Held::Stanza(bytes) | Held::Oversize(bytes, _)) = self;
        bytes.len()
    }
}

/// The stream to the host server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamState {
    /// Where the framer stands.
    pub half_read: HalfRead,
    /// Whether the host server answers pings, so that what it has is known.
    pub answers_pings: bool,
    /// What the ids of pings begin with, and the number of the newest: what still comes back is the service's own.
    pub pings: (String, u64),
}

/// What a descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The connection to the host server.
    Link,
    /// The listening socket of the HTTP API, and the address in the settings that it was opened for.
    Http(SocketAddr),
    /// The same of the pages for monitoring.
    Metrics(SocketAddr),
    /// The listening admin socket.
    Admin,
    /// The file whose lock keeps other processes out of the store.
    Lock,
    /// Somebody who asked for the handover and waits for its outcome.
    Asker,
}

/// What is handed over, beside the descriptors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estate {
    /// The program that hands over.
    pub program: String,
    /// When the last stanza was served, in steady milliseconds.
    pub since_ms: u64,
    /// What the descriptors are, in their order.
    pub roles: Vec<Role>,
    /// The stream that the link's descriptor carries; `None` where there is no link.
    pub stream: Option<StreamState>,
    /// What came in and is still to be served, in order.
    pub held: Vec<Held>,
    /// What the engine knows beyond the store.
    pub memory: Memory,
}

/// Why nothing can be taken over.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EstateError {
    /// It does not begin like one.
    #[error("what is handed over is no state of mixd")]
    Foreign,
    /// It is of another version.
    #[error("it is handed over in version {0}, and this program understands version {VERSION}")]
    Version(u32),
    /// It is longer than anything that is handed over.
    #[error("what is handed over takes {0} bytes, and at most {BYTES_MAX} are taken")]
    TooLong(u64),
    /// It is not what was written.
    #[error("what is handed over is damaged: {0}")]
    Damaged(String),
}

impl Estate {
    /// The same without what is found out again on a new link, and without the old one.
    pub fn without_memory(&self) -> Estate {
        Estate { memory: Memory::default(), stream: None, ..self.clone() }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// It is longer than what is taken over.
    pub fn encode(&self) -> Result<Vec<u8>, EstateError> {
        let mut bytes = vec![0; HEAD_BYTES];
        bytes = postcard::to_extend(self, bytes).map_err(|error| EstateError::Damaged(error.to_string()))?;
        if bytes.len() > BYTES_MAX {
            return Err(EstateError::TooLong(bytes.len() as u64));
        }
        let (head, body) = bytes.split_at_mut(HEAD_BYTES);
        let digest: [u8; 32] = Sha256::digest(&*body).into();
        let fields = [&MAGIC[..], &VERSION.to_be_bytes(), &(body.len() as u64).to_be_bytes(), &digest];
        head.copy_from_slice(&fields.concat());
        Ok(bytes)
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`EstateError`]
    pub fn decode(bytes: &[u8]) -> Result<Estate, EstateError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(EstateError::Foreign)?;
        let (version, body) = body.split_first_chunk().ok_or(EstateError::Foreign)?;
        let version = u32::from_be_bytes(*version);
        if version != VERSION {
            return Err(EstateError::Version(version));
        }
        if bytes.len() > BYTES_MAX {
            return Err(EstateError::TooLong(bytes.len() as u64));
        }
        let damaged = |why: &str| EstateError::Damaged(why.to_owned());
        let (len, body) = body.split_first_chunk().ok_or_else(|| damaged("its head is cut"))?;
        let (digest, body) = body.split_first_chunk::<32>().ok_or_else(|| damaged("its head is cut"))?;
        if u64::from_be_bytes(*len) != body.len() as u64 {
            return Err(damaged("its length is another"));
        }
        if *digest != <[u8; 32]>::from(Sha256::digest(body)) {
            return Err(damaged("its digest is another"));
        }
        let (estate, rest) = postcard::take_from_bytes::<Estate>(body).map_err(|error| damaged(&error.to_string()))?;
        match rest.is_empty() && estate.roles.len() <= DESCRIPTORS_MAX {
            true => Ok(estate),
            false => Err(damaged("there is more than belongs to it")),
        }
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod layout_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn estate() -> Estate {
        Estate {
            program: "mixd 0.1.0".into(),
            since_ms: 1234,
            roles: vec![Role::Lock, Role::Http("127.0.0.1:8080".parse().unwrap()), Role::Link, Role::Asker],
            stream: Some(StreamState { pings: ("ping-ab".into(), 7), answers_pings: true, ..StreamState::default() }),
            held: vec![Held::Stanza(b"<message/>".to_vec()), Held::Oversize(b"<iq id='1'>".to_vec(), Excess::Depth)],
            memory: Memory::default(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for estate in [estate(), Estate::default()] {
            assert_eq!(Estate::decode(&estate.encode().unwrap()), Ok(estate));
        }
    }

    #[test]
    fn each_byte_counts_and_damage_takes_nothing_over() {
        let bytes = estate().encode().unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Estate::decode(&damaged).is_err(), "byte {at}");
            assert!(Estate::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(Estate::decode(&[&bytes[..], b"x"].concat()).is_err());
    }

    #[test]
    fn another_version_is_told_before_anything_of_it_is_read() {
        for version in [0, 1, 2, 4, u32::MAX] {
            let bytes = [&MAGIC[..], &u32::to_be_bytes(version), b"whatever it may be"].concat();
            assert_eq!(Estate::decode(&bytes), Err(EstateError::Version(version)));
        }
        assert_eq!(Estate::decode(b"#!/bin/sh"), Err(EstateError::Foreign));
    }

    #[test]
    fn more_descriptors_than_are_passed_are_refused() {
        let crowded = Estate { roles: vec![Role::Asker; DESCRIPTORS_MAX + 1], ..Estate::default() };
        assert!(Estate::decode(&crowded.encode().unwrap()).is_err());
    }
}
