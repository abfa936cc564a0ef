//! The expressions of a model file, bound to what they see: mistakes show their line and place.

use anyhow::Result;

use super::file::{ModelFile, Outcome};
use super::rows::SpineRows;
use super::written::WrittenText;
use crate::expr::{Column, Expr, Frame, Scope, Truths, Type};
use crate::job::{Diagnostics, Job, Reader};

/// The expressions of a model file.
pub(super) struct BoundModel {
    /// Over the spine's columns, then score, band and features: rows to leave out.
    pub exclude: Option<Expr>,
    /// Over the spine's columns: rows to hold out.
    pub holdout: Option<Expr>,
    /// Over [`BILL_FIGURES`]: rows that are bad.
    pub bad: Option<Expr>,
    /// Over [`BILL_FIGURES`]: rows that are neither good nor bad.
    pub indeterminate: Option<Expr>,
}

/// What `bad` and `indeterminate` see of the bills that fell due, in this order.
pub(super) const BILL_FIGURES: [&str; 6] =
    ["bills", "max_days_late", "open_bills", "due", "paid", "outstanding"];

impl BoundModel {
    /// Binds all of them. Their mistakes are told together.
    pub fn bind(model: &ModelFile, job: &Job, rows: &SpineRows) -> Result<BoundModel> {
        BoundModel::bind_over(model, job, Some(rows))
    }

    /// Binds those that say what happened, and no others.
    pub fn bind_outcome(model: &ModelFile, job: &Job) -> Result<BoundModel> {
        BoundModel::bind_over(model, job, None)
    }

    /// Those over the spine's columns only where there is a spine.
    fn bind_over(model: &ModelFile, job: &Job, rows: Option<&SpineRows>) -> Result<BoundModel> {
        let mut diagnostics = Diagnostics::default();
        let mut reader = Reader { source: &model.source, diagnostics: &mut diagnostics };
        let spine = rows.map(|rows| rows.scope(job)).unwrap_or_default();
        let mut all = spine.clone();
        all.push("score", Type::Int);
        all.push("band", Type::Text);
        job.features.iter().for_each(|feature| all.push(&feature.name, Type::Int));
        let mut figures = Scope::default();
        BILL_FIGURES.iter().for_each(|name| figures.push(*name, Type::Int));
        let mut bind = |text: Option<&WrittenText>, scope: &Scope| {
            text.and_then(|text| reader.expression(text, Type::Bool, scope))
        };
        let (bad, indeterminate) = match &model.outcome {
            Outcome::Computed { bad, indeterminate, .. } => (Some(bad), indeterminate.as_ref()),
            Outcome::File { .. } => (None, None),
        };
        let bound = BoundModel {
            exclude: bind(model.exclude.as_ref().filter(|_| rows.is_some()), &all),
            holdout: bind(model.split.holdout.as_ref().filter(|_| rows.is_some()), &spine),
            bad: bind(bad, &figures),
            indeterminate: bind(indeterminate, &figures),
        };
        if let (Some(bad), true) = (bad, job.inputs.repayments.is_none()) {
            let help = "take outcomes from a file, or say in the job's [input] where repayments lie";
            let message = "an outcome is computed from repayments, and the job says repayments = \"none\"";
            reader.error(bad.span(), message, Some(help.into()));
        }
        diagnostics.check()?;
        Ok(bound)
    }
}

/// By row, whether an expression over all of some columns is true.
pub(super) fn truths(expr: &Expr, columns: &[Column], rows: usize) -> Truths {
    expr.truths(&Frame { rows, columns: columns.iter().map(Some).collect() })
}
