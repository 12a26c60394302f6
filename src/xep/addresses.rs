//! XEP-0033: what a multicast service says of itself by disco.

use crate::xmpp::{Kind, Parts, ns};
use minidom::Element;

/// XEP-0033 §2.1: whether a disco#info is that of a multicast service.
pub fn is_served(info: &Element) -> bool {
    info.parts().any(|child| child.name() == "feature" && child.attr("var") == Some(ns::ADDRESS))
}

/// XEP-0033 §2.1: whether a multicast service hands out presence. Our module tells it by a feature.
pub fn takes_presence(info: &Element) -> bool {
    let says = |feature: &str| info.parts().any(|it| it.name() == "feature" && it.attr("var") == Some(feature));
    !says(ns::MIXD_HOST) || says(ns::MIXD_PRESENCE)
}

/// How many addresses a stanza of a kind may have, where the service tells it. ejabberd and our module tell it in a form.
pub fn limit(info: &Element, kind: Kind) -> Option<usize> {
    let value = |form: &Element, name: &str| -> Option<String> {
        let field = form.parts().find(|field| field.attr("var") == Some(name))?;
        Some(field.part("value", ns::FORM)?.text())
    };
    let mut forms = info.parts().filter(|child| child.is("x", ns::FORM));
    let form = forms.find(|form| value(form, "FORM_TYPE").as_deref() == Some(ns::ADDRESS))?;
    value(form, kind.name())?.trim().parse().ok().filter(|&limit| limit > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(inner: &str) -> Element {
        format!("<query xmlns='http://jabber.org/protocol/disco#info'>{inner}</query>").parse().unwrap()
    }

    #[test]
    fn a_multicast_service_is_known_by_its_feature_and_may_tell_its_limit() {
        let feature = "<feature var='http://jabber.org/protocol/address'/>";
        let form = |form: &str, message: &str| {
            format!(
                "{feature}<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>\
                 <value>{form}</value></field><field var='message'><value>{message}</value></field></x>"
            )
        };
        for (inner, served, told) in [
            ("<feature var='urn:xmpp:ping'/>".to_owned(), false, None),
            (feature.to_owned(), true, None),
            (form(ns::ADDRESS, "20000"), true, Some(20_000)),
            (form(ns::ADDRESS, "0"), true, None),
            (form(ns::ADDRESS, "many"), true, None),
            (form("http://jabber.org/network/serverinfo", "7"), true, None),
        ] {
            let info = info(&inner);
            assert_eq!((is_served(&info), limit(&info, Kind::Message)), (served, told), "{inner}");
            assert_eq!(limit(&info, Kind::Presence), None, "{inner}");
        }
    }

    #[test]
    fn presence_is_taken_by_every_service_but_a_module_of_ours_that_does_not_say_so() {
        let features = |those: &[&str]| those.iter().map(|var| format!("<feature var='{var}'/>")).collect::<String>();
        for (those, takes) in [
            (&[ns::ADDRESS][..], true),
            (&[ns::ADDRESS, ns::MIXD_HOST][..], false),
            (&[ns::ADDRESS, ns::MIXD_HOST, ns::MIXD_PRESENCE][..], true),
        ] {
            assert_eq!(takes_presence(&info(&features(those))), takes, "{those:?}");
        }
    }
}
