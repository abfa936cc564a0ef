//! Who is approved: an expression of the model file over score and band.

use std::sync::Arc;

use anyhow::Result;

use super::scored::ScoredSample;
use crate::expr::{Column, Expr, Frame, Ints, Scope, Texts, Type};
use crate::job::{Diagnostics, Reader};
use crate::model::ModelFile;

/// What the model file says of who is approved.
pub struct Approval {
    /// As it is written.
    pub text: String,
    expr: Expr,
}

/// What the expression sees.
const COLUMNS: [(&str, Type); 2] = [("score", Type::Int), ("band", Type::Text)];

impl Approval {
    /// Reads the expression of a model file; `None` where it has none.
    pub fn read(model: &ModelFile) -> Result<Option<Approval>> {
        let Some(written) = model.fairness.as_ref().and_then(|fairness| fairness.approved.as_ref()) else {
            return Ok(None);
        };
        let mut scope = Scope::default();
        COLUMNS.iter().for_each(|(name, kind)| scope.push(*name, *kind));
        let mut diagnostics = Diagnostics::default();
        let mut reader = Reader { source: &model.source, diagnostics: &mut diagnostics };
        let expr = reader.expression(written, Type::Bool, &scope);
        diagnostics.check()?;
        Ok(expr.map(|expr| Approval { text: written.get_ref().clone(), expr }))
    }

    /// By row of a sample, whether its account is approved.
    pub fn of(&self, scored: &ScoredSample) -> Vec<bool> {
        let score = Column::Int(Ints::all(scored.score.iter().map(|score| i64::from(*score)).collect()));
        let names = scored.card.scorecard.bands.iter().map(|band| Arc::from(band.name.as_str())).collect();
        let codes = scored.band.iter().map(|band| u32::from(*band)).collect();
        let band = Column::Text(Texts { codes, dictionary: Arc::new(names) });
        let frame = Frame { rows: scored.score.len(), columns: vec![Some(&score), Some(&band)] };
        self.expr.truths(&frame).iter().collect()
    }
}
