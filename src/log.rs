//! Log records: text on a terminal, a line of JSON each elsewhere, with time, level, run and stage; no account's id.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::console::{Tone, paint, print_record, visible};

/// The variable with the filter of records, as in `info` or `warn,rescore=debug`.
const FILTER: &str = "RESCORE_LOG";

/// How many hex digits of a run's fingerprint name it: enough to tell any two runs of a job apart.
const RUN_DIGITS: usize = 12;

/// Which run is at work, and on what.
struct AtWork {
    run: Option<String>,
    stage: Option<&'static str>,
}

/// A process works at one run at a time; its threads all write of that one.
static AT_WORK: RwLock<AtWork> = RwLock::new(AtWork { run: None, stage: None });

/// How a run is named in logs, metrics and events: the beginning of the fingerprint over its job files, dates and
/// inputs.
pub fn run_id(fingerprint: &str) -> String {
    fingerprint.chars().take(RUN_DIGITS).collect()
}

/// Begins a night: its run is not known yet.
pub fn begin_night() {
    let mut at_work = AT_WORK.write().unwrap_or_else(PoisonError::into_inner);
    *at_work = AtWork { run: None, stage: Some("open inputs") };
}

/// From here on it is known which run it is.
pub fn set_run(fingerprint: &str) {
    AT_WORK.write().unwrap_or_else(PoisonError::into_inner).run = Some(run_id(fingerprint));
}

/// Begins a stage of the run.
pub fn set_stage(stage: &'static str) {
    AT_WORK.write().unwrap_or_else(PoisonError::into_inner).stage = Some(stage);
}

/// The run at work, as it is named in logs; `None` until that is known.
pub fn current_run() -> Option<String> {
    AT_WORK.read().unwrap_or_else(PoisonError::into_inner).run.clone()
}

/// Sends records to stderr: those that the variable `RESCORE_LOG` asks for; without it warnings, with `-v` (1) also what
/// is done, with `-vv` (2) details, and with `--quiet` errors alone.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (verbose, quiet) {
        (0, true) => "error",
        (0, false) => "warn",
        (1, _) => "warn,rescore=info",
        _ => "warn,rescore=debug",
    };
    let asked = std::env::var(FILTER).ok().filter(|filter| !filter.trim().is_empty());
    let parsed = asked.as_deref().map(str::parse::<EnvFilter>);
    let form = if !std::io::stderr().is_terminal() {
        RecordForm::Json
    } else if verbose > 0 || asked.is_some() {
        RecordForm::Detailed
    } else {
        RecordForm::Plain
    };
    let (filter, mistake) = match parsed {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(level), Some(error)),
        None => (EnvFilter::new(level), None),
    };
    tracing_subscriber::registry().with(Records { form }.with_filter(filter)).init();
    if let Some(error) = mistake {
        tracing::warn!(
            "{FILTER} is no filter of records ({error}); it is written as in info or warn,rescore=debug"
        );
    }
}

/// How records are written.
#[derive(Debug, Clone, Copy)]
enum RecordForm {
    /// `warning: …`, for somebody who looks on.
    Plain,
    /// Likewise, with time, run and stage.
    Detailed,
    /// A JSON object a line.
    Json,
}

/// Writes records to stderr.
struct Records {
    form: RecordForm,
}

impl<S: Subscriber> Layer<S> for Records {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let at_work = AT_WORK.read().unwrap_or_else(PoisonError::into_inner);
        let record = Record {
            time: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            level: level_name(*event.metadata().level()),
            run: at_work.run.as_deref(),
            stage: fields.stage.as_deref().or(at_work.stage),
            message: without_accounts(&fields.message),
        };
        print_record(&record.line(self.form));
    }
}

/// The words that begin a record in text; those of warnings and errors are those of all that the program prints.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// A record, as JSON has it.
#[derive(Serialize)]
struct Record<'a> {
    /// UTC.
    time: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'a str>,
    message: String,
}

