//! A plain scorecard to start from: few features, and bins over what the trial night found of them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::trial::TrialFigures;
use crate::console::visible;
use crate::job::{LINE_HISTORY, LINE_STATE, SCORE_COLUMNS};

/// A feature to start with.
struct Sketch {
    name: &'static str,
    /// Its keys as the file has them.
    keys: &'static str,
    /// Whether it is of bills.
    is_of_bills: bool,
}

const FEATURES: [Sketch; 10] = [
    Sketch {
        name: "days_past_due",
        keys: "from = \"bills\"\nagg = \"max\"\nof = \"days_late\"\nwhere = \"is_open and days_late > 0\"",
        is_of_bills: true,
    },
    Sketch { name: "bills_365d", keys: "from = \"bills\"\nagg = \"count\"\ndays = 365", is_of_bills: true },
    Sketch {
        name: "bills_on_time_365d",
        keys: "from = \"bills\"\nagg = \"count\"\nwhere = \"days_late = 0\"\ndays = 365",
        is_of_bills: true,
    },
    Sketch {
        name: "on_time_rate_bp",
        keys: "ratio = [\"bills_on_time_365d\", \"bills_365d\"]\nscale = 10000",
        is_of_bills: true,
    },
    Sketch {
        name: "transactions_90d",
        keys: "from = \"transactions\"\nagg = \"count\"\ndays = 90",
        is_of_bills: false,
    },
    Sketch {
        name: "days_since_transaction",
        keys: "from = \"transactions\"\nagg = \"days_since\"\ndays = 90",
        is_of_bills: false,
    },
    Sketch {
        name: "limit_total",
        keys: "from = \"lines\"\nagg = \"sum\"\nof = \"credit_limit\"\nwhere = \"status <> 'closed'\"",
        is_of_bills: false,
    },
    Sketch {
        name: "balance_total",
        keys: "from = \"lines\"\nagg = \"sum\"\nof = \"balance\"\nwhere = \"status <> 'closed'\"",
        is_of_bills: false,
    },
    Sketch {
        name: "drawn_share_bp",
        keys: "ratio = [\"balance_total\", \"limit_total\"]\nscale = 10000",
        is_of_bills: false,
    },
    Sketch {
        name: "oldest_line_days",
        keys: "from = \"lines\"\nagg = \"max\"\nof = \"days_open\"",
        is_of_bills: false,
    },
];

