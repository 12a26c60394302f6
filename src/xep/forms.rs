//! XEP-0004: what all data forms have.

use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// The hidden field that says what a form is for (XEP-0068).
pub fn form_type(of: &str) -> Tag {
    Tag::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").child(Tag::new("value").text(of))
}

/// The first value of the field with this name.
pub fn value_of(form: &Element, var: &str) -> Option<String> {
    let mut fields = form.parts().filter(|field| field.name() == "field" && field.attr("var") == Some(var));
    fields.find_map(|field| field.part("value", ns::FORM)).map(Element::text)
}
