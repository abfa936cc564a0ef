//! Where outcomes of nights are from, and which accounts a model leaves out.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::expr::{Column, Expr, Frame, Ints, Scope, Type};
use crate::job::{Diagnostics, Reader};
use crate::model::{Match, ModelFile, RowOutcome};
use crate::run_dir::PublishedRun;
use crate::run_dir::rows::Rows;

/// Where `--outcome` points to: a file of outcomes with how its rows are found, or a model file.
#[derive(Debug, Clone)]
pub enum OutcomeArgument {
    /// A Parquet file.
    File {
        /// The file.
        path: PathBuf,
        /// Its column.
        column: String,
        /// Which of its rows belongs to a night.
        by: Match,
    },
    /// A model file.
    Model(PathBuf),
}

impl OutcomeArgument {
    /// Whether a path is that of a model file.
    pub fn is_model(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "toml")
    }
}

/// The accounts that a model file leaves out.
pub struct Exclusion<'a> {
    model: &'a ModelFile,
}

/// What `exclude` sees of a night besides its features.
const OWN: [(&str, Type); 4] =
    [("account_id", Type::Any), ("as_of", Type::Date), ("score", Type::Int), ("band", Type::Text)];

impl<'a> Exclusion<'a> {
    /// `None` where the model file leaves nobody out.
    pub fn of(model: &'a ModelFile) -> Option<Exclusion<'a>> {
        model.exclude.is_some().then_some(Exclusion { model })
    }

    /// The expression over a night's columns. Fails where it reads what only a spine has.
    fn bind(&self, run: &PublishedRun) -> Result<Expr> {
        let mut scope = Scope::default();
        OWN.iter().for_each(|(name, kind)| scope.push(*name, *kind));
        run.job.features.iter().for_each(|feature| scope.push(&feature.name, Type::Int));
        let mut diagnostics = Diagnostics::default();
        let mut reader = Reader { source: &self.model.source, diagnostics: &mut diagnostics };
        let written = self.model.exclude.as_ref().expect("it is made of one that excludes");
        let expr = reader.expression(written, Type::Bool, &scope);
        diagnostics.check()?;
        Ok(expr.expect("an expression without mistakes is bound"))
    }

    /// The features that it reads.
    pub fn features(&self, run: &PublishedRun) -> Result<Vec<String>> {
        let slots = self.bind(run)?.columns.into_iter().filter_map(|slot| slot.checked_sub(OWN.len()));
        Ok(slots.map(|feature| run.job.features[feature].name.clone()).collect())
    }

    /// Marks the accounts of a batch that it leaves out.
    pub fn mark(
        &self,
        run: &PublishedRun,
        features: &Rows,
        scores: &Rows,
        known: &mut [RowOutcome],
    ) -> Result<()> {
        let expr = self.bind(run)?;
        let as_of = Column::Int(Ints::all(vec![i64::from(run.manifest.as_of.0); features.len]));
        let own = [features.column("account_id")?, &as_of, scores.column("score")?, scores.column("band")?];
        let mut columns: Vec<Option<&Column>> = own.into_iter().map(Some).collect();
        columns.extend(run.job.features.iter().map(|feature| features.column(&feature.name).ok()));
        let truths = expr.truths(&Frame { rows: features.len, columns });
        for (outcome, is_out) in known.iter_mut().zip(truths.iter()) {
            if is_out {
                *outcome = RowOutcome::Excluded;
            }
        }
        Ok(())
    }
}
