//! XEP-0033: what a multicast service says of itself by disco.

use crate::xmpp::{Parts, ns};
use minidom::Element;

/// XEP-0033 §2.1: whether a disco#info is that of a multicast service.
pub fn is_served(info: &Element) -> bool {
    info.parts().any(|child| child.name() == "feature" && child.attr("var") == Some(ns::ADDRESS))
}

/// How many addresses a message may have, where the service tells it. ejabberd and our module tell it in a form.
pub fn limit(info: &Element) -> Option<usize> {
    let value = |form: &Element, name: &str| -> Option<String> {
        let field = form.parts().find(|field| field.attr("var") == Some(name))?;
        Some(field.part("value", ns::FORM)?.text())
    };
    let mut forms = info.parts().filter(|child| child.is("x", ns::FORM));
    let form = forms.find(|form| value(form, "FORM_TYPE").as_deref() == Some(ns::ADDRESS))?;
    value(form, "message")?.trim().parse().ok().filter(|&limit| limit > 0)
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
        let form = |kind: &str, message: &str| {
            format!(
                "{feature}<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>\
                 <value>{kind}</value></field><field var='message'><value>{message}</value></field></x>"
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
            assert_eq!((is_served(&info), limit(&info)), (served, told), "{inner}");
        }
    }
}
