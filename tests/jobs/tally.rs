//! What nights did, in figures: actions by reason in 10,000 lines, and the gates' own figures, each with its
//! worst night.

use std::collections::BTreeMap;

use rescore::day::Day;

use super::core_system::Night;

/// A night's decisions, counted.
struct Counted {
    day: Day,
    is_held: bool,
    lines: usize,
    /// By action and reason; without holds.
    actions: BTreeMap<(String, String), usize>,
}

/// The figures of all nights so far.
#[derive(Default)]
pub struct Tally {
    nights: Vec<Counted>,
    /// Per gate its bounds and its figures: numerator and denominator, 1 for a plain figure.
    gates: BTreeMap<String, (String, Vec<(i128, i128)>)>,
}

impl Tally {
    /// Counts a night's decisions and notes its gates.
    pub fn add(&mut self, night: &Night, actions: impl Iterator<Item = (String, String)>) {
        let mut counted =
            Counted { day: night.day, is_held: night.is_held, lines: 0, actions: BTreeMap::new() };
        for (action, reason) in actions {
            counted.lines += 1;
            if action != "hold" {
                *counted.actions.entry((action, reason)).or_default() += 1;
            }
        }
        self.nights.push(counted);
        let manifest = night.manifest();
        for gate in manifest["gates"].as_array().unwrap() {
            let text = |key: &str| gate[key].as_str().unwrap().to_string();
            let figure: i128 = text("figure").parse().unwrap();
            let among = gate["among"].as_i64().map_or(1, i128::from);
            let (_, figures) = self.gates.entry(text("name")).or_insert((text("bounds"), Vec::new()));
            figures.push((figure, among));
        }
    }

    /// A line a night: what it did, by action.
    pub fn print_nights(&self) {
        const ACTIONS: [&str; 6] = ["raise", "lower", "suspend", "close", "reopen", "withdraw"];
        println!(
            "{:12}{:>8}  of 10,000 lines: {}",
            "night",
            "lines",
            ACTIONS.map(|a| format!("{a:>10}")).join("")
        );
        for night in &self.nights {
            let per_action = ACTIONS.map(|action| {
                let counts = night.actions.iter().filter(|((known, _), _)| known == action);
                format!("{:>10}", in_10_000(counts.map(|(_, count)| count).sum(), night.lines))
            });
            let held = if night.is_held { "  held" } else { "" };
            println!("{:12}{:>8}{:18}{}{held}", night.day.to_string(), night.lines, "", per_action.join(""));
        }
    }

    /// A line an action and reason: on the first night, on average over the others, and on the worst of those.
    pub fn print_reasons(&self) {
        let Some((first, later)) = self.nights.split_first() else { return };
        let mut kinds: Vec<&(String, String)> = self.nights.iter().flat_map(|n| n.actions.keys()).collect();
        kinds.sort();
        kinds.dedup();
        println!("\n{:22}{:>10}{:>10}{:>10}  of 10,000 lines", "action, reason", "first", "mean", "worst");
        for kind in kinds {
            let count = |night: &Counted| night.actions.get(kind).copied().unwrap_or(0);
            let lines: usize = later.iter().map(|night| night.lines).sum();
            let mean = in_10_000(later.iter().map(count).sum(), lines);
            let worst = later.iter().max_by_key(|night| count(night)).unwrap_or(first);
            println!(
                "{:22}{:>10}{mean:>10}{:>10}  {}",
                format!("{} {}", kind.0, kind.1),
                in_10_000(count(first), first.lines),
                in_10_000(count(worst), worst.lines),
                worst.day
            );
        }
    }

    /// A line a gate: its figure on the first night, its least and most on the others, and the largest change from
    /// a night to the next as `max_change_bp` counts it. Shares are in basis points.
    pub fn print_gates(&self) {
        println!("\n{:60}{:>16}{:>16}{:>16}{:>10}  bounds", "gate", "first", "least", "most", "change");
        for (name, (bounds, figures)) in &self.gates {
            let figure = |&(part, whole): &(i128, i128)| match whole {
                1 => part.to_string(),
                _ => in_10_000(part as usize, whole as usize),
            };
            let later = figures.iter().skip(1).filter(|(_, whole)| *whole > 0);
            let cross = |a: &&(i128, i128), b: &&(i128, i128)| (a.0 * b.1).cmp(&(b.0 * a.1));
            let least = later.clone().min_by(cross).map_or(String::new(), figure);
            let most = later.max_by(cross).map_or(String::new(), figure);
            let changes = figures.windows(2).map(|pair| change_bp(pair[0], pair[1]));
            let change = changes.max().unwrap_or(0);
            println!("{name:60}{:>16}{least:>16}{most:>16}{change:>10}  {bounds}", figure(&figures[0]));
        }
    }

    /// How many nights after the first were held.
    pub fn held(&self) -> usize {
        self.nights.iter().skip(1).filter(|night| night.is_held).count()
    }
}

/// By how many basis points a share differs from the one before, or by how many of it a plain figure does.
fn change_bp(before: (i128, i128), after: (i128, i128)) -> i128 {
    let change = match (before.1, after.1) {
        (1, 1) => (after.0 - before.0) * 10_000 / before.0.max(1),
        _ => after.0 * 10_000 / after.1.max(1) - before.0 * 10_000 / before.1.max(1),
    };
    change.abs()
}

/// A share in ten-thousandths, to two places.
fn in_10_000(part: usize, whole: usize) -> String {
    let hundredths = part * 1_000_000 / whole.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
