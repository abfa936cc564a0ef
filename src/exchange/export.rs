//! A scorecard of ours for other programs.

use std::path::PathBuf;

use anyhow::Result;

use super::pmml_text;
use super::sql::{SqlDialect, statement};
use crate::job::LoneScorecard;
use crate::own::UserFile;

/// What a scorecard is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// One statement over a table of features
    Sql,
    /// A PMML 4.4 Scorecard
    Pmml,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// A job, or a scorecard file.
    pub file: PathBuf,
    /// What it becomes.
    pub to: ExportFormat,
    /// Of SQL.
    pub dialect: SqlDialect,
    /// What SQL reads features from; `None`: as the dialect does.
    pub features: Option<String>,
    /// Where it goes; `None`: nowhere yet.
    pub out: Option<PathBuf>,
}

/// What was written.
#[derive(Debug)]
pub struct Exported {
    /// The text, which is in the file where one was asked for.
    pub text: String,
    /// How many characteristics there are.
    pub characteristics: usize,
    /// Whether it went to standard output, so that nothing else should.
    pub is_stdout: bool,
    /// Reason codes of more than one characteristic, whose points other programs add up.
    pub shared_reasons: Vec<String>,
}

/// Reads a scorecard, and writes it.
pub fn export(request: &ExportRequest) -> Result<Exported> {
    let card = LoneScorecard::read(&request.file)?;
    let text = match request.to {
        ExportFormat::Sql => statement(&card, request.dialect, request.features.as_deref()),
        ExportFormat::Pmml => pmml_text::document(&card)?,
    };
    let mut is_stdout = request.out.is_none();
    if let Some(path) = &request.out {
        let out = UserFile::create(path)?;
        is_stdout = out.is_stdout();
        out.write(text.as_bytes())?;
    }
    let shared_reasons = if request.to == ExportFormat::Pmml { shared_reasons(&card) } else { Vec::new() };
    Ok(Exported { text, characteristics: card.scorecard.characteristics.len(), is_stdout, shared_reasons })
}

fn shared_reasons(card: &LoneScorecard) -> Vec<String> {
    let mut codes: Vec<&str> = card.scorecard.characteristics.iter().map(|one| one.reason.as_str()).collect();
    codes.sort_unstable();
    let twice = codes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_string());
    let mut twice: Vec<String> = twice.collect();
    twice.dedup();
    twice
}
