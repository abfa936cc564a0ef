//! Segments: the first that holds gives an account its scorecard.

use super::world::{BOTH, THIN, Trial, World, table};
use crate::support::{Cell, Table};

fn segmented() -> World {
    let world = World::new();
    world.append("nightly.toml", THIN);
    world
}

/// What the conditions say of the features of a run.
fn expected(features: &Table) -> Vec<Cell> {
    let months = features.column("months_on_book");
    let name = |months: &Cell| match months.int() {
        Some(..60) => Cell::Text("fresh".to_string()),
        Some(..500) => Cell::Text("thin".to_string()),
        _ => Cell::Null,
    };
    months.iter().map(name).collect()
}

#[test]
fn the_first_segment_that_holds_is_named_and_scores() {
    let world = segmented();
    let run = world.run();
    let (scores, features) = (table(&run, "scores"), table(&run, "features"));
    let segments = scores.column("segment");
    assert_eq!(segments, expected(&features));
    let own = table(&World::new().run(), "scores");
    let thin = World::new();
    thin.put("scorecard.toml", &thin.read("thin.toml"));
    let thin = table(&thin.run(), "scores");
    let mut counts = [0; 2];
    for (row, segment) in segments.iter().enumerate() {
        let is_thin = *segment != Cell::Null;
        counts[usize::from(is_thin)] += 1;
        let alone = if is_thin { &thin } else { &own };
        for column in ["score", "band", "credit_history", "reason_1", "reason_4", "points_utilisation_bp"] {
            assert_eq!(scores.column(column)[row], alone.column(column)[row], "{column}");
        }
    }
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
    assert_eq!(
        scores.column("points_inflow_90d")[segments.iter().position(|one| *one != Cell::Null).unwrap()],
        Cell::Null
    );
    assert!(scores.position("arm").is_none() && table(&run, "decisions").position("arm").is_none());
}

/// A challenger's scorecard scores its accounts whatever their segment; a policy alone leaves the segments'.
#[test]
fn segments_are_the_champions() {
    let scores = |trial: Trial| {
        let world = segmented();
        world.try_out(trial);
        table(&world.run(), "scores")
    };
    let alone = table(&segmented().run(), "scores");
    let both = scores(BOTH);
    assert_eq!(both.column("segment"), alone.column("segment"));
    assert_eq!(both.column("champion_score"), alone.column("score"));
    let challenger = World::new();
    challenger.put("scorecard.toml", &challenger.read("challenger/scorecard.toml"));
    assert_eq!(both.column("challenger_score"), table(&challenger.run(), "scores").column("score"));
    let policy = scores(Trial { has_scorecard: false, ..BOTH });
    assert_eq!(policy.column("score"), alone.column("score"));
    assert_eq!(policy.column("challenger_score"), alone.column("score"));
}
