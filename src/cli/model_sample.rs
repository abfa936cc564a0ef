//! What `rescore sample` does with a model file, and what it prints.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::shared::EngineArgs;
use crate::console::{Progress, plain_path, plural, print_json, say, table, thousands, visible};
use crate::html::basis_points;
use crate::model::{self, DrawnSample, GoodBad, ModelFile, RowOutcome, SampleCounts};
use crate::own::UserFile;
use crate::spine::{SweepOptions, scratch};

/// Draws the sample of a model file and writes it where that says.
pub(super) fn draw(path: &Path, engine: &EngineArgs, json: bool, progress: &Progress) -> Result<()> {
    engine.start_threads()?;
    let model = ModelFile::read(path)?;
    let options = SweepOptions {
        memory_bytes: engine.memory,
        from_scratch: engine.from_scratch,
        scratch: scratch(&model.sample),
    };
    let drawn = model::draw(&model, options, progress);
    progress.finish();
    let drawn = drawn?;
    drawn.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    drawn.sample.write(&model.sample)?;
    let page = page_path(&model);
    UserFile::create(&page)?.write(drawn.page(&model)?.as_bytes())?;
    if json {
        print_json(&serde_json::to_string(&DrawnFigures::of(&model, &drawn))?);
    } else {
        say(&text(&model, &drawn));
    }
    Ok(())
}

/// Where the page lies: beside the sample, under its name.
fn page_path(model: &ModelFile) -> PathBuf {
    model.sample.with_extension("html")
}

fn text(model: &ModelFile, drawn: &DrawnSample) -> String {
    let counts = &drawn.counts;
    let number = |count: u64| thousands(count.into());
    let mut parts = vec![format!("{}: {}", visible(&drawn.job.name), summary(counts))];
    let rows = counts.parts.iter().filter(|part| part.rows.rows > 0).map(|part| {
        let GoodBad { rows, good, bad, .. } = part.rows;
        let rate = part.rows.bad_rate_bp().map_or(String::new(), basis_points);
        vec![part.part.to_string(), number(rows), number(good), number(bad), rate]
    });
    parts.push(format!(
        "\n{}",
        table(&["part", "rows", "good", "bad", "bad rate"], &rows.collect::<Vec<_>>())
    ));
    let unused = RowOutcome::ALL.into_iter().filter(|outcome| outcome.is_bad().is_none());
    let unused = unused.map(|outcome| (outcome.name().to_string(), counts.of_outcome(outcome)));
    let reasons = counts.left_out.iter().map(|(reason, rows)| (format!("  {reason}"), *rows));
    let unused = unused.chain(reasons).filter(|(_, rows)| *rows > 0);
    let rows: Vec<Vec<String>> = unused.map(|(name, rows)| vec![name, number(rows)]).collect();
    if !rows.is_empty() {
        parts.push(format!("\n{}", table(&["neither good nor bad", "rows"], &rows)));
    }
    let features = plural(drawn.sample.names.len(), "feature");
    parts.push(format!("\nwrote {}: {features} a row", plain_path(&model.sample)));
    parts.push(format!("wrote {}: what is in it, to look at", plain_path(&page_path(model))));
    parts.join("\n")
}

/// How many rows on which days, and how many of them are good and bad.
fn summary(counts: &SampleCounts) -> String {
    let on = match (counts.first, counts.last) {
        (Some(first), Some(last)) if first != last => {
            format!(" on {}, {first} to {last}", plural(counts.days, "day"))
        }
        (Some(day), _) => format!(" on {day}"),
        _ => String::new(),
    };
    let [good, bad] = [RowOutcome::Good, RowOutcome::Bad].map(|outcome| counts.of_outcome(outcome));
    format!(
        "{}{on}; {} good, {} bad",
        plural(counts.rows as usize, "row"),
        thousands(good.into()),
        thousands(bad.into())
    )
}

/// What `--json` prints.
#[derive(Serialize)]
struct DrawnFigures<'a> {
    job: &'a str,
    model: String,
    sample: String,
    page: String,
    features: usize,
    #[serde(flatten)]
    counts: &'a SampleCounts,
    warnings: &'a [String],
}

impl<'a> DrawnFigures<'a> {
    fn of(model: &ModelFile, drawn: &'a DrawnSample) -> DrawnFigures<'a> {
        let path = |path: &PathBuf| plain_path(path);
        DrawnFigures {
            job: &drawn.job.name,
            model: path(&model.source.path),
            sample: path(&model.sample),
            page: plain_path(&page_path(model)),
            features: drawn.sample.names.len(),
            counts: &drawn.counts,
            warnings: &drawn.warnings,
        }
    }
}
