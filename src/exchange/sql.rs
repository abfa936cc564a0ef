//! A scorecard as one SQL statement over a table of features, a row an account: the same score, band, points, dimensions
//! and reasons as a run gives.

use std::fmt::Write;

use crate::console::visible;
use crate::job::{Characteristic, LoneScorecard};

/// For whom the statement is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SqlDialect {
    /// DuckDB, which reads features.parquet by itself
    #[default]
    Duckdb,
    /// Any database: standard SQL over a table called features
    Ansi,
}

impl SqlDialect {
    /// What the features are read from, unless it is said.
    fn features(self) -> &'static str {
        match self {
            SqlDialect::Duckdb => "'features.parquet'",
            SqlDialect::Ansi => "features",
        }
    }
}

/// A name in SQL, whatever is in it.
fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text in SQL, whatever is in it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The statement. `from` is a table, or what stands for one; it is taken as it is.
pub fn statement(card: &LoneScorecard, dialect: SqlDialect, from: Option<&str>) -> String {
    SqlText { card }.text(from.unwrap_or(dialect.features()))
}

struct SqlText<'a> {
    card: &'a LoneScorecard,
}

impl SqlText<'_> {
    fn text(&self, from: &str) -> String {
        let card = &self.card.scorecard;
        let dimensions = card.dimensions.iter().map(|dimension| name(&dimension.name));
        let points = self.all().map(|(number, _)| self.points_name(number));
        let reasons = (1..=card.reasons).map(|place| self.reason(place));
        let selected = ["score".to_string(), self.band()].into_iter();
        format!(
            "/* The scorecard of `{}`: a row an account, as rescore scores it. */\nwith {},\n{},\n{},\n{}\nselect \
             account_id{}\nfrom scored\norder by account_id\n",
            visible(&self.card.name).replace("*/", "* /"),
            self.given_step(from),
            self.summed_step(),
            step("totals", "summed", std::iter::once(self.total()).chain(self.ranks())),
            step("scored", "totals", std::iter::once(self.score())),
            columns(selected.chain(dimensions).chain(points).chain(reasons))
        )
    }

    /// Points by characteristic, and which features are null, where that has a reason of its own.
    fn given_step(&self, from: &str) -> String {
        let given = self.all().map(|(number, _)| self.given(number));
        let with_own = self.all().filter(|(_, one)| one.missing_reason.is_some());
        let nulls = with_own.map(|(number, _)| self.is_null(number));
        format!("given as (\n  select account_id{}\n  from {from}\n)", columns(given.chain(nulls)))
    }

    /// Points by dimension, and those that are missing by characteristic.
    fn summed_step(&self) -> String {
        let sums = (0..self.card.scorecard.dimensions.len()).map(|number| self.dimension(number));
        let short = self.all().map(|(number, one)| {
            let (baseline, points) = (one.baseline(), self.points_name(number));
            format!("cast({baseline} as bigint) - {points} as {}", short_name(number))
        });
        step("summed", "given", sums.chain(short))
    }

    fn all(&self) -> impl Iterator<Item = (usize, &Characteristic)> {
        self.card.scorecard.characteristics.iter().enumerate()
    }

    fn feature(&self, one: &Characteristic) -> String {
        name(&self.card.features[one.feature].name)
    }

    fn points_name(&self, number: usize) -> String {
        let feature = self.card.scorecard.characteristics[number].feature;
        name(&format!("points_{}", self.card.features[feature].name))
    }

    /// The points of a characteristic by its feature's value.
    fn given(&self, number: usize) -> String {
        let one = &self.card.scorecard.characteristics[number];
        let feature = self.feature(one);
        let mut text = format!("case when {feature} is null then {}", one.missing);
        for bin in &one.bins {
            let _ = match bin.below {
                // Its text without the sign is no number of 64 bits.
                Some(i64::MIN) => continue,
                Some(below) => write!(text, " when {feature} < {below} then {}", bin.points),
                None => write!(text, " else {}", bin.points),
            };
        }
        format!("{text} end as {}", self.points_name(number))
    }

    /// 1 where the feature is null and that has a reason of its own.
    fn is_null(&self, number: usize) -> String {
        let feature = self.feature(&self.card.scorecard.characteristics[number]);
        format!("case when {feature} is null then 1 else 0 end as {}", null_name(number))
    }

    /// The sum of the points of a dimension's characteristics.
    fn dimension(&self, dimension: usize) -> String {
        let own = self.all().filter(|(_, one)| one.dimension == dimension);
        let own: Vec<String> = own.map(|(number, _)| self.points_name(number)).collect();
        let sum = if own.is_empty() { "0".to_string() } else { own.join(" + ") };
        format!("{sum} as {}", name(&self.card.scorecard.dimensions[dimension].name))
    }

    fn total(&self) -> String {
        let card = &self.card.scorecard;
        let parts = card.dimensions.iter().map(|dimension| name(&dimension.name));
        let parts: Vec<String> = std::iter::once(card.base.to_string()).chain(parts).collect();
        format!("{} as rescore_total", parts.join(" + "))
    }

    /// Which of the reasons each characteristic is: how many cost more, or as much and stand before it. 0 where it costs
    /// nothing.
    fn ranks(&self) -> Vec<String> {
        if self.card.scorecard.reasons == 0 {
            return Vec::new();
        }
        let rank = |number: usize| {
            let own = short_name(number);
            let others = self.all().filter(|(other, _)| *other != number).map(|(other, _)| {
                let comparison = if other < number { ">=" } else { ">" };
                format!(" + case when {} {comparison} {own} then 1 else 0 end", short_name(other))
            });
            format!(
                "case when {own} > 0 then 1{} else 0 end as {}",
                others.collect::<String>(),
                rank_name(number)
            )
        };
        self.all().map(|(number, _)| rank(number)).collect()
    }

    fn score(&self) -> String {
        let (min, max) = (self.card.scorecard.min, self.card.scorecard.max);
        format!(
            "case when rescore_total < {min} then {min} when rescore_total > {max} then {max} else rescore_total end as score"
        )
    }

    fn band(&self) -> String {
        let bands = &self.card.scorecard.bands;
        let above = bands
            .iter()
            .skip(1)
            .rev()
            .map(|band| format!("when score >= {} then {} ", band.from, literal(&band.name)));
        let first = literal(&bands[0].name);
        match bands.len() {
            1 => format!("{first} as band"),
            _ => format!("case {}else {first} end as band", above.collect::<String>()),
        }
    }

    /// The code of a place among the reasons; null where nothing else costs points.
    fn reason(&self, place: usize) -> String {
        let mut cases = String::new();
        for (number, one) in self.all() {
            let rank = rank_name(number);
            if let Some((code, _)) = &one.missing_reason {
                let null = null_name(number);
                let _ = write!(cases, " when {rank} = {place} and {null} = 1 then {}", literal(code));
            }
            let _ = write!(cases, " when {rank} = {place} then {}", literal(&one.reason));
        }
        if cases.is_empty() {
            return format!("cast(null as varchar(100)) as reason_{place}");
        }
        format!("case{cases} end as reason_{place}")
    }
}

/// A step that has all columns of the one before, and others.
fn step(name: &str, before: &str, added: impl Iterator<Item = String>) -> String {
    format!("{name} as (\n  select {before}.*{}\n  from {before}\n)", columns(added))
}

/// Columns, each on its line, behind one that stands already.
fn columns(columns: impl Iterator<Item = String>) -> String {
    columns.map(|column| format!(",\n    {column}")).collect()
}

fn short_name(number: usize) -> String {
    format!("rescore_short_{number}")
}

fn rank_name(number: usize) -> String {
    format!("rescore_rank_{number}")
}

fn null_name(number: usize) -> String {
    format!("rescore_null_{number}")
}
