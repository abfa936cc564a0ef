//! What was added to the grammar, drawn over a case whose job files do without it. From a generator of its own: what
//! else a seed draws stays as it was.

use super::case::{Case, FeatureKind};
use super::random::Random;

/// Sets the generator apart from that of the case.
const APART: u64 = 0x6772_616d_6d61_7200;

/// Has some features of a case look at windows that end before D.
pub fn add_grammar(case: &mut Case, seed: u64) {
    let random = &mut Random::new(seed ^ APART);
    for feature in &mut case.job.features {
        if let FeatureKind::Aggregate { from, skip_days, .. } = &mut feature.kind
            && *from != "lines"
        {
            *skip_days = random.maybe(30, &[0, 1, 1, 2, 3, 5, 9, 30, 1096]);
        }
    }
}
