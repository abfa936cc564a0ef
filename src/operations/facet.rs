//! The parts of OpenLineage's events: each says who says so, and where it is described.

use serde_json::{Value, json};

/// Where the parts of events are described.
const FACETS: &str = "https://openlineage.io/spec/facets/";

/// Who makes the events.
pub(super) const PRODUCER: &str = concat!("urn:rescore:", env!("CARGO_PKG_VERSION"));

/// A part of an event, with who says so and where it is described.
pub(super) fn facet(schema: &str, mut said: Value) -> Value {
    said["_producer"] = json!(PRODUCER);
    said["_schemaURL"] = json!(format!("{FACETS}{schema}"));
    said
}
