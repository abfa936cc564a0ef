//! What must be accumulated for the features of one source: filters and values shared, windows nested.

use crate::expr::Expr;
use crate::job::{Aggregate, Feature, FeatureKind, From, Statistic};

/// The accumulation plan for transactions, bills or lines.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Distinct `where` expressions.
    pub filters: Vec<Expr>,
    /// Positions in the source's scope of the columns that some group takes values of.
    pub values: Vec<usize>,
    /// What is accumulated.
    pub groups: Vec<Group>,
    /// Which group and window answers each feature.
    pub answers: Vec<Answer>,
    /// 64-bit words an account takes.
    pub stride: usize,
    /// Columns of the scope that are read, ascending.
    pub columns: Vec<usize>,
    /// The longest window; `None` where some window is unbounded. 0 without features.
    pub longest_days: Option<u32>,
}

/// One filter, one value, one statistic, all windows.
#[derive(Debug, Clone)]
pub struct Group {
    /// Position among the filters; `None` takes every row.
    pub filter: Option<usize>,
    /// Position among the values.
    pub value: Option<usize>,
    /// What is accumulated.
    pub statistic: Statistic,
    /// Windows' lengths in days, ascending; [`UNBOUNDED`] for all rows.
    pub edges: Vec<u32>,
    /// First word of the group within an account's.
    pub offset: usize,
    /// Words of one segment between window edges, or of the whole group where it has none.
    pub width: usize,
}

/// The window of a feature that has none.
pub const UNBOUNDED: u32 = u32::MAX;

/// Where a feature's value comes from.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Position among the features.
    pub feature: usize,
    /// Position among the groups.
    pub group: usize,
    /// The window, one of the group's edges.
    pub days: u32,
}

impl Plan {
    /// The plan for the features over `from`.
    pub fn new(features: &[Feature], from: From) -> Plan {
        let aggregates = features.iter().enumerate().filter_map(|(number, feature)| match &feature.kind {
            FeatureKind::Aggregate(aggregate) if aggregate.from == from => Some((number, aggregate)),
            _ => None,
        });
        let mut plan = Plan {
            filters: Vec::new(),
            values: Vec::new(),
            groups: Vec::new(),
            answers: Vec::new(),
            stride: 0,
            columns: Vec::new(),
            longest_days: Some(0),
        };
        for (feature, aggregate) in aggregates {
            plan.add(feature, aggregate);
        }
        plan.lay_out();
        plan
    }

    fn add(&mut self, feature: usize, aggregate: &Aggregate) {
        let filter = aggregate.filter.as_ref().map(|expr| {
            let same = |known: &Expr| known.text == expr.text;
            position_or_push(&mut self.filters, same, || expr.clone())
        });
        let value =
            aggregate.of.map(|slot| position_or_push(&mut self.values, |known| *known == slot, || slot));
        let days = match aggregate.from {
            From::Lines => 1,
            _ => aggregate.days.unwrap_or(UNBOUNDED),
        };
        self.longest_days = match days {
            UNBOUNDED => None,
            days => self.longest_days.map(|longest| longest.max(days)),
        };
        let statistic = aggregate.statistic;
        let same = |group: &Group| (group.filter, group.value, group.statistic) == (filter, value, statistic);
        let group = position_or_push(&mut self.groups, same, || Group {
            filter,
            value,
            statistic,
            edges: Vec::new(),
            offset: 0,
            width: 0,
        });
        self.groups[group].edges.push(days);
        self.answers.push(Answer { feature, group, days });
        let read = aggregate.filter.iter().flat_map(|expr| expr.columns.iter().copied());
        self.columns.extend(read.chain(aggregate.of));
    }

    fn lay_out(&mut self) {
        self.columns.sort_unstable();
        self.columns.dedup();
        for group in &mut self.groups {
            group.edges.sort_unstable();
            group.edges.dedup();
            let (width, segments) = group.size();
            group.width = width;
            group.offset = self.stride;
            self.stride += width * segments;
        }
    }

    /// Whether there is nothing to accumulate.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl Group {
    /// Words of a segment, and how many segments there are.
    fn size(&self) -> (usize, usize) {
        const BITS: u32 = u64::BITS;
        let longest = *self.edges.last().expect("a group has a window");
        match self.statistic {
            Statistic::Count | Statistic::Sum => (1, self.edges.len()),
            // A mark that there is a value, and the value.
            Statistic::Min | Statistic::Max => (2, self.edges.len()),
            // The latest date's age, and the value.
            Statistic::Last => (2, 1),
            Statistic::DaysSince => (1, 1),
            // A bit a day; without a bound, dates are kept as distinct values are.
            Statistic::ActiveDays if longest != UNBOUNDED => (longest.div_ceil(BITS) as usize, 1),
            Statistic::ActiveDays | Statistic::Distinct => (0, 1),
        }
    }

    /// Whether values are kept in a table beside the words.
    pub fn is_tabled(&self) -> bool {
        self.width == 0
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
