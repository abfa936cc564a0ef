//! What the model file says of single features, held against the features there are.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::job::{Diagnostics, Reader};
use crate::model::{CharacteristicOptions, ModelFile};

/// A feature has no more special values and cuts: the number of its bins fits in a byte.
const MOST_RANGES: usize = 100;

/// By feature's position what is said of it. Mistakes are told all at once, with their lines.
pub fn wishes<'m>(
    model: &'m ModelFile,
    names: &[String],
) -> Result<BTreeMap<usize, &'m CharacteristicOptions>> {
    let mut diagnostics = Diagnostics::default();
    let mut reader = Reader { source: &model.source, diagnostics: &mut diagnostics };
    let mut wishes = BTreeMap::new();
    for wish in &model.fit.characteristics {
        let name = wish.feature.get_ref();
        match names.iter().position(|known| known == name) {
            None => reader.unknown_name("feature", &wish.feature, names.iter().map(String::as_str)),
            Some(position) => {
                if wishes.insert(position, wish).is_some() {
                    let message = format!("there are two [[fit.characteristic]] on `{name}`");
                    reader.error(wish.feature.span(), message, None);
                }
            }
        }
        check(&mut reader, wish);
    }
    if model.fit.max_bins > MOST_RANGES {
        let help = "a card is read by people: 4 to 8 are usual";
        reader.error(0..0, format!("max_bins is at most {MOST_RANGES}"), Some(help.into()));
    }
    diagnostics.check()?;
    Ok(wishes)
}

fn check(reader: &mut Reader, wish: &CharacteristicOptions) {
    let place = wish.feature.span();
    let name = wish.feature.get_ref();
    if wish.force && wish.exclude {
        reader.error(place.clone(), format!("`{name}` is both forced and excluded: leave one"), None);
    }
    if wish.special.len() > MOST_RANGES {
        reader.error(place, format!("`{name}` has more than {MOST_RANGES} special values"), None);
    }
    let Some(cuts) = &wish.cuts else {
        if let Some(points) = &wish.points {
            let help = "cuts = [10, 20] makes the bins below 10, from 10, and from 20";
            reader.error(points.span(), format!("points of `{name}` need its cuts"), Some(help.into()));
        }
        return;
    };
    if !cuts.get_ref().is_sorted_by(|a, b| a < b) {
        let help = "they are the lower ends of all bins but the first";
        reader.error(cuts.span(), format!("the cuts of `{name}` do not ascend"), Some(help.into()));
    }
    if cuts.get_ref().len() > MOST_RANGES {
        reader.error(cuts.span(), format!("`{name}` has more than {MOST_RANGES} cuts"), None);
    }
    if cuts.get_ref().contains(&i64::MIN) {
        reader.error(cuts.span(), "no value is below the least integer there is", None);
    }
}
