//! `rescore import`: arguments, and what is printed.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{plain_path, print, print_json, table, visible};
use crate::exchange::{
    CardFormat, FeatureScale, ImportOptions, ImportOutcome, ImportRequest, Otherwise, PointScale,
    ReasonChoice, import, points,
};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The other program's file
    file: PathBuf,
    /// Whose it is
    #[arg(long, value_name = "WHOSE")]
    from: CardFormat,
    /// The file to write, or a directory for a scorecard.toml
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Take over the features of this job's scorecard
    #[arg(long, value_name = "JOB")]
    job: Option<PathBuf>,
    /// Give so many points for one of the file's, rounded, or `exact` for the least power of ten that rounds nothing
    #[arg(long, value_name = "N", value_parser = PointScale::parse)]
    scale: Option<PointScale>,
    /// A feature counts so many units for one of the file's, as in income=100; may come often
    #[arg(long = "scale-feature", value_name = "FIELD=N", value_parser = FeatureScale::parse)]
    scale_features: Vec<FeatureScale>,
    /// What a value gets for which the file has no points: stop, least, or so many [default: stop]
    #[arg(long, value_name = "POINTS", value_parser = Otherwise::parse, allow_hyphen_values = true)]
    otherwise: Option<Otherwise>,
    /// Whose reasons are given: same (as the file's, or refused), ours, none [default: same]
    #[arg(long, value_name = "WHOSE", value_parser = ReasonChoice::parse)]
    reasons: Option<ReasonChoice>,
    /// Add so many of the file's points to all scores: optbinning's intercept
    #[arg(long, value_name = "POINTS", value_parser = points, allow_hyphen_values = true)]
    base: Option<crate::exchange::Decimal>,
    /// A value that falls into the bin Special; may come often
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    special: Vec<i64>,
    /// Print what was written, the features and the notes as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: ImportArgs) -> Result<()> {
    let scales = args.scale_features.into_iter().map(|one| (one.field, one.scale));
    let options = ImportOptions {
        scale: args.scale.unwrap_or_default(),
        feature_scales: scales.collect(),
        otherwise: args.otherwise.unwrap_or_default(),
        reasons: args.reasons.unwrap_or_default(),
        base: args.base,
        special: args.special,
    };
    let request = ImportRequest { file: args.file, from: args.from, out: args.out, job: args.job, options };
    let outcome = import(&request)?;
    if outcome.is_stdout {
        return Ok(());
    }
    if args.json {
        print_json(&serde_json::to_string(&outcome)?);
    } else {
        print(&text(&outcome));
    }
    Ok(())
}

fn text(outcome: &ImportOutcome) -> String {
    let ImportOutcome { scale, largest_deviation, base, min, max, reasons, characteristics, .. } = outcome;
    let shown =
        |feature: &serde_json::Value, key: &str| feature[key].as_str().unwrap_or_default().to_string();
    let rows: Vec<Vec<String>> = outcome
        .features
        .iter()
        .map(|feature| {
            ["feature", "status", "is"].map(|key| visible(&shown(feature, key)).into_owned()).to_vec()
        })
        .collect();
    let mut text = format!(
        "wrote {}: {characteristics} characteristics, base {base}, scores {min} to {max}, {reasons} reasons",
        plain_path(&outcome.scorecard)
    );
    if *scale != 1 {
        text += &format!("\n{scale} of its points are one of the file's");
    }
    if largest_deviation != "0" {
        text += &format!(
            "\npoints are rounded: a score may differ from the file's by {largest_deviation} of its points"
        );
    }
    text += &format!("\n\n{}", table(&["feature", "status", "what it holds"], &rows));
    for note in &outcome.notes {
        text += &format!("\n  {}", visible(note));
    }
    if outcome.features.iter().any(|feature| feature["status"] == "to fill") {
        text += "\n\nnext: say in the file where the features to fill come from; `rescore check` refuses them until then";
    }
    text
}
