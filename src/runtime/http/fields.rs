//! The two fields of a request, `gm` and `pm`, from its query, its form or its multipart body.

use super::fault::Fault;
use super::parameters::Parameters;
use percent_encoding::percent_decode;

/// The fields `gm` and `pm`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The method.
    pub gm: Option<String>,
    /// Its parameters, as they were sent.
    pub pm: Option<String>,
}

impl Fields {
    /// Takes a field. Fields of other names are ignored.
    ///
    /// # Errors
    /// 400 where the field was there already: no two readers may differ in which of them counts.
    pub fn put(&mut self, name: &str, value: String) -> Result<(), Fault> {
        let place = match name {
            "gm" => &mut self.gm,
            "pm" => &mut self.pm,
            _ => return Ok(()),
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(Fault::bad(format!("{name}: it is there more than once"))),
        }
    }

    /// Takes all fields of a query or a form (`application/x-www-form-urlencoded`).
    ///
    /// # Errors
    /// 400 where its encoding is broken, and as [`Fields::put`].
    pub fn put_form(&mut self, text: &[u8]) -> Result<(), Fault> {
        for pair in text.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
            let mut sides = pair.splitn(2, |&b| b == b'=');
            let name = decoded(sides.next().unwrap_or_default())?;
            let value = decoded(sides.next().unwrap_or_default())?;
            self.put(&name, value)?;
        }
        Ok(())
    }

    /// The method.
    ///
    /// # Errors
    /// 400 where none is named.
    pub fn method(&self) -> Result<&str, Fault> {
        self.gm.as_deref().ok_or(Fault::bad("gm: the name of a method is missing"))
    }

    /// Parses the parameters.
    ///
    /// # Errors
    /// 400 where they are absent or no valid parameters.
    pub fn parameters(&self) -> Result<Parameters, Fault> {
        Parameters::read(self.pm.as_deref().ok_or(Fault::bad("pm: the parameters are missing"))?)
    }
}

/// Decodes a name or a value.
fn decoded(coded: &[u8]) -> Result<String, Fault> {
    let mut rest = coded;
    while let Some(at) = memchr::memchr(b'%', rest) {
        rest = &rest[at + 1..];
        if !matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()) {
            return Err(Fault::bad("a % is not followed by two hexadecimal digits"));
        }
    }
    let spaced: Vec<u8> = coded.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).map_err(|_| Fault::bad("a field is no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_from_queries_and_forms_each_once() {
        let mut fields = Fields::default();
        fields.put_form(b"gm=get%47roup&&x=y&x=z&pm=%7B%22id%22%3A+1%7D&=&a").unwrap();
        assert_eq!(fields, Fields { gm: Some("getGroup".into()), pm: Some("{\"id\": 1}".into()) });
        for again in [&b"gm=getGroup"[..], b"x=y&pm=", b"%67m=delGroup"] {
            assert_eq!(fields.clone().put_form(again).unwrap_err().code, 400);
        }
        assert_eq!(Fields::default().put_form(b"gm=a&gm=a").unwrap_err().code, 400);
    }

    #[test]
    fn a_broken_encoding_is_refused_wherever_it_is() {
        for broken in [&b"gm=%"[..], b"gm=%4", b"gm=%4x", b"gm=%u0041", b"gm=%FF", b"gm=%C3", b"x=%C0%AF", b"%zz=1"] {
            assert_eq!(Fields::default().put_form(broken).unwrap_err().code, 400);
        }
        let mut fields = Fields::default();
        fields.put_form("gm=%C3%A4\u{e4}%2B%25".as_bytes()).unwrap();
        assert_eq!(fields.gm.as_deref(), Some("ää+%"));
    }
}
