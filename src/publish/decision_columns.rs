//! What each column of a decision is made from, for tables and gates alike.

use super::Results;
use crate::day::Day;
use crate::expr::Texts;
use crate::job::DecisionColumn;

/// Takes the values of one column, by line. A value is null only where [`DecisionColumn::spec`] says so.
pub(super) trait ColumnSink<'a> {
    /// What becomes of them.
    type Made;

    /// Integers of 64 bits.
    fn int64(self, value: impl Fn(usize) -> Option<i64> + Sync + Send + 'a) -> Self::Made;

    /// Integers of 32 bits.
    fn int32(self, value: impl Fn(usize) -> Option<i32> + Sync + Send + 'a) -> Self::Made;

    /// Dates.
    fn date(self, value: impl Fn(usize) -> Option<Day> + Sync + Send + 'a) -> Self::Made;

    /// Texts.
    fn text(self, value: impl Fn(usize) -> Option<&'a str> + Sync + Send + 'a) -> Self::Made;

    /// Texts of all lines that are there already.
    fn texts(self, texts: &'a Texts) -> Self::Made;
}

/// Gives a column's values to a sink.
pub(super) fn make<'a, S: ColumnSink<'a>>(column: DecisionColumn, results: &Results<'a>, sink: S) -> S::Made {
    let Results { job, lines, scores, decisions, .. } = *results;
    let as_of = results.dates.as_of;
    let account = move |line: usize| lines.account[line] as usize;
    let pending = move |line: usize| lines.pending[line];
    let policy = move |line: usize| job.policy_of(scores.assignment.arm(account(line)));
    let since = move |day: Option<Day>| day.map(|day| as_of.since(day));
    match column {
        DecisionColumn::Product => sink.texts(&lines.product),
        DecisionColumn::Action => sink.text(move |line| Some(decisions[line].action.name())),
        DecisionColumn::Reason => sink.text(move |line| Some(decisions[line].reason(policy(line)))),
        DecisionColumn::Rule => {
            sink.text(move |line| decisions[line].rule_of(policy(line)).map(|rule| rule.name.as_str()))
        }
        DecisionColumn::OldLimit => sink.int64(move |line| Some(lines.limit[line])),
        DecisionColumn::NewLimit => sink.int64(move |line| Some(decisions[line].new_limit)),
        DecisionColumn::OldStatus => sink.text(move |line| Some(lines.status[line].name())),
        DecisionColumn::NewStatus => sink.text(move |line| Some(decisions[line].new_status.name())),
        DecisionColumn::BoundBy => sink.text(move |line| decisions[line].bound_by.map(|cap| cap.name())),
        DecisionColumn::EffectiveOn => sink.date(move |line| decisions[line].effective_on),
        DecisionColumn::Score => sink.int32(move |line| Some(scores.score[account(line)])),
        DecisionColumn::Band => {
            let bands = &job.scorecard.bands;
            sink.text(move |line| Some(bands[usize::from(scores.band[account(line)])].name.as_str()))
        }
        DecisionColumn::Balance => sink.int64(move |line| Some(lines.balance[line])),
        DecisionColumn::DaysOpen => sink.int64(move |line| Some(as_of.since(lines.opened_on[line]))),
        DecisionColumn::DaysSinceIncrease => sink.int64(move |line| since(lines.increased_on[line])),
        DecisionColumn::DaysSinceDecrease => sink.int64(move |line| since(lines.decreased_on[line])),
        DecisionColumn::PendingLimit => sink.int64(move |line| pending(line).map(|pending| pending.limit)),
        DecisionColumn::PendingStatus => {
            sink.text(move |line| pending(line).map(|pending| pending.status.name()))
        }
        DecisionColumn::PendingOn => sink.date(move |line| pending(line).map(|pending| pending.on)),
        DecisionColumn::StatusSince => sink.date(move |line| lines.status_since[line]),
        DecisionColumn::StatusReason => sink.texts(&lines.status_reason),
        DecisionColumn::PreviousScore => {
            sink.int32(move |line| scores.previous.score(account(line)).map(|score| score as i32))
        }
        DecisionColumn::PreviousBand => sink.text(move |line| scores.previous.band(account(line))),
        DecisionColumn::Arm => sink.text(move |line| Some(scores.assignment.arm(account(line)).name())),
    }
}
