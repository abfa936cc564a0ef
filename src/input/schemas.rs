//! The columns of all files that a run reads against the contract: every mistake is reported, and all at once.

use std::collections::BTreeMap;

use anyhow::Result;
use arrow_schema::DataType;
use rayon::prelude::*;

use super::binding::type_name;
use super::file::OpenFile;
use super::wanted::{Presence, Role, Units, Wanted};
use crate::console::visible;
use crate::failure::{Kind, laid_out};
use crate::job::InputSpec;

/// An input of a run, and what is wanted of it.
pub struct Inspected<'a> {
    /// Where it lies.
    pub spec: &'a InputSpec,
    /// The files that are read, oldest delivery first.
    pub files: &'a [OpenFile],
    /// Files of the deliveries before the last one, which must not lack an optional column that they had.
    pub earlier: Vec<OpenFile>,
    /// The columns.
    pub wanted: Vec<Wanted>,
}

impl<'a> Inspected<'a> {
    /// An input of which no earlier deliveries matter.
    pub fn new(spec: &'a InputSpec, files: &'a [OpenFile], wanted: Vec<Wanted>) -> Inspected<'a> {
        Inspected { spec, files, earlier: Vec::new(), wanted }
    }
}

/// Whether some file of the last delivery lacks an optional column.
pub fn lacks_some(spec: &InputSpec, files: &[OpenFile], wanted: &[Wanted]) -> bool {
    let last = files.chunk_by(|a, b| a.delivery == b.delivery).next_back().unwrap_or_default();
    let optional = wanted.iter().filter(|column| column.presence == Presence::Optional);
    optional.into_iter().any(|column| last.iter().any(|file| !file.has(spec, column)))
}

/// What is wrong with the columns of one file.
struct Mistake<'a> {
    file: &'a OpenFile,
    text: String,
}

/// Fails where some file's columns are not what the contract says, with everything that is wrong:
/// by input, in the order of files and columns, a mistake that many files make once.
pub fn check(inputs: &[Inspected], units: &Units, mixed_money: bool) -> Result<()> {
    let mut reported: Vec<String> = Vec::new();
    for inspected in inputs {
        let mut mistakes = by_file(inspected, units);
        if !mixed_money {
            mistakes.extend(money_of_two_kinds(inspected));
        }
        mistakes.extend(optional_columns(inspected));
        reported.extend(summed_up(&mistakes));
    }
    if reported.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = reported.iter().map(|mistake| visible(mistake)).collect();
    Err(laid_out(Kind::Input, lines.join("\n")))
}

fn by_file<'a>(inspected: &Inspected<'a>, units: &Units) -> Vec<Mistake<'a>> {
    let by_file = inspected.files.par_iter().flat_map_iter(|file| {
        let mistakes = file.mistakes(inspected.spec, &inspected.wanted, units);
        mistakes.into_iter().map(move |text| Mistake { file, text })
    });
    by_file.collect()
}

/// The same figures are worth 10 to the power of `minor_units` as much in one kind as in the other.
fn money_of_two_kinds<'a>(inspected: &Inspected<'a>) -> Vec<Mistake<'a>> {
    let mut mistakes = Vec::new();
    for column in inspected.wanted.iter().filter(|column| column.role == Role::Money) {
        let mut typed = inspected.files.iter().filter_map(|file| {
            let kind = file.type_of(inspected.spec, column)?;
            (kind.is_integer() || is_decimal(&kind)).then_some((file, kind))
        });
        let Some((first, first_kind)) = typed.next() else { continue };
        for (file, kind) in typed.filter(|(_, kind)| is_decimal(kind) != is_decimal(&first_kind)) {
            let text = format!(
                "{} is {}, and {} in {}: the same figures would be different amounts: deliver one kind, or \
                 set `mixed_money = true` in the job file if both are right",
                inspected.spec.file_column(&column.name),
                type_name(&kind),
                type_name(&first_kind),
                first.file.path.display(),
            );
            mistakes.push(Mistake { file, text });
        }
    }
    mistakes
}

fn is_decimal(kind: &DataType) -> bool {
    matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..))
}

/// Optional columns that some files of a delivery have and others lack, or that deliveries before the last
/// one had.
fn optional_columns<'a>(inspected: &Inspected<'a>) -> Vec<Mistake<'a>> {
    let Inspected { spec, files, earlier, wanted } = inspected;
    let last = files.last().map(|file| file.delivery);
    let mut mistakes = Vec::new();
    for column in wanted.iter().filter(|column| column.presence == Presence::Optional) {
        for delivery in files.chunk_by(|a, b| a.delivery == b.delivery) {
            // Where another column stands in its place, that is the mistake.
            let named = delivery.iter().filter(|file| !file.misnames(spec, column));
            let (having, lacking): (Vec<&OpenFile>, Vec<&OpenFile>) =
                named.partition(|file| file.has(spec, column));
            let before = earlier.iter().rev().filter(|_| Some(delivery[0].delivery) == last);
            let known =
                having.first().copied().or_else(|| before.into_iter().find(|file| file.has(spec, column)));
            let Some(known) = known else { continue };
            let whose = match known.delivery {
                Some(date) if having.is_empty() => format!("the delivery of {date}"),
                _ => "another file of the delivery".to_string(),
            };
            let text = format!(
                "there is no column {name}, which {whose} has ({path}): deliver it, or set `without = \
                 [\"{input}.{name}\"]` in the job file",
                name = column.name,
                path = known.file.path.display(),
                input = spec.name,
            );
            mistakes.extend(lacking.into_iter().map(|file| Mistake { file, text: text.clone() }));
        }
    }
    mistakes
}

/// A line for each kind of mistake, naming the first file that makes it and how many others do.
fn summed_up(mistakes: &[Mistake]) -> Vec<String> {
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let mut firsts: Vec<&Mistake> = Vec::new();
    for mistake in mistakes {
        match others.get_mut(mistake.text.as_str()) {
            Some(others) => *others += 1,
            None => {
                others.insert(&mistake.text, 0);
                firsts.push(mistake);
            }
        }
    }
    let mut lines = Vec::new();
    for first in firsts {
        let more = match others[first.text.as_str()] {
            0 => String::new(),
            1 => " and 1 more file".to_string(),
            others => format!(" and {others} more files"),
        };
        lines.push(format!("{}{more}: {}", first.file.subject, first.text));
    }
    lines
}
