//! The canonical form of a stanza: attributes in order, one element a line, text where there is nothing else.

use minidom::{Element, Node};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The lines of an element as it reads where `around` is the default namespace.
pub fn lines(element: &Element, around: &str) -> Vec<String> {
    let mut out = Vec::new();
    write(element, around, 0, &mut out);
    out
}

fn write(element: &Element, around: &str, depth: usize, out: &mut Vec<String>) {
    let (indent, ns) = ("  ".repeat(depth), element.ns());
    let head = format!("{indent}<{}", head(element, around));
    let is_blank = |node: &Node| matches!(node, Node::Text(text) if text.trim().is_empty());
    if element.nodes().next().is_none() {
        return out.push(format!("{head}/>"));
    }
    if element.children().next().is_none() {
        return out.push(format!("{head}>{}</{}>", escape(&element.text()), element.name()));
    }
    out.push(format!("{head}>"));
    for node in element.nodes().filter(|node| !is_blank(node)) {
        match node {
            Node::Element(child) => write(child, &ns, depth + 1, out),
            Node::Text(text) => out.push(format!("{indent}  {}", escape(text))),
        }
    }
    out.push(format!("{indent}</{}>", element.name()));
}

fn head(element: &Element, around: &str) -> String {
    let mut head = element.name().to_owned();
    if element.ns() != around {
        head.push_str(&format!(" xmlns='{}'", escape(&element.ns())));
    }
    let mut attributes: Vec<(String, &str)> = Vec::new();
    for ((ns, name), value) in element.attrs().iter() {
        let (ns, name): (&str, &str) = (ns, name);
        let name = match ns {
            "" => name.to_owned(),
            XML => format!("xml:{name}"),
            other => format!("{{{other}}}{name}"),
        };
        attributes.push((name, value));
    }
    attributes.sort();
    for (name, value) in attributes {
        head.push_str(&format!(" {name}='{}'", escape(value)));
    }
    head
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&apos;").replace('\n', "&#10;")
}
