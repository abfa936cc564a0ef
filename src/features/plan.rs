//! What must be accumulated for the features of one source: filters and values shared, windows nested.

use std::borrow::Cow;
use std::ops::Range;

use super::aggregate::state::State;
use crate::day::Day;
use crate::expr::{Column, Expr, Frame};
use crate::job::{Aggregate, Feature, FeatureKind, From, Statistic, ValueSource};

/// The accumulation plan for transactions, bills or lines.
#[derive(Debug, Clone)]
pub struct FeaturePlan {
    /// Distinct `where` expressions.
    pub filters: Vec<Expr>,
    /// What some group takes of each row.
    pub values: Vec<PlannedValue>,
    /// What is accumulated.
    pub groups: Vec<Group>,
    /// Which group and window answers each feature.
    pub answers: Vec<Answer>,
    /// 64-bit words an account takes.
    pub stride: usize,
    /// Columns of the scope that are read, ascending.
    pub columns: Vec<usize>,
    /// How many days before D the farthest window begins; `None` where some window is unbounded. 0 without features.
    pub longest_days: Option<u32>,
    /// Whether ages of rows are days to [`LAST_DAY`], not to D, because rows may be of later days.
    pub counts_from_the_end: bool,
    /// How many groups are kept in the log.
    logged: u32,
}

/// No date is later.
pub const LAST_DAY: Day = Day(i32::MAX);

/// What is accumulated of the inputs that have a history.
pub struct Plans {
    /// Of transactions.
    pub transactions: FeaturePlan,
    /// Of bills.
    pub bills: BillPlans,
}

/// What is accumulated of bills.
pub struct BillPlans {
    /// For the features over due bills.
    pub due: FeaturePlan,
    /// For those over bills that are due or not.
    pub all: FeaturePlan,
}

impl BillPlans {
    /// Whether there is nothing to accumulate.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty() && self.all.is_empty()
    }
}

impl Plans {
    /// Those of a job's features.
    pub fn of(features: &[Feature]) -> Plans {
        let of_bills = |sees_ahead: bool| {
            let passes = |one: &Aggregate| one.from == From::Bills && one.sees_bills_ahead() == sees_ahead;
            FeaturePlan { counts_from_the_end: sees_ahead, ..FeaturePlan::of(features, passes) }
        };
        Plans {
            transactions: FeaturePlan::new(features, From::Transactions),
            bills: BillPlans { due: of_bills(false), all: of_bills(true) },
        }
    }
}

/// One filter, one value, one statistic, all windows that end on one day.
#[derive(Debug, Clone)]
pub struct Group {
    /// Position among the filters; `None` takes every row.
    pub filter: Option<usize>,
    /// Position among the values.
    pub value: Option<usize>,
    /// What is accumulated.
    pub statistic: Statistic,
    /// How many days before D its windows end: younger rows are in none of them.
    pub skip_days: u32,
    /// The ages in days at which its windows begin, exclusive, ascending; [`UNBOUNDED`] for all rows.
    pub edges: Vec<u32>,
    /// Where its state is kept.
    pub state: State,
    /// First word of the group within a slot's.
    pub offset: usize,
    /// Its number among the groups that are kept in the log.
    pub log: Option<u32>,
}

/// A value that is taken of rows.
#[derive(Debug, Clone)]
pub struct PlannedValue {
    /// Where it comes from.
    pub source: ValueSource,
    /// Whether it is taken as a small number, equal for equal values, not as it is.
    pub is_numbered: bool,
}

impl PlannedValue {
    /// The values of a frame's rows, which holds what they are made of.
    pub fn of<'a>(&self, frame: &Frame<'a>) -> Cow<'a, Column> {
        match &self.source {
            ValueSource::Column(slot) => Cow::Borrowed(frame.columns[*slot].expect("the frame holds it")),
            ValueSource::Expression(expr) => Cow::Owned(expr.column(frame)),
        }
    }
}

/// The edge of a window that has none.
pub const UNBOUNDED: u32 = u32::MAX;

/// Where a feature's value comes from.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Position among the features.
    pub feature: usize,
    /// Position among the groups.
    pub group: usize,
    /// Where its window begins, one of the group's edges.
    pub edge: u32,
}

impl FeaturePlan {
    /// The plan for the features over `from`.
    pub fn new(features: &[Feature], from: From) -> FeaturePlan {
        FeaturePlan::of(features, |aggregate| aggregate.from == from)
    }

    /// The plan for the features, all of one source, that pass.
    fn of(features: &[Feature], passes: impl Fn(&Aggregate) -> bool) -> FeaturePlan {
        let aggregates = features.iter().enumerate().filter_map(|(number, feature)| match &feature.kind {
            FeatureKind::Aggregate(aggregate) if passes(aggregate) => Some((number, aggregate)),
            _ => None,
        });
        let mut plan = FeaturePlan {
            filters: Vec::new(),
            values: Vec::new(),
            groups: Vec::new(),
            answers: Vec::new(),
            stride: 0,
            columns: Vec::new(),
            longest_days: Some(0),
            counts_from_the_end: false,
            logged: 0,
        };
        for (feature, aggregate) in aggregates {
            plan.add(feature, aggregate);
        }
        plan.lay_out();
        plan
    }

