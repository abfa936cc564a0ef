//! XML in: a document as elements with their places. The only file that speaks to the XML reader.
//!
//! There are no entities beyond XML's own five, so none that grow: a document type is refused.

use std::ops::Range;

use roxmltree::{Document, Error, Node, ParsingOptions};

use crate::job::{Diagnostics, Source};

/// Elements, texts and comments of a document; far more than any scorecard has.
const MOST_NODES: u32 = 500_000;

/// Elements within elements.
const MOST_LEVELS: usize = 64;

/// An element, without its namespace.
#[derive(Debug, Clone)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// In the order in which they are written.
    pub attributes: Vec<ElementAttribute>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text directly in it.
    pub text: String,
    /// The bytes of its start tag.
    pub at: Range<usize>,
}

/// One attribute.
#[derive(Debug, Clone)]
pub struct ElementAttribute {
    /// Its name, without a namespace.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The bytes of name and value.
    pub at: Range<usize>,
}

impl Element {
    /// The attribute of a name.
    pub fn attribute(&self, name: &str) -> Option<&ElementAttribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The value of an attribute.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name).map(|attribute| attribute.value.as_str())
    }

    /// Where an attribute is written, or else the element.
    pub fn place_of(&self, name: &str) -> Range<usize> {
        self.attribute(name).map_or(self.at.clone(), |attribute| attribute.at.clone())
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The children that are not there for people or other programs alone.
    pub fn content(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(|child| child.name != "Extension")
    }
}

/// Reads a document; what is wrong with it is noted.
pub fn parse(source: &Source, diagnostics: &mut Diagnostics) -> Option<Element> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(&source.text, options) {
        Ok(document) => document,
        Err(error) => {
            note(source, &error, diagnostics);
            return None;
        }
    };
    element(document.root_element(), 1, source, diagnostics)
}

fn note(source: &Source, error: &Error, diagnostics: &mut Diagnostics) {
    let position = error.pos();
    let line_start = source.text.split_inclusive('\n').take(position.row as usize - 1).map(str::len).sum();
    let text = source.text.get(line_start..).unwrap_or_default();
    let within = text.char_indices().nth(position.col.saturating_sub(1) as usize);
    let at = within.map_or(source.text.len(), |(at, _)| line_start + at);
    let (message, help) = match error {
        Error::DtdDetected => ("a document type is not read", Some("delete the <!DOCTYPE …> of the file")),
        Error::NodesLimitReached => ("the document has more elements than are read", None),
        _ => ("this is no well-formed XML", None),
    };
    let said = error.to_string();
    let said = said.split(" at ").next().unwrap_or_default();
    let message = match error {
        Error::DtdDetected | Error::NodesLimitReached => message.to_string(),
        _ => format!("{message}: {said}"),
    };
    let at = at.min(source.text.len());
    diagnostics.error((source, at..at), message, help.map(str::to_string));
}

fn element(node: Node, level: usize, source: &Source, diagnostics: &mut Diagnostics) -> Option<Element> {
    let name = node.tag_name().name().to_string();
    let range = node.range();
    let attributes: Vec<ElementAttribute> = node
        .attributes()
        .map(|attribute| ElementAttribute {
            name: attribute.name().to_string(),
            value: attribute.value().to_string(),
            at: attribute.range(),
        })
        .collect();
    let named = range.start + 1 + name.len();
    let end = attributes.iter().map(|attribute| attribute.at.end).max().unwrap_or(named).max(named);
    let at = range.start..end.min(range.end);
    if level > MOST_LEVELS {
        let message = format!("`{name}` lies in more than {MOST_LEVELS} elements");
        diagnostics.error((source, at), message, None);
        return None;
    }
    let mut children = Vec::new();
    for child in node.children().filter(Node::is_element) {
        children.push(element(child, level + 1, source, diagnostics)?);
    }
    let texts = node.children().filter(Node::is_text).filter_map(|text| text.text());
    Some(Element { name, attributes, children, text: texts.collect(), at })
}