/// Where the bins of a characteristic begin.
enum Cuts {
    /// At values that mean something by themselves.
    Fixed(&'static [i64]),
    /// At a quarter, the half and three quarters of the accounts that have a value; otherwise at these.
    Quarters([i64; 3]),
}

struct PointsSketch {
    feature: &'static str,
    dimension: &'static str,
    reason: &'static str,
    text: &'static str,
    cuts: Cuts,
    /// One more than there are cuts.
    points: &'static [i64],
    missing: i64,
}

const CHARACTERISTICS: [PointsSketch; 6] = [
    PointsSketch {
        feature: "days_past_due",
        dimension: "payment",
        reason: "R01",
        text: "A bill is past due.",
        cuts: Cuts::Fixed(&[1, 30, 60]),
        points: &[100, 40, 10, 0],
        // Null where nothing is past due.
        missing: 100,
    },
    PointsSketch {
        feature: "on_time_rate_bp",
        dimension: "payment",
        reason: "R02",
        text: "Not all bills of the last year were paid on time.",
        cuts: Cuts::Fixed(&[8_000, 9_500, 10_000]),
        points: &[0, 20, 50, 80],
        missing: 40,
    },
    PointsSketch {
        feature: "transactions_90d",
        dimension: "use",
        reason: "R03",
        text: "The account was used little in the last three months.",
        cuts: Cuts::Quarters([1, 10, 30]),
        points: &[0, 15, 25, 35],
        missing: 0,
    },
    PointsSketch {
        feature: "days_since_transaction",
        dimension: "use",
        reason: "R04",
        text: "The account was not used lately.",
        cuts: Cuts::Fixed(&[8, 31]),
        points: &[30, 20, 10],
        missing: 0,
    },
    PointsSketch {
        feature: "drawn_share_bp",
        dimension: "credit",
        reason: "R05",
        text: "A large part of the limits is drawn.",
        cuts: Cuts::Fixed(&[3_000, 6_000, 9_000]),
        points: &[60, 45, 20, 0],
        missing: 30,
    },
    PointsSketch {
        feature: "oldest_line_days",
        dimension: "credit",
        reason: "R06",
        text: "The oldest line was opened not long ago.",
        cuts: Cuts::Quarters([180, 365, 1_095]),
        points: &[0, 20, 30, 40],
        missing: 0,
    },
];

const DIMENSIONS: [(&str, &str); 3] =
    [("payment", "Payment of bills"), ("use", "Use"), ("credit", "Credit held")];

/// Everybody's points.
const BASE: i64 = 300;

/// The bands of the scorecard, with the hundredths of the possible points from which each begins.
const BANDS: [(&str, i64); 4] = [("low", 0), ("fair", 40), ("good", 60), ("strong", 80)];

/// The best of them.
pub(super) const BEST_BAND: &str = "strong";

/// OwnNames that features must not have: those of columns of lines, and of what is made of lines and scores.
pub(super) struct OwnNames {
    taken: Vec<String>,
    has_repayments: bool,
    /// Columns of transactions that features could name besides, with their types.
    of_transactions: Vec<String>,
}

impl OwnNames {
    /// Of a book with these columns of lines.
    pub(super) fn new(
        line_columns: &[String],
        has_repayments: bool,
        of_transactions: Vec<String>,
    ) -> OwnNames {
        let made =
            LINE_STATE.iter().chain(&LINE_HISTORY).chain(&SCORE_COLUMNS).map(|(name, _)| (*name).to_string());
        OwnNames {
            taken: line_columns.iter().cloned().chain(made).collect(),
            has_repayments,
            of_transactions,
        }
    }

    /// The name of a feature or a dimension here.
    pub(super) fn of(&self, name: &str) -> String {
        let mut own = name.to_string();
        while self.taken.contains(&own) {
            own.push_str("_here");
        }
        own
    }

    /// Whether there are bills.
    pub(super) fn has_repayments(&self) -> bool {
        self.has_repayments
    }
}

fn written(names: &OwnNames) -> impl Iterator<Item = &'static Sketch> {
    let has_repayments = names.has_repayments;
    FEATURES.iter().filter(move |sketch| has_repayments || !sketch.is_of_bills)
}

/// The scorecard; before the trial night with bins that are as good as any.
pub(super) fn scorecard_text(names: &OwnNames, figures: Option<&TrialFigures>) -> String {
    let of_bills: Vec<&str> =
        FEATURES.iter().filter(|sketch| sketch.is_of_bills).map(|sketch| sketch.name).collect();
    let scored: Vec<&PointsSketch> = CHARACTERISTICS
        .iter()
        .filter(|sketch| names.has_repayments || !of_bills.contains(&sketch.feature))
        .collect();
    let most: i64 = scored.iter().map(|sketch| sketch.points.iter().max().copied().unwrap_or(0)).sum();
    let mut text = String::from(HEAD);
    if !names.has_repayments {
        text.push_str(NO_BILLS);
    }
    let _ = write!(
        text,
        "\n[score]\nbase = {BASE}                  # everybody's\nmin = {BASE}\nmax = {}\nreasons = 3\n",
        BASE + most
    );
    for (name, hundredths) in BANDS {
        let _ = write!(text, "\n[[band]]\nname = \"{name}\"\nfrom = {}\n", BASE + most * hundredths / 100);
    }
    for (name, title) in
        DIMENSIONS.iter().filter(|(name, _)| scored.iter().any(|sketch| sketch.dimension == *name))
    {
        let _ = write!(text, "\n[[dimension]]\nname = \"{}\"\ntitle = \"{title}\"\n", names.of(name));
    }
    text.push_str("\n# ---- features ----------------------------------------------------------------------------------\n");
    if !names.of_transactions.is_empty() {
        let columns = names.of_transactions.join(", ");
        let _ = write!(
            text,
            "\n# Transactions have more that a feature can name in `where` and `of`, such as which way money went: {}.\n",
            visible(&columns)
        );
    }
    for sketch in written(names) {
        let mut keys = sketch.keys.to_string();
        for other in written(names).map(|other| other.name) {
            keys = keys.replace(&format!("\"{other}\""), &format!("\"{}\"", names.of(other)));
        }
        let _ = write!(text, "\n[[feature]]\nname = \"{}\"\n{keys}\n", names.of(sketch.name));
    }
    text.push_str("\n# ---- points ------------------------------------------------------------------------------------\n");
    for sketch in scored {
        text.push_str(&characteristic(names, sketch, figures));
    }
    text
}

