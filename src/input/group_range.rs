//! Which row groups may hold rows of a range of accounts, by their statistics.

use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::account_id::Id;
use super::account_range::AccountRange;
use super::footer::column_name;

/// Whether a row group may hold rows of a range, `column` being what the file calls the account. Without statistics
/// that are sure to order ids as we do, it may. Whoever shares out a book checks that no row was passed over by all.
pub fn may_hold(group: &RowGroupMetaData, column: &str, range: &AccountRange) -> bool {
    let ids = group.columns().iter().find(|chunk| column_name(chunk) == column);
    let Some(chunk) = ids.filter(|_| !range.is_everything()) else { return true };
    let Some(statistics) = chunk.statistics() else { return true };
    // A row without an id is of the first range.
    if range.from.is_none() && statistics.null_count_opt() != Some(0) {
        return true;
    }
    let logical = chunk.column_descr().logical_type_ref();
    let bounds = match (chunk.column_type(), statistics) {
        (PhysicalType::INT64, Statistics::Int64(ints)) if logical.is_none() => {
            ints.min_opt().zip(ints.max_opt()).map(|(least, most)| (Id::Int(*least), Id::Int(*most)))
        }
        (PhysicalType::BYTE_ARRAY, Statistics::ByteArray(texts))
            if logical == Some(&LogicalType::String) && !statistics.is_min_max_deprecated() =>
        {
            let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(|text| Id::Text(text.into()));
            // One that was cut short may be no text, or below the greatest.
            let bounds = texts.min_opt().zip(texts.max_opt()).filter(|_| texts.max_is_exact());
            bounds.and_then(|(least, most)| text(least.data()).zip(text(most.data())))
        }
        _ => None,
    };
    bounds.is_none_or(|(least, most)| !range.begins_after(&most) && range.reaches(&least))
}
