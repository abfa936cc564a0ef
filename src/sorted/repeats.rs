//! The repeats of a delivery, found by one share of the keys.

use anyhow::Result;

use super::catalog::{DeliveryRequest, made_from};
use crate::console::Progress;
use crate::day::Day;
use crate::input::stream::{InputSource, KnownRepeats, Needs, RepeatSearch, stream};
use crate::input::unique::KeyShard;
use crate::input::wanted::Role;

/// The rows of a delivery that repeat others, as far as their keys are of a shard.
pub fn repeats_of(
    request: &DeliveryRequest,
    delivery: Option<Day>,
    shard: KeyShard,
    progress: &Progress,
) -> Result<KnownRepeats> {
    let files = made_from(&request.source, delivery);
    let repeats = RepeatSearch::Shard(shard);
    let source = InputSource { files, repeats, ..request.source.clone() };
    let wanted = source.wanted.iter().enumerate();
    let columns: Vec<bool> =
        wanted.map(|(slot, wanted)| wanted.role != Role::Extra || source.unique == Some(slot)).collect();
    let needs = |of: Option<Day>| Needs { columns: columns.clone(), hands_on: of == delivery };
    let mut found = KnownRepeats::new();
    stream(&source, &needs, progress, |wave| {
        for rows in wave {
            let file = &source.files[rows.file];
            let of_file = found.entry((file.delivery, file.file.name.clone())).or_default();
            of_file.extend(rows.repeats());
        }
        Ok(())
    })?;
    Ok(found)
}
