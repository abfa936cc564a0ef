//! Who is in which arm.

use rescore::arms::arm_of;
use rescore::job::{Arm, Challenger};

use super::world::{BOTH, Trial, World, by_account, table};
use crate::support::Cell;

fn challenger(salt: &str, share_bp: u64) -> Challenger {
    Challenger { scorecard: None, policy: None, share_bp, salt: salt.to_string() }
}

/// The places of ids among 10,000, as Python's xxhash computes them from the formula of the contract.
#[test]
fn arms_are_those_of_the_formula() {
    for (salt, id, place) in [
        ("2026-q4", "1", 2379),
        ("2026-q4", "2", 5435),
        ("2026-q4", "3", 6781),
        ("2026-q4", "7", 9469),
        ("2026-q4", "42", 9073),
        ("2026-q4", "1000001", 1185),
        ("2026-q4", "ab-7", 8378),
        ("2026-q4", "账户", 3258),
        ("other", "1", 9003),
        ("other", "2", 6901),
        ("other", "3", 3583),
        ("other", "42", 4632),
        ("other", "账户", 4882),
    ] {
        assert_eq!(arm_of(&challenger(salt, place), id), Arm::Champion, "{salt} {id}");
        assert_eq!(arm_of(&challenger(salt, place + 1), id), Arm::Challenger, "{salt} {id}");
    }
}

/// The accounts of the challenger's arm in the scores of a night.
fn challengers(trial: Trial) -> Vec<Cell> {
    let world = World::with(trial);
    let scores = table(&world.run(), "scores");
    let arms = by_account(&scores, "arm").into_iter();
    arms.filter(|(_, arm)| arm.text() == Some("challenger")).map(|(account, _)| account).collect()
}

#[test]
fn a_larger_share_takes_in_all_of_a_smaller_one() {
    let mut before: Vec<Cell> = Vec::new();
    for share_bp in [0, 500, 2_000, 4_000, 10_000] {
        let found = challengers(Trial { share_bp, ..BOTH });
        assert!(before.iter().all(|account| found.contains(account)), "{share_bp}");
        let text = |account: &Cell| account.int().unwrap().to_string();
        let own = challenger(BOTH.salt, share_bp.into());
        assert!(found.iter().all(|account| arm_of(&own, &text(account)) == Arm::Challenger));
        before = found;
    }
    assert_eq!(before.len(), 81, "all of them");
    let some = challengers(BOTH);
    assert!((20..50).contains(&some.len()), "{}", some.len());
    assert_ne!(some, challengers(Trial { salt: "another", ..BOTH }));
}

#[test]
fn an_arm_is_the_same_every_night() {
    let world = World::with(BOTH);
    let tonight = by_account(&table(&world.run(), "scores"), "arm");
    world.succeed(&["run", "jobs/nightly.toml", "--date", "2026-11-19"]);
    let before = table(&world.path().join("out/date=2026-11-19"), "scores");
    let before = by_account(&before, "arm");
    let common = before.iter().filter(|(account, _)| tonight.iter().any(|(known, _)| known == account));
    let common: Vec<_> = common.collect();
    assert!(common.len() > 50);
    assert!(common.into_iter().all(|both| tonight.contains(both)));
}

/// Whatever decides, both scores are there; and what is not named is the job's own.
#[test]
fn every_account_has_both_scores() {
    let of = |trial: Trial| table(&World::with(trial).run(), "scores");
    let both = of(BOTH);
    let (scores, arms) = (both.column("score"), both.column("arm"));
    for (row, own) in scores.iter().enumerate() {
        let column = format!("{}_score", arms[row].text().unwrap());
        assert_eq!(*own, both.column(&column)[row]);
    }
    assert_ne!(both.column("champion_score"), both.column("challenger_score"));
    let everybody = of(Trial { share_bp: 10_000, ..BOTH });
    assert_eq!(both.column("challenger_score"), everybody.column("score"));
    let nobody = of(Trial { share_bp: 0, ..BOTH });
    assert_eq!(both.column("champion_score"), nobody.column("score"));
    assert_eq!(table(&World::new().run(), "scores").column("score"), nobody.column("score"));
    let policy_alone = of(Trial { has_scorecard: false, ..BOTH });
    assert_eq!(policy_alone.column("champion_score"), policy_alone.column("challenger_score"));
}
