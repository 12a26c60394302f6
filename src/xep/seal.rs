//! XEP-0313 §3.5, XEP-0359 §2.1: stanza ids, which are encrypted row numbers.
//!
//! An id is one AES-128 block over the channel's tag and the row number, in hex. It does not show how large the archive
//! is. An invented id, or one of another channel, is recognized by the tag, without a look-up.

use crate::channel::{AccountMark, ParticipantId};
use aes::Aes128;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use jid::BareJid;
use sha2::{Digest, Sha256};
use std::fmt;

/// AES-128 with the service's key.
#[derive(Clone)]
pub struct Sealer(Aes128);

impl Sealer {
    /// A sealer for a key.
    pub fn new(key: [u8; 16]) -> Sealer {
        Sealer(Aes128::new(&key.into()))
    }

    /// The id of a row.
    pub fn seal(&self, tag: u64, row: u64) -> String {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&tag.to_be_bytes());
        block[8..].copy_from_slice(&row.to_be_bytes());
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        hex::encode(block)
    }

    /// The row of an id. `None` where this channel never gave the id out.
    pub fn open(&self, tag: u64, id: &str) -> Option<u64> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(id, &mut bytes).ok()?;
        let mut block = bytes.into();
        self.0.decrypt_block(&mut block);
        let (sealed_tag, row) = block.split_at(8);
        (sealed_tag == tag.to_be_bytes()).then(|| row.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }

    /// The id of a stanza that is no row. `tag` is that of the channel, or 0 for the service. It consists of random
    /// bytes and a check at the end, by which [`Sealer::is_mark`] recognizes it.
    pub fn mark(&self, tag: u64, mut drawn: [u8; 12]) -> String {
        let check = self.check(tag, &drawn[..8]);
        drawn[8..].copy_from_slice(&check);
        hex::encode(drawn)
    }

    /// Whether an id is one that [`Sealer::mark`] gave for this channel.
    pub fn is_mark(&self, tag: u64, id: &str) -> bool {
        let mut bytes = [0; 12];
        let is_hex = hex::decode_to_slice(id, &mut bytes).is_ok();
        is_hex && self.check(tag, &bytes[..8]) == bytes[8..]
    }

    fn check(&self, tag: u64, drawn: &[u8]) -> [u8; 4] {
        let mut block = [0; 16];
        // The blocks of rows begin with the tag itself, so no check is a part of one.
        block[..8].copy_from_slice(&(!tag).to_be_bytes());
        block[8..].copy_from_slice(drawn);
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        [block[0], block[1], block[2], block[3]]
    }

    /// XEP-0404 §2.4: the name of a resource whose participant's JID is hidden. It is always the same, differs between
    /// channels, and does not show the resource.
    pub fn alias(&self, tag: u64, id: &ParticipantId, resource: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(tag.to_be_bytes());
        hash.update(id.as_str());
        hash.update(resource);
        let mut block = [0; 16];
        block.copy_from_slice(&hash.finalize()[..16]);
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        hex::encode(block)
    }

    /// The id of an account in a channel, as a participant and without being one. It is always the same, differs between
    /// channels, and does not show the account. `ended`: how many accounts of this name have ended, because the next one is
    /// somebody else.
    pub fn visitor(&self, tag: u64, account: &BareJid, ended: u32) -> ParticipantId {
        let mut hash = Sha256::new();
        hash.update(b"visitor");
        hash.update(tag.to_be_bytes());
        if ended > 0 {
            hash.update([0]);
            hash.update(ended.to_be_bytes());
        }
        hash.update(account.as_str());
        let mut block = [0; 16];
        block.copy_from_slice(&hash.finalize()[..16]);
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&Sha256::digest(block)[..20]);
        ParticipantId::of_bytes(bytes)
    }
}

/// Marks of accounts.
impl Sealer {
    /// What stands for an account where the service may not tell who it is. It is always the same.
    pub fn account(&self, account: &BareJid) -> AccountMark {
        let mut hash = Sha256::new();
        hash.update(b"account");
        hash.update(account.as_str());
        let mut block = [0; 16];
        block.copy_from_slice(&hash.finalize()[..16]);
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        AccountMark(block.iter().take(8).fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }
}

/// XEP-0463: versions of affiliations.
impl Sealer {
    /// A version as an account is told it. `of`: the channel's tag, the account, and the lists that it reads.
    pub fn version(&self, of: (u64, &BareJid, u8), version: u64) -> String {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&versions_of(of));
        block[8..].copy_from_slice(&version.to_be_bytes());
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        hex::encode(block)
    }

    /// The version of a text. `None` where it was never given out for this.
    pub fn open_version(&self, of: (u64, &BareJid, u8), text: &str) -> Option<u64> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let mut block = bytes.into();
        self.0.decrypt_block(&mut block);
        let (sealed, version) = block.split_at(8);
        (sealed == versions_of(of)).then(|| version.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }
}

/// What tells versions of different accounts and channels apart.
fn versions_of((tag, account, lists): (u64, &BareJid, u8)) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(b"affiliations");
    hash.update(tag.to_be_bytes());
    hash.update([lists]);
    hash.update(account.as_str());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    first
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_one_alias_a_channel() {
        let (sealer, id) = (Sealer::new([7; 16]), ParticipantId::new("abcdefghijklmnopqrst").unwrap());
        let alias = sealer.alias(1, &id, "phone");
        assert_eq!(alias, sealer.alias(1, &id, "phone"));
        assert!(alias.len() == 32 && ![sealer.alias(2, &id, "phone"), sealer.alias(1, &id, "desk")].contains(&alias));
        assert_ne!(alias, Sealer::new([8; 16]).alias(1, &id, "phone"));
    }

    #[test]
    fn an_id_without_a_row_is_known_again_for_its_own_channel_only() {
        let sealer = Sealer::new([7; 16]);
        let id = sealer.mark(1, [3; 12]);
        assert!(sealer.is_mark(1, &id) && !sealer.is_mark(2, &id) && !Sealer::new([8; 16]).is_mark(1, &id));
        assert!(sealer.open(1, &id).is_none() && !sealer.is_mark(1, &sealer.seal(1, 42)));
        for wrong in ["", "x", "030303030303030300000000", &id[2..], &format!("{id}00")] {
            assert!(!sealer.is_mark(1, wrong), "{wrong}");
        }
    }

    #[test]
    fn an_id_opens_for_its_own_channel_only() {
        let sealer = Sealer::new([7; 16]);
        let id = sealer.seal(1, 42);
        assert_eq!(sealer.open(1, &id), Some(42));
        assert_eq!(sealer.open(2, &id), None);
        assert_eq!(Sealer::new([8; 16]).open(1, &id), None);
        for wrong in ["", "42", "zz", &id[1..], &format!("{id}00")] {
            assert_eq!(sealer.open(1, wrong), None, "{wrong}");
        }
    }
}
