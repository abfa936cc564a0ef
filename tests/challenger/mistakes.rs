//! What is wrong with a challenger or a segment is named, with its place and, where two files disagree, with both.

use super::world::{BOTH, THIN, Trial, World};

/// Checks the job; what it says, with exit code 2.
fn mistake(world: &World) -> String {
    let (code, stdout, stderr) = world.outcome(&["check", "jobs/nightly.toml"]);
    assert_eq!(code, 2, "{stdout}{stderr}");
    stderr
}

fn segmented() -> World {
    let world = World::new();
    world.append("nightly.toml", THIN);
    world
}

fn assert_says(stderr: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(stderr.contains(part), "`{part}` is not in\n{stderr}"));
}

#[test]
fn mistakes_in_the_job_file() {
    for (text, parts) in [
        ("[challenger]\nshare_bp = 1\nsalt = \"a\"\n", &["neither a scorecard nor a policy"][..]),
        (
            "[challenger]\npolicy = \"challenger/policy.toml\"\nshare_bp = 10001\nsalt = \"a\"\n",
            &["at most 10000", "share_bp = 10001"],
        ),
        (
            "[challenger]\npolicy = \"challenger/policy.toml\"\nshare_bp = 1\nsalt = \"\"\n",
            &["the salt is empty"],
        ),
        (
            "[challenger]\npolicy = \"challenger/policy.toml\"\nshare = 1\nsalt = \"a\"\n",
            &["did you mean `share_bp`?"],
        ),
        ("[challenger]\npolicy = \"nowhere.toml\"\nshare_bp = 1\nsalt = \"a\"\n", &["nowhere.toml"]),
        (
            "[[segment]]\nname = \"Thin\"\nwhen = \"true\"\nscorecard = \"thin.toml\"\n",
            &["`Thin` is no name"],
        ),
        ("[[segment]]\nname = \"own\"\nwhen = \"true\"\nscorecard = \"thin.toml\"\n", &["`own` is no name"]),
        (
            "[[segment]]\nname = \"a\"\nwhen = \"score < 600\"\nscorecard = \"thin.toml\"\n",
            &["there is no column `score`"],
        ),
        (
            "[[segment]]\nname = \"a\"\nwhen = \"months_on_bok < 6\"\nscorecard = \"thin.toml\"\n",
            &["did you mean `months_on_book`?"],
        ),
    ] {
        let world = World::new();
        world.append("nightly.toml", &format!("\n{text}"));
        assert_says(&mistake(&world), parts);
    }
    let world = segmented();
    world.edit("nightly.toml", "name = \"fresh\"", "name = \"thin\"");
    assert_says(&mistake(&world), &["there are two segments `thin`"]);
}

#[test]
fn scorecards_of_one_job_are_alike_where_it_matters() {
    let card = "challenger/scorecard.toml";
    for (from, to, parts) in [
        (
            "name = \"superb\"\nfrom = 690",
            "name = \"top\"\nfrom = 690",
            &["band 5 is `top` here, and `superb`", "scorecard.toml, line 23"][..],
        ),
        ("name = \"capacity\"\n", "name = \"means\"\n", &["dimension 2 is `means` here, and `capacity`"]),
        ("reasons = 4", "reasons = 3", &["reasons is 3 here, and 4"]),
        ("tolerance = 100", "tolerance = 90", &["tolerance is 90 here, and 100"]),
        (
            "name = \"purchases_7d\"\nfrom = \"transactions\"\nagg = \"count\"\nwhere = \"kind = 'purchase'\"\ndays = 7",
            "name = \"purchases_7d\"\nfrom = \"transactions\"\nagg = \"count\"\nwhere = \"kind = 'purchase'\"\ndays = 8",
            &[
                "the feature `purchases_7d` is declared otherwise in",
                "jobs/scorecard.toml, line ",
                "challenger/scorecard.toml",
            ],
        ),
    ] {
        let world = World::with(BOTH);
        let text = world.read(card);
        assert!(text.contains(from), "{from}");
        let text = if from.contains("capacity") {
            text.replace("\"capacity\"", "\"means\"")
        } else {
            text.replace(from, to)
        };
        world.put(card, &text);
        assert_says(&mistake(&world), parts);
    }
}

/// A segment's scorecard is held to the same.
#[test]
fn so_are_those_of_segments() {
    let world = segmented();
    world.edit("thin.toml", "name = \"fair\"\nfrom = 550", "name = \"so so\"\nfrom = 550");
    assert_says(&mistake(&world), &["band 2 is `so so` here, and `fair`", "jobs/thin.toml"]);
}

#[test]
fn names_that_scores_take_are_refused() {
    let world = World::with(Trial { has_scorecard: false, ..BOTH });
    world.edit("scorecard.toml", "name = \"odd_purchases\"", "name = \"arm\"");
    assert_says(&mistake(&world), &["a column `arm`", "another name"]);
}

#[test]
fn rules_do_not_see_the_arm() {
    let world = World::with(BOTH);
    world.edit(
        "challenger/policy.toml",
        "when = \"status = 'suspended'\"",
        "when = \"status = 'suspended' and arm = 'challenger'\"",
    );
    assert_says(&mistake(&world), &["`arm`", "challenger/policy.toml"]);
}