    fn add(&mut self, feature: usize, aggregate: &Aggregate) {
        let filter = aggregate.filter.as_ref().map(|expr| {
            position_or_push(&mut self.filters, |known| known.text == expr.text, || expr.clone())
        });
        let statistic = aggregate.statistic;
        let value = aggregate.of.as_ref().map(|of| {
            let is_numbered = statistic == Statistic::Distinct;
            let is_same =
                |known: &PlannedValue| known.source.is_same(&of.source) && known.is_numbered == is_numbered;
            let make = || PlannedValue { source: of.source.clone(), is_numbered };
            position_or_push(&mut self.values, is_same, make)
        });
        let edge = match aggregate.from {
            From::Lines => 1,
            _ => aggregate.window.end_age().unwrap_or(UNBOUNDED),
        };
        self.longest_days = match edge {
            UNBOUNDED => None,
            edge => self.longest_days.map(|longest| longest.max(edge)),
        };
        let skip_days = aggregate.window.skip_days;
        let own = (filter, value, statistic, skip_days);
        let known = self
            .groups
            .iter()
            .position(|group| (group.filter, group.value, group.statistic, group.skip_days) == own);
        let group = known.unwrap_or_else(|| {
            let (edges, state, offset, log) = (Vec::new(), State::Logged, 0, None);
            self.groups.push(Group { filter, value, statistic, skip_days, edges, state, offset, log });
            self.groups.len() - 1
        });
        self.groups[group].edges.push(edge);
        self.answers.push(Answer { feature, group, edge });
        let read = aggregate.filter.iter().flat_map(|expr| expr.columns.iter().copied());
        let taken = aggregate.of.iter().flat_map(|of| of.source.columns().iter().copied());
        self.columns.extend(read.chain(taken));
    }

    fn lay_out(&mut self) {
        self.columns.sort_unstable();
        self.columns.dedup();
        for group in &mut self.groups {
            group.edges.sort_unstable();
            group.edges.dedup();
            let longest = Some(group.longest()).filter(|longest| *longest != UNBOUNDED);
            group.state = State::of(group.statistic, longest);
            group.offset = self.stride;
            self.stride += group.state.words(group.edges.len());
            if group.state == State::Logged {
                group.log = Some(self.logged);
                self.logged += 1;
            }
        }
    }

    /// What must be looked at of rows that matter to the groups that pass.
    pub fn reach(&self, passes: impl Fn(usize, &Group) -> bool) -> Reach {
        let mut reach = Reach {
            groups: vec![0; self.mask_words()],
            filters: vec![false; self.filters.len()],
            values: vec![false; self.values.len()],
            columns: Vec::new(),
        };
        for (number, group) in self.groups.iter().enumerate().filter(|(number, group)| passes(*number, group))
        {
            reach.groups[number / BITS] |= 1 << (number % BITS);
            group.filter.into_iter().for_each(|filter| reach.filters[filter] = true);
            group.value.into_iter().for_each(|value| reach.values[value] = true);
        }
        let filters = self.filters.iter().zip(&reach.filters).filter(|(_, is_read)| **is_read);
        let values = self.values.iter().zip(&reach.values).filter(|(_, is_read)| **is_read);
        reach.columns.extend(filters.flat_map(|(filter, _)| filter.columns.iter().copied()));
        reach.columns.extend(values.flat_map(|(value, _)| value.source.columns().iter().copied()));
        reach.columns.sort_unstable();
        reach.columns.dedup();
        reach
    }

    /// Words that hold a bit for every group.
    pub fn mask_words(&self) -> usize {
        self.groups.len().div_ceil(BITS)
    }

    /// Whether there is nothing to accumulate.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// The part of a plan that some rows bear on.
#[derive(Debug, Clone)]
pub struct Reach {
    /// A bit a group.
    pub groups: Vec<u64>,
    /// By filter, whether one of the groups has it.
    pub filters: Vec<bool>,
    /// By value, likewise.
    pub values: Vec<bool>,
    /// Positions in the source's scope of the columns they read, ascending.
    pub columns: Vec<usize>,
}

impl Reach {
    /// Whether no group is reached.
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|word| *word == 0)
    }
}

/// Bits of a word.
pub const BITS: usize = u64::BITS as usize;

impl Group {
    /// Where its longest window begins.
    pub fn longest(&self) -> u32 {
        *self.edges.last().expect("a group has a window")
    }

    /// The segment of the rows of an age; `None` where they are in none of its windows.
    pub fn segment(&self, age: u32) -> Option<usize> {
        let segment = self.edges.iter().position(|edge| age < *edge || *edge == UNBOUNDED);
        segment.filter(|_| self.skip_days <= age)
    }

    /// How many segments a window that begins at an edge is made of.
    fn segments_within(&self, edge: u32) -> usize {
        self.edges.iter().take_while(|own| **own <= edge).count()
    }

    /// The words of a window's state within a slot's.
    pub fn words_within(&self, edge: u32) -> Range<usize> {
        self.offset..self.offset + self.state.words(self.segments_within(edge))
    }
}

fn position_or_push<T>(all: &mut Vec<T>, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
    match all.iter().position(same) {
        Some(position) => position,
        None => {
            all.push(make());
            all.len() - 1
        }
    }
}
