//! An address to listen at: a port of the loopback, or an address and a port.

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

const EXPECTED: &str = "a port of the loopback such as 5290, or an address and a port such as \"127.0.0.1:5290\"";

/// Parses an address to listen at. A port alone is one of the loopback, so that nothing is open to a network by
/// default.
///
/// # Errors
/// Text that is neither.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    deserializer.deserialize_any(Where).map(Some)
}

struct Where;

impl Visitor<'_> for Where {
    type Value = SocketAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_u64<E: Error>(self, port: u64) -> Result<SocketAddr, E> {
        match u16::try_from(port) {
            Ok(port @ 1..) => Ok((Ipv4Addr::LOCALHOST, port).into()),
            _ => Err(E::invalid_value(Unexpected::Unsigned(port), &self)),
        }
    }

    fn visit_i64<E: Error>(self, port: i64) -> Result<SocketAddr, E> {
        match u64::try_from(port) {
            Ok(port) => self.visit_u64(port),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(port), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SocketAddr, E> {
        if let Ok(port) = text.parse::<u64>() {
            return self.visit_u64(port);
        }
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Held {
        #[serde(default, deserialize_with = "read")]
        listen: Option<SocketAddr>,
    }

    fn listen(text: &str) -> Result<Option<String>, String> {
        let figment = figment::Figment::from(<figment::providers::Toml as figment::providers::Format>::string(text));
        let held: Result<Held, _> = figment.extract();
        held.map(|held| held.listen.map(|it| it.to_string())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_port_alone_is_one_of_the_loopback_and_nothing_is_nowhere() {
        assert_eq!(listen("").unwrap(), None);
        assert_eq!(listen("listen = 5290").unwrap().unwrap(), "127.0.0.1:5290");
        assert_eq!(listen("listen = '5290'").unwrap().unwrap(), "127.0.0.1:5290");
        assert_eq!(listen("listen = '[::]:80'").unwrap().unwrap(), "[::]:80");
        for wrong in ["0", "70000", "-1", "'groups.example.org'", "true"] {
            let told = listen(&format!("listen = {wrong}")).unwrap_err();
            assert!(told.contains("a port of the loopback such as 5290"), "{wrong}: {told}");
        }
    }
}
