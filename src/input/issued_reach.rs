//! Which files of earlier adjustments can bear on a book at all: those before are in its snapshot, all of them.

use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::file::OpenFile;
use super::footer::column_name;
use crate::day::Day;
use crate::run_dir::layout::VERSION_KEY;

/// The first as-of date whose adjustments must be read over a snapshot of a day. Those of all runs before it were issued
/// before the snapshot and have taken effect by then: they change nothing by themselves, and what they make void is as
/// old. `None` where not one has to be read.
pub(super) fn first_that_bears<'f>(
    files: impl Iterator<Item = &'f OpenFile>,
    snapshot: Option<Day>,
) -> Option<Day> {
    let is_over = |file: &OpenFile, issued: Day| {
        let snapshot = snapshot.filter(|snapshot| issued < *snapshot)?;
        Some(file.rows() == 0 || last_effect(file)? <= snapshot)
    };
    let bearing = files.filter_map(|file| {
        let issued = file.delivery?;
        (is_over(file, issued) != Some(true)).then_some(issued)
    });
    bearing.min()
}

/// The last day on which something of a file takes effect, by its footer; `None` where that does not say so for sure.
fn last_effect(file: &OpenFile) -> Option<Day> {
    let facts = file.footer().file_metadata().key_value_metadata()?;
    facts.iter().find(|fact| fact.key == VERSION_KEY)?;
    let days = file.footer().row_groups().iter().map(last_effect_of);
    days.collect::<Option<Vec<Day>>>()?.into_iter().max()
}

fn last_effect_of(group: &RowGroupMetaData) -> Option<Day> {
    let days = group.columns().iter().find(|chunk| column_name(chunk) == "effective_on")?;
    match (days.column_type(), days.statistics()?) {
        (PhysicalType::INT32, Statistics::Int32(days)) if days.null_count_opt() == Some(0) => {
            days.max_opt().filter(|_| days.max_is_exact()).map(|day| Day(*day))
        }
        _ => None,
    }
}
