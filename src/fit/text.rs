//! What `fit` prints for people.

use super::quality::auc;
use super::record::{CharacteristicRecord, FitRecord};
use super::{FitOutcome, FitRequest, PAGE, in_directory};
use crate::console::{plain_path, plural, table, thousands, visible};
use crate::html::basis_points;

/// A fitted card in a screen: characteristics, bands, thresholds, what is left to do.
pub fn for_people(request: &FitRequest, outcome: &FitOutcome) -> String {
    let record = &outcome.record;
    let number = |count: u64| thousands(count.into());
    let mut parts = vec![format!(
        "{}: fitted on {} goods and {} bads; {}, {} to {} points",
        visible(&record.job),
        number(record.train.good),
        number(record.train.bad),
        plural(record.characteristics.len(), "characteristic"),
        record.lowest,
        record.highest,
    )];
    parts.push(format!("\n{}", characteristics(record)));
    parts.push(format!("\n{}", parts_table(record)));
    parts.push(format!("\n{}", bands(record)));
    parts.push(format!("\n{}", thresholds(record)));
    let dropped: Vec<String> = record
        .left_out
        .iter()
        .filter(|one| one.was_characteristic)
        .map(|one| format!("  {}: {}", visible(&one.feature), one.why))
        .collect();
    if !dropped.is_empty() {
        parts.push(format!("characteristics before, and none now:\n{}", dropped.join("\n")));
    }
    parts.push(format!(
        "rounding moves a score by {:.2} points at the most; {} in all left out: {} says why",
        record.largest_deviation,
        plural(record.left_out.len(), "feature"),
        in_directory(&request.out, PAGE),
    ));
    parts.extend(record.remarks.iter().map(|remark| format!("note: {}", visible(remark))));
    parts.extend(to_write(record));
    parts.push(format!(
        "wrote {}: a job that publishes to {}; look it over with\n  rescore check {}",
        plain_path(&request.out),
        visible(&outcome.output),
        in_directory(&request.out, &outcome.job_file),
    ));
    parts.push(format!(
        "  rescore validate {} --scorecard {}",
        plain_path(&request.model),
        in_directory(&request.out, "scorecard.toml"),
    ));
    parts.join("\n")
}

fn characteristics(record: &FitRecord) -> String {
    let rows: Vec<Vec<String>> = record.characteristics.iter().map(characteristic).collect();
    table(&["characteristic", "IV", "coefficient", "bins", "points", "dimension"], &rows)
}

fn characteristic(one: &CharacteristicRecord) -> Vec<String> {
    let points = one.bins.iter().map(|bin| bin.points);
    let (least, most) = (points.clone().min().unwrap_or(0), points.max().unwrap_or(0));
    let is_new = if one.is_new { " (new)" } else { "" };
    vec![
        format!("{}{is_new}", one.feature),
        format!("{:.3}", one.iv),
        one.coefficient.map_or("given".to_string(), |value| format!("{value:.3}")),
        one.bins.len().to_string(),
        format!("{least} to {most}"),
        one.dimension.clone(),
    ]
}

fn parts_table(record: &FitRecord) -> String {
    let rows = record.parts.iter().map(|part| {
        vec![
            part.part.to_string(),
            thousands(part.good.into()),
            thousands(part.bad.into()),
            part.auc_bp.map_or(String::new(), auc),
            format!("{:.2} %", 100.0 * part.observed_bad_rate),
            format!("{:.2} %", 100.0 * part.predicted_bad_rate),
        ]
    });
    table(&["part", "good", "bad", "AUC", "bad rate", "predicted"], &rows.collect::<Vec<_>>())
}

fn bands(record: &FitRecord) -> String {
    let rows = record.bands.iter().map(|band| {
        vec![
            band.band.clone(),
            band.old_from.to_string(),
            basis_points(band.old_share_below_bp.into()),
            band.from.to_string(),
            basis_points(band.share_below_bp.into()),
        ]
    });
    table(&["band", "from", "of the sample below", "from now", "below now"], &rows.collect::<Vec<_>>())
}

/// Every threshold on the score, by name.
fn thresholds(record: &FitRecord) -> String {
    let mut parts = Vec::new();
    if !record.thresholds.is_empty() {
        let rows = record.thresholds.iter().map(|one| {
            vec![
                one.of.clone(),
                one.column.clone(),
                one.old.to_string(),
                basis_points(one.old_share_bp.into()),
                one.new.map_or("none keeps it".to_string(), |new| new.to_string()),
                one.new_share_bp.map_or(String::new(), |share| basis_points(share.into())),
            ]
        });
        let header = ["threshold of", "on", "was", "of the sample below", "now", "below now"];
        parts.push(table(&header, &rows.collect::<Vec<_>>()));
        let unmoved = record.thresholds.iter().filter(|one| one.place.is_none() || one.new.is_none());
        let unmoved: Vec<String> = unmoved.map(|one| format!("  {} (line {})", one.of, one.line)).collect();
        if record.thresholds_moved && !unmoved.is_empty() {
            parts.push(format!("move these by hand:\n{}", unmoved.join("\n")));
        }
        if record.thresholds_moved {
            parts.push("they are moved in the copies of policy and job: see thresholds.toml".to_string());
        } else {
            parts.push(
                "they are NOT moved, and mean other accounts now: see thresholds.toml for what keeps the shares".to_string(),
            );
        }
    }
    for one in &record.to_look_at {
        parts.push(format!("look at {} ({} line {}): it reads {}", one.of, one.file, one.line, one.column));
    }
    parts.join("\n")
}

fn to_write(record: &FitRecord) -> Option<String> {
    let new: Vec<String> = record.unwritten().map(|one| format!("  {}", visible(&one.feature))).collect();
    if new.is_empty() {
        return None;
    }
    Some(format!(
        "to be written: what these cost points for, as the person may read it (text = \"TODO …\"), and whether the \
         dimension is right\n{}",
        new.join("\n")
    ))
}
