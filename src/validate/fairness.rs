//! Groups of people under one card: their scores, outcomes and shares of approval.

use anyhow::Result;
use serde::Serialize;

use super::approval::Approval;
use super::fraction::Fraction;
use super::odds::OddsLine;
use super::scored::ScoredSample;
use super::slices::{ALL, SliceColumn, SliceFigures};
use crate::failure::{Kind, failure};
use crate::job::Source;
use crate::model::ModelFile;

/// The groups of one column.
#[derive(Debug, Clone, Serialize)]
pub struct FairnessFigures {
    /// The column of the spine.
    pub column: String,
    /// Who is approved; null where figures are given by score alone.
    pub approved: Option<String>,
    /// By value, a missing one first.
    pub groups: Vec<GroupFigures>,
    /// The lowest share of approval over the highest; null where nobody says who is approved, where a group alone is there,
    /// or where nobody is approved.
    pub adverse_impact: Option<AdverseImpact>,
}

/// One group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupFigures {
    /// Its value; null for rows without one.
    pub value: Option<String>,
    /// Weight of all its rows, whatever their outcome.
    pub rows: u64,
    /// Of them, those that are approved.
    pub approved: Option<Fraction>,
    /// What the score comes to among those with an outcome.
    pub outcomes: SliceFigures,
}

/// The lowest share of approval over the highest. Below four fifths it is generally taken as evidence of adverse impact
/// (Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D, of 1978, which lenders go by, too).
#[derive(Debug, Clone, Serialize)]
pub struct AdverseImpact {
    /// The group with the lowest share.
    pub lowest: Option<String>,
    /// The group with the highest.
    pub highest: Option<String>,
    /// Lowest ÷ highest.
    pub ratio: Fraction,
    /// Whether it is below four fifths.
    pub is_below_four_fifths: bool,
}

/// Four fifths, in basis points.
const FOUR_FIFTHS_BP: u32 = 8_000;

/// The groups of every column that the model file names.
pub fn fairness(
    model: &ModelFile,
    scored: &ScoredSample,
    approval: Option<&Approval>,
    odds: Option<&OddsLine>,
) -> Result<Vec<FairnessFigures>> {
    let columns = model.fairness.iter().flat_map(|fairness| &fairness.columns);
    let approved = approval.map(|approval| approval.of(scored));
    let figures = columns.map(|column| {
        let column = SliceColumn::find(scored.sample, column.get_ref())?;
        let groups: Vec<GroupFigures> = (0..column.values.len())
            .map(|code| group(&column, code, scored, approved.as_deref(), odds))
            .filter(|group| group.rows > 0)
            .collect();
        Ok(FairnessFigures {
            column: column.name,
            approved: approval.map(|approval| approval.text.clone()),
            adverse_impact: adverse_impact(&groups),
            groups,
        })
    });
    figures.collect()
}

fn group(
    column: &SliceColumn,
    code: usize,
    scored: &ScoredSample,
    approved: Option<&[bool]>,
    odds: Option<&OddsLine>,
) -> GroupFigures {
    let is_in = |row: usize| column.codes[row] as usize == code;
    let rows = scored.population().filter(|row| is_in(*row));
    let (mut all, mut of_approved) = (0, 0);
    for row in rows {
        all += scored.weight(row);
        if approved.is_some_and(|approved| approved[row]) {
            of_approved += scored.weight(row);
        }
    }
    GroupFigures {
        value: column.values[code].clone(),
        rows: all,
        approved: approved.and_then(|_| Fraction::new(of_approved.into(), all.into())),
        outcomes: SliceFigures::of(&scored.tally(is_in), ALL, odds),
    }
}

