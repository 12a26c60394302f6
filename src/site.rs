//! The part of a domain that one owner registered. An owner can have any number of domains below it.

/// Second levels of countries: names below which a registry sells others, so that they have no single owner. In a
/// country without such a registry, the same name may have an owner.
const SECOND_LEVELS: [(&str, &[&str]); 25] = [
    ("ar", &["com", "edu", "gob", "gov", "net", "org"]),
    ("at", &["ac", "co", "or"]),
    ("au", &["com", "edu", "gov", "net", "org"]),
    ("br", &["com", "edu", "gov", "net", "org"]),
    ("cn", &["ac", "com", "edu", "gov", "net", "org"]),
    ("co", &["com", "edu", "gov", "net", "org"]),
    ("es", &["com", "edu", "gob", "nom", "org"]),
    ("fr", &["gouv"]),
    ("hk", &["com", "edu", "gov", "net", "org"]),
    ("id", &["ac", "co", "go", "net", "or", "sch"]),
    ("il", &["ac", "co", "gov", "net", "org"]),
    ("in", &["ac", "co", "edu", "gen", "gov", "net", "org"]),
    ("jp", &["ac", "co", "go", "ne", "or"]),
    ("kr", &["ac", "co", "go", "ne", "or"]),
    ("mx", &["com", "edu", "gob", "net", "org"]),
    ("my", &["com", "edu", "gov", "net", "org"]),
    ("nz", &["ac", "co", "gen", "net", "org"]),
    ("pl", &["com", "edu", "gov", "net", "org"]),
    ("sg", &["com", "edu", "gov", "net", "org"]),
    ("th", &["ac", "co", "go", "net", "or"]),
    ("tr", &["com", "edu", "gen", "gov", "net", "org"]),
    ("tw", &["com", "edu", "gov", "net", "org"]),
    ("ua", &["com", "edu", "gov", "net", "org"]),
    ("uk", &["ac", "co", "gov", "ltd", "net", "org", "plc", "sch"]),
    ("za", &["ac", "co", "gov", "net", "nom", "org"]),
];

/// The part of a domain that somebody registered: its last two labels, or three below a second level of a country.
/// Without the list of all registries this is an estimate. Where it takes several owners for one, they share one share,
/// which matters only when something is used up. An IP address is returned whole.
pub fn of(domain: &str) -> &str {
    let bare = domain.strip_suffix('.').unwrap_or(domain);
    let mut dots = bare.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return bare };
    let (country, below) = (&bare[last + 1..], &bare[second + 1..last]);
    if bare.ends_with(']') || country.bytes().all(|byte| byte.is_ascii_digit()) {
        return bare;
    }
    let is_registry = SECOND_LEVELS.iter().any(|(of, levels)| *of == country && levels.contains(&below));
    match (is_registry, dots.next()) {
        (false, _) => &bare[second + 1..],
        (true, Some(third)) => &bare[third + 1..],
        (true, None) => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_registered_name_is_left_out() {
        let table = [
            ("localhost", "localhost"),
            ("example.org", "example.org"),
            ("a.example.org", "example.org"),
            ("a.b.example.org.", "example.org"),
            ("example.co.uk", "example.co.uk"),
            ("a.b.example.co.uk", "example.co.uk"),
            ("co.uk", "co.uk"),
            ("a.co.com", "co.com"),
            ("a.b.sch.io", "sch.io"),
            ("192.168.0.1", "192.168.0.1"),
            ("[2001:db8::1.2.3.4]", "[2001:db8::1.2.3.4]"),
            ("a.bücher.example", "bücher.example"),
            (".", ""),
            ("..", "."),
        ];
        for (domain, site) in table {
            assert_eq!(of(domain), site, "{domain}");
        }
    }
}