impl Record<'_> {
    /// How its level is shown where there are colours.
    fn tone(&self) -> Tone {
        match self.level {
            "error" => Tone::Failure,
            "warning" => Tone::Warning,
            _ => Tone::Faint,
        }
    }

    fn line(&self, form: RecordForm) -> String {
        let Record { time, level, run, stage, message } = self;
        let named = paint(self.tone(), &format!("{level}:"));
        match form {
            RecordForm::Plain => format!("{named} {}\n", visible(message)),
            RecordForm::Detailed => {
                let (run, stage) = (run.unwrap_or("-"), stage.unwrap_or("-"));
                format!("{time} {run} {}: {named} {}\n", visible(stage), visible(message))
            }
            RecordForm::Json => match serde_json::to_string(self) {
                Ok(text) => format!("{}\n", visible_in_json(&text)),
                Err(error) => format!("{level}: {error}\n"),
            },
        }
    }
}

/// JSON without the control characters that its own escapes leave as they are.
fn visible_in_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if visible(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8() {
            shown.push(c);
        } else {
            // Text takes all that is written to it.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        }
    }
    shown
}

/// The message of a record and its stage; other fields are put behind the message.
#[derive(Default)]
struct Fields {
    message: String,
    stage: Option<String>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Text takes all that is written to it.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.message, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "stage" => self.stage = Some(value.to_string()),
            "message" => self.message.push_str(value),
            name => {
                let _ = write!(self.message, " {name}={value}");
            }
        }
    }
}

/// A text without the ids of accounts that errors name: a log is read by more people than a book.
pub fn without_accounts(text: &str) -> String {
    const NAMED: &str = "account ";
    /// What follows an id where errors name one.
    const FOLLOWS: [&str; 5] = [": ", " due on ", " comes after ", " is asked for ", " (also on "];
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(NAMED) {
        let (before, named) = rest.split_at(start + NAMED.len());
        shown.push_str(before);
        shown.push('…');
        let end = FOLLOWS.iter().filter_map(|follows| named.find(follows)).min();
        rest = &named[end.unwrap_or(named.len())..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::plain;

    #[test]
    fn no_record_names_an_account() {
        for (text, shown) in [
            (
                "compute feature x of account 1000042: 7 does not fit in Int64",
                "compute feature x of account …: 7 does not fit in Int64",
            ),
            ("account Jane Doe", "account …"),
            (
                "settle bills: paid of a card bill of account 7 due on 2026-11-20 is 1, which no Int64 holds",
                "settle bills: paid of a card bill of account … due on 2026-11-20 is 1, which no Int64 holds",
            ),
            (
                "a: account b comes after account c: accounts must ascend",
                "a: account … comes after account …: accounts must ascend",
            ),
            ("lines: 3 accounts", "lines: 3 accounts"),
        ] {
            assert_eq!(without_accounts(text), shown);
        }
    }

    #[test]
    fn a_record_is_one_line_in_every_form() {
        let record = Record {
            time: "2026-11-20T01:30:00.000Z".to_string(),
            level: "warning",
            run: Some("0123456789ab"),
            stage: Some("lines"),
            message: "a\nb\u{9b}\"".to_string(),
        };
        assert_eq!(plain(&record.line(RecordForm::Plain)), "warning: a\\nb\\u{9b}\"\n");
        assert_eq!(
            plain(&record.line(RecordForm::Detailed)),
            "2026-11-20T01:30:00.000Z 0123456789ab lines: warning: a\\nb\\u{9b}\"\n"
        );
        let json = record.line(RecordForm::Json);
        assert!(json.is_ascii() && json.trim_end().chars().all(|c| !c.is_control()), "{json}");
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["message"], "a\nb\u{9b}\"");
        assert_eq!(
            (parsed["run"].as_str(), parsed["level"].as_str()),
            (Some("0123456789ab"), Some("warning"))
        );
    }
}