fn adverse_impact(groups: &[GroupFigures]) -> Option<AdverseImpact> {
    let shares = || groups.iter().filter_map(|group| Some((group, group.approved?)));
    // By cross products: a / n < b / m as a m < b n.
    let by_share = |(_, one): &(&GroupFigures, Fraction), (_, other): &(&GroupFigures, Fraction)| {
        let left = one.numerator * other.denominator as i128;
        left.cmp(&(other.numerator * one.denominator as i128))
    };
    let (lowest, low) = shares().min_by(by_share)?;
    let (highest, high) = shares().max_by(by_share)?;
    if groups.len() < 2 || high.numerator == 0 {
        return None;
    }
    let ratio = Fraction::new(
        low.numerator * high.denominator as i128,
        low.denominator * high.numerator.unsigned_abs(),
    )?;
    Some(AdverseImpact {
        lowest: lowest.value.clone(),
        highest: highest.value.clone(),
        is_below_four_fifths: ratio.compared_with_bp(FOUR_FIFTHS_BP).is_lt(),
        ratio,
    })
}

/// Refuses a column of groups that a feature, a rule or a gate reads, or of whose name a feature is. `sources` are the
/// job files and the scorecards in question.
pub fn check_unread(model: &ModelFile, sources: &[&Source]) -> Result<()> {
    let columns = model.fairness.iter().flat_map(|fairness| &fairness.columns);
    for column in columns {
        let name = column.get_ref();
        for source in sources {
            let Ok(file) = toml::from_str::<toml::Table>(&source.text) else { continue };
            let Some(place) = reader_of(&toml::Value::Table(file), name, "") else { continue };
            let message = format!(
                "[fairness] columns = [\"{name}\"]: {} reads it in {place}; what groups people must be read by no feature, \
                 rule or gate: take it out there, or name another column",
                source.path.display()
            );
            return Err(failure(Kind::Usage, message));
        }
    }
    Ok(())
}

/// The keys whose values are expressions or columns.
const READS: [&str; 8] = ["where", "when", "expr", "share_of", "sum_of", "among", "of", "ratio"];

/// Where a file reads a column: the table by its name and the key.
fn reader_of(value: &toml::Value, name: &str, within: &str) -> Option<String> {
    match value {
        toml::Value::Table(table) => {
            let own = table.get("name").and_then(toml::Value::as_str);
            if within == "feature" && own == Some(name) {
                return Some(format!("the name of feature `{name}`"));
            }
            let within = own.map_or(within.to_string(), |own| format!("{within} `{own}`"));
            table.iter().find_map(|(key, value)| match value {
                toml::Value::String(text) if READS.contains(&key.as_str()) && reads(text, name) => {
                    Some(format!("`{key}` of {}", within.trim()))
                }
                toml::Value::Array(items) if READS.contains(&key.as_str()) => {
                    let is_read = items.iter().any(|item| item.as_str() == Some(name));
                    is_read.then(|| format!("`{key}` of {}", within.trim()))
                }
                value => reader_of(value, name, key),
            })
        }
        toml::Value::Array(items) => items.iter().find_map(|item| reader_of(item, name, within)),
        _ => None,
    }
}

/// Whether an expression has a name among its words; texts in single quotes aside.
fn reads(expression: &str, name: &str) -> bool {
    let outside: String = expression.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    if outside.contains(&format!("\"{name}\"")) {
        return true;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    outside.split(|c: char| !is_part(c)).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_reads_words_and_no_texts() {
        assert!(reads("sex = 'f' and score >= 1", "sex"));
        assert!(reads("case when \"sex\" = 1 then 2 end", "sex"));
        assert!(!reads("kind = 'sex' and sexes = 1", "sex"));
    }

    #[test]
    fn a_file_that_reads_a_column_says_where() {
        let of = |text: &str| reader_of(&toml::Value::Table(toml::from_str(text).expect("TOML")), "sex", "");
        assert_eq!(
            of("[[feature]]\nname = \"a\"\nwhere = \"sex = 1\"").as_deref(),
            Some("`where` of feature `a`")
        );
        assert_eq!(of("[[rule]]\nwhen = \"sex = 1\"").as_deref(), Some("`when` of rule"));
        assert_eq!(of("[[feature]]\nname = \"sex\"\n").as_deref(), Some("the name of feature `sex`"));
        assert_eq!(
            of("[[feature]]\nname = \"a\"\nratio = [\"sex\", \"b\"]").as_deref(),
            Some("`ratio` of feature `a`")
        );
        assert_eq!(of("[[feature]]\nname = \"a\"\nwhere = \"kind = 'sex'\""), None);
    }
}
