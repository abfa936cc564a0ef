//! What steps say of themselves: one line of JSON each, which later steps are given.

use std::collections::BTreeMap;
use std::io::{self, BufRead, stdin};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::{Kind, failure, input};

/// What every report begins with.
#[derive(Debug, Deserialize)]
struct ReportHead {
    step: String,
    task: usize,
}

/// A report as it is written.
#[derive(Serialize)]
struct ReportLine<'a, T> {
    step: &'a str,
    task: usize,
    #[serde(flatten)]
    said: &'a T,
}

/// A report as one line.
pub fn report_line(step: &str, task: usize, said: &impl Serialize) -> Result<String> {
    serde_json::to_string(&ReportLine { step, task, said }).context("write the report")
}

/// The reports that a step is given, by step and task.
#[derive(Debug, Default)]
pub struct GivenReports {
    lines: BTreeMap<(String, usize), String>,
}

impl GivenReports {
    /// Reads them from standard input, a line each.
    pub fn read() -> Result<GivenReports> {
        GivenReports::of_lines(stdin().lock().lines())
    }

    /// Takes them line by line.
    pub fn of_lines(lines: impl Iterator<Item = io::Result<String>>) -> Result<GivenReports> {
        let mut given = GivenReports::default();
        for line in lines {
            let line = line.context("read the reports of earlier steps")?;
            if !line.trim().is_empty() {
                given.add(line)?;
            }
        }
        Ok(given)
    }

    fn add(&mut self, line: String) -> Result<()> {
        let head: ReportHead = serde_json::from_str(&line)
            .map_err(|error| failure(Kind::Usage, format!("standard input: no report of a step: {error}")))?;
        let ReportHead { step, task } = head;
        if self.lines.insert((step.clone(), task), line).is_some() {
            return Err(input(format!(
                "step {step} of task {task} is reported twice: give what one try has reported"
            )));
        }
        Ok(())
    }

    /// What a step has reported of a task.
    pub fn of<T: DeserializeOwned>(&self, step: &str, task: usize) -> Result<T> {
        let Some(line) = self.lines.get(&(step.to_string(), task)) else {
            return Err(input(format!("there is no report of step {step}, task {task}: run that first")));
        };
        serde_json::from_str(line)
            .map_err(|error| input(format!("the report of step {step}, task {task} is not whole: {error}")))
    }

    /// What a step has reported of all its tasks, of which there are so many.
    pub fn all<T: DeserializeOwned>(&self, step: &str, tasks: usize) -> Result<Vec<T>> {
        if let Some((_, task)) = self.lines.keys().find(|(known, task)| known == step && *task >= tasks) {
            return Err(input(format!(
                "step {step} reports of task {task}, of which the plan knows nothing"
            )));
        }
        (0..tasks).map(|task| self.of(step, task)).collect()
    }
}
