//! Where a framer stands between two chunks, as one process hands it to the next.

use super::{At, Excess, Framer, StanzaLimits};
use serde::{Deserialize, Serialize};

/// What may follow `<!`, by the number under which it is handed over.
const DECLARATIONS: [&[u8]; 3] = [b"", b"--", b"[CDATA["];

/// The state of a framer behind the stream header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfRead {
    at: Place,
    depth: u64,
    kept: Vec<u8>,
    len: u64,
    head_len: Option<u64>,
    excess: Option<Excess>,
    elements: u64,
    attributes: u64,
    value_len: u64,
    tag_len: u64,
    last: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    #[default]
    Text,
    Markup,
    StartTag,
    Value(u8),
    EndTag,
    Declaration(u8, u8),
    Until(u8, u8, u8),
}

impl Framer {
    /// Where it stands.
    pub fn half_read(&self) -> HalfRead {
        let at = match self.at {
            At::Text => Place::Text,
            At::Markup => Place::Markup,
            At::StartTag => Place::StartTag,
            At::Value(quote) => Place::Value(quote),
            At::EndTag => Place::EndTag,
            At::Declaration(rest, n) => {
                let which = DECLARATIONS.iter().position(|known| *known == rest).unwrap_or_default();
                Place::Declaration(which as u8, n as u8)
            }
            At::Until { mark, need, seen } => Place::Until(mark, need, seen),
        };
        HalfRead {
            at,
            depth: self.depth as u64,
            kept: self.kept.clone(),
            len: self.len as u64,
            head_len: self.head_len.map(|len| len as u64),
            excess: self.excess,
            elements: self.elements as u64,
            attributes: self.attributes as u64,
            value_len: self.value_len as u64,
            tag_len: self.tag_len as u64,
            last: self.last,
        }
    }

    /// A framer that stands there. `None` where none can: what was handed over is damaged.
    pub fn resume(limits: StanzaLimits, from: HalfRead) -> Option<Framer> {
        let count = |n: u64| usize::try_from(n).ok().filter(|n| *n <= usize::MAX / 2);
        let at = match from.at {
            Place::Text => At::Text,
            Place::Markup => At::Markup,
            Place::StartTag => At::StartTag,
            Place::Value(quote) => At::Value(Some(quote).filter(|it| matches!(it, b'\'' | b'"'))?),
            Place::EndTag => At::EndTag,
            Place::Declaration(which, n) => {
                let rest = *DECLARATIONS.get(usize::from(which))?;
                At::Declaration(rest, Some(usize::from(n)).filter(|n| *n <= rest.len())?)
            }
            Place::Until(mark, need, seen) => {
                At::Until { mark: Some(mark).filter(|it| matches!(it, b'-' | b']' | b'?'))?, need, seen }
            }
        };
        let (len, head_len) = (count(from.len)?, from.head_len.map(count));
        let head_len = head_len.map_or(Some(None), |len| len.map(Some))?;
        // What is kept begins with the element, and is cut at its head alone.
        let is_whole = from.kept.len() <= len && (from.kept.is_empty() || from.kept[0] == b'<');
        let is_between = matches!(at, At::Text) && from.depth == 0;
        if !is_whole || (from.kept.is_empty() && !is_between) {
            return None;
        }
        Some(Framer {
            limits,
            at,
            opened: true,
            depth: count(from.depth)?,
            kept: from.kept,
            len,
            head_len,
            excess: from.excess,
            elements: count(from.elements)?,
            attributes: count(from.attributes)?,
            value_len: count(from.value_len)?,
            tag_len: count(from.tag_len)?,
            last: from.last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Frame;
    use super::*;

    const LIMITS: StanzaLimits = StanzaLimits {
        stanza_bytes_max: 120,
        stanza_depth_max: 4,
        stanza_elements_max: 6,
        attribute_bytes_max: 20,
        attributes_max: 3,
        start_tag_bytes_max: 60,
    };
    const STREAM: &str = "<stream:stream id='1'> <message to='a'><body>one &lt; <![CDATA[ ]]] > ]]></body></message>\n\
        <iq><!-- -> --><q a=\"b>c'\"/></iq><message id='long'><body>0123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789</body></message><iq a='012345678901234567890123' b='2'/>\
        <m><a><b><c><d/></c></b></a></m><?x y?><presence/></stream:stream>";

    fn frames(cut: Option<usize>) -> Vec<String> {
        let mut told = Vec::new();
        let mut each = |frame: Frame<'_>| told.push(format!("{frame:?}"));
        let mut framer = Framer::new(LIMITS);
        let (first, rest) = STREAM.as_bytes().split_at(cut.unwrap_or(STREAM.len()));
        framer.feed(first, &mut each).unwrap();
        if cut.is_some() {
            let half = postcard::to_allocvec(&framer.half_read()).unwrap();
            framer = Framer::resume(LIMITS, postcard::from_bytes(&half).unwrap()).unwrap();
        }
        framer.feed(rest, &mut each).unwrap();
        told
    }

    #[test]
    fn the_frames_are_the_same_wherever_another_process_goes_on() {
        let whole = frames(None);
        assert!(whole.len() >= 8 && whole.iter().any(|it| it.starts_with("Oversize")), "{whole:?}");
        let behind_header = STREAM.find('>').unwrap() + 1;
        for cut in behind_header..STREAM.len() {
            assert_eq!(frames(Some(cut)), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_no_framer_can_be_at_is_refused() {
        let at = |place: Place| HalfRead { at: place, kept: b"<m".to_vec(), len: 2, ..HalfRead::default() };
        assert!(Framer::resume(LIMITS, HalfRead::default()).is_some());
        assert!(Framer::resume(LIMITS, at(Place::StartTag)).is_some());
        for place in [Place::Value(b'x'), Place::Declaration(3, 0), Place::Declaration(1, 3), Place::Until(b'x', 1, 0)]
        {
            assert!(Framer::resume(LIMITS, at(place)).is_none(), "{place:?}");
        }
        let wrong = [
            HalfRead { kept: b"m".to_vec(), ..at(Place::StartTag) },
            HalfRead { len: 1, ..at(Place::StartTag) },
            HalfRead { kept: Vec::new(), ..at(Place::StartTag) },
            HalfRead { kept: Vec::new(), depth: 1, ..at(Place::Text) },
            HalfRead { depth: u64::MAX, ..at(Place::StartTag) },
        ];
        for half in wrong {
            assert!(Framer::resume(LIMITS, half.clone()).is_none(), "{half:?}");
        }
    }
}