const HEAD: &str = "\
# A plain scorecard to start from. It was written by `rescore init` and is no model: nobody has fitted these points to
# who paid and who did not. Features and bins are what such data usually shows; where a comment gives quarters, they
# are those of the trial night. Give it your own points before a decision depends on it.
#
#     rescore scorecard nightly.toml          # every bin with its points
";

const NO_BILLS: &str = "\
#
# The job says repayments = \"none\", so nothing here knows who pays their bills. That is the most a scorecard could know.
";

fn characteristic(names: &OwnNames, sketch: &PointsSketch, figures: Option<&TrialFigures>) -> String {
    let feature = names.of(sketch.feature);
    let seen = figures.and_then(|figures| figures.features.get(&feature));
    let (cuts, points) = match sketch.cuts {
        Cuts::Fixed(cuts) => (cuts.to_vec(), sketch.points.to_vec()),
        Cuts::Quarters(otherwise) => {
            let quarters = seen.and_then(|seen| seen.quarters);
            distinct(quarters.unwrap_or(otherwise), sketch.points)
        }
    };
    let mut text = String::from("\n");
    if let Some(seen) = seen {
        let quarters = match seen.quarters {
            Some([quarter, half, most]) => format!("quarters at {quarter}, {half} and {most}"),
            None => "no account has a value".to_string(),
        };
        let _ = writeln!(
            text,
            "# Seen on the trial night: {quarters}; {} of {} accounts have none.",
            seen.nulls, seen.accounts
        );
    }
    let bins =
        cuts.iter().zip(&points).map(|(below, points)| format!("{{ below = {below}, points = {points} }}"));
    let last = points.last().map(|points| format!("{{ points = {points} }}"));
    let bins: Vec<String> = bins.chain(last).collect();
    let _ = write!(
        text,
        "[[characteristic]]\nfeature = \"{feature}\"\ndimension = \"{}\"\nreason = \"{}\"\ntext = \"{}\"\nmissing = {}\nbins = [{}]\n",
        names.of(sketch.dimension),
        sketch.reason,
        sketch.text,
        sketch.missing,
        bins.join(", ")
    );
    text
}

/// Cuts in ascending order, none twice, with the points of the bins that they leave.
fn distinct(cuts: [i64; 3], points: &[i64]) -> (Vec<i64>, Vec<i64>) {
    // The later of two equal cuts begins the better bin.
    let starts: BTreeMap<i64, i64> = cuts.iter().copied().zip(points[1..].iter().copied()).collect();
    let after: Vec<i64> = [points[0]].into_iter().chain(starts.values().copied()).collect();
    (starts.keys().copied().collect(), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_quarters_are_one_cut() {
        assert_eq!(distinct([1, 5, 9], &[0, 15, 25, 35]), (vec![1, 5, 9], vec![0, 15, 25, 35]));
        assert_eq!(distinct([0, 0, 9], &[0, 15, 25, 35]), (vec![0, 9], vec![0, 25, 35]));
        assert_eq!(distinct([4, 4, 4], &[0, 15, 25, 35]), (vec![4], vec![0, 35]));
    }

    #[test]
    fn a_name_that_lines_have_is_another() {
        let names = OwnNames::new(&["limit_total".to_string()], true, Vec::new());
        assert_eq!(names.of("limit_total"), "limit_total_here");
        assert!(scorecard_text(&names, None).contains("name = \"limit_total_here\""));
    }
}
