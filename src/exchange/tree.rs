//! What a characteristic gives by the values of its features: a decision for every range, as bins or as an expression.

/// Which attribute of a characteristic speaks; `None` where none does.
pub type Speaker = Option<usize>;

/// What is decided by features, one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionTree {
    /// Decided.
    Leaf(Speaker),
    /// By a feature's value.
    Split(Box<TreeSplit>),
}

/// A decision by one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeSplit {
    /// The feature's name.
    pub feature: String,
    /// What is decided where it is null.
    pub null: DecisionTree,
    /// Ascending; the last takes all the rest.
    pub spans: Vec<TreeSpan>,
}

/// A range of a feature's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeSpan {
    /// Values less than this.
    pub below: Option<i64>,
    /// What is decided there.
    pub tree: DecisionTree,
}

impl DecisionTree {
    /// A decision by a feature, which is none where every value leads to the same. Neighbours that lead to the same
    /// are made one.
    pub fn split(feature: &str, null: DecisionTree, spans: Vec<TreeSpan>) -> DecisionTree {
        let mut merged: Vec<TreeSpan> = Vec::new();
        for span in spans {
            match merged.last_mut() {
                Some(last) if last.tree == span.tree => last.below = span.below,
                _ => merged.push(span),
            }
        }
        match &merged[..] {
            [only] if only.tree == null => null,
            _ => {
                DecisionTree::Split(Box::new(TreeSplit { feature: feature.to_string(), null, spans: merged }))
            }
        }
    }

    /// The same with other outcomes.
    pub fn map(&self, change: fn(Speaker) -> Speaker) -> DecisionTree {
        match self {
            DecisionTree::Leaf(outcome) => DecisionTree::Leaf(change(*outcome)),
            DecisionTree::Split(split) => {
                let spans = split
                    .spans
                    .iter()
                    .map(|span| TreeSpan { below: span.below, tree: span.tree.map(change) });
                DecisionTree::split(&split.feature, split.null.map(change), spans.collect())
            }
        }
    }

    /// Whether some values lead to no attribute.
    pub fn has_gap(&self) -> bool {
        match self {
            DecisionTree::Leaf(outcome) => outcome.is_none(),
            DecisionTree::Split(split) => {
                split.null.has_gap() || split.spans.iter().any(|span| span.tree.has_gap())
            }
        }
    }

    /// Where no attribute speaks, in words.
    pub fn gaps(&self) -> Vec<String> {
        let DecisionTree::Split(split) = self else { return Vec::new() };
        let mut gaps = Vec::new();
        let name = &split.feature;
        if split.null.has_gap() {
            gaps.push(format!("`{name}` is null"));
        }
        let mut from: Option<i64> = None;
        for span in &split.spans {
            if span.tree.has_gap() {
                gaps.push(match (from, span.below) {
                    (None, None) => format!("`{name}` has any value"),
                    (None, Some(below)) => format!("`{name}` < {below}"),
                    (Some(from), None) => format!("`{name}` >= {from}"),
                    (Some(from), Some(below)) if below - from == 1 => format!("`{name}` = {from}"),
                    (Some(from), Some(below)) => format!("{from} <= `{name}` < {below}"),
                });
            }
            from = span.below;
        }
        gaps
    }

    /// As an expression of the job files, each outcome as what `leaf` makes of it.
    pub fn expression(&self, leaf: &dyn Fn(Speaker) -> String) -> String {
        let split = match self {
            DecisionTree::Leaf(outcome) => return leaf(*outcome),
            DecisionTree::Split(split) => split,
        };
        let name = quoted(&split.feature);
        let mut cases = vec![format!("when {name} is null then {}", split.null.expression(leaf))];
        let (last, head) = split.spans.split_last().expect("there is a span");
        for span in head {
            let below = span.below.expect("only the last span takes all the rest");
            cases.push(format!("when {name} < {below} then {}", span.tree.expression(leaf)));
        }
        format!("case {} else {} end", cases.join(" "), last.tree.expression(leaf))
    }
}

/// A name as expressions take it whatever is in it.
pub fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_plain && !is_reserved(name) {
        name.to_string()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Words that SQL takes for its own where a name might stand.
fn is_reserved(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "at",
        "between",
        "by",
        "case",
        "cast",
        "collate",
        "cross",
        "current",
        "date",
        "day",
        "desc",
        "distinct",
        "else",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "floor",
        "for",
        "from",
        "full",
        "group",
        "having",
        "hour",
        "in",
        "inner",
        "intersect",
        "interval",
        "into",
        "is",
        "join",
        "left",
        "like",
        "limit",
        "match",
        "minute",
        "month",
        "natural",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "over",
        "overlay",
        "position",
        "prior",
        "qualify",
        "right",
        "row",
        "second",
        "select",
        "set",
        "some",
        "struct",
        "substring",
        "table",
        "then",
        "time",
        "timestamp",
        "to",
        "trim",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
        "year",
        "zone",
    ];
    RESERVED.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(below: Option<i64>, outcome: Speaker) -> TreeSpan {
        TreeSpan { below, tree: DecisionTree::Leaf(outcome) }
    }

    #[test]
    fn neighbours_alike_are_one() {
        let spans = vec![span(Some(1), Some(0)), span(Some(5), Some(0)), span(None, None)];
        let tree = DecisionTree::split("age", DecisionTree::Leaf(None), spans);
        assert_eq!(tree.gaps(), ["`age` is null", "`age` >= 5"]);
        let shown = tree.expression(&|outcome| outcome.map_or("null".into(), |number| number.to_string()));
        assert_eq!(shown, "case when age is null then null when age < 5 then 0 else null end");
        let same = DecisionTree::split(
            "age",
            DecisionTree::Leaf(Some(3)),
            vec![span(Some(1), Some(3)), span(None, Some(3))],
        );
        assert_eq!(same, DecisionTree::Leaf(Some(3)));
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(quoted("age_2"), "age_2");
        assert_eq!(quoted("Order"), "\"Order\"");
        assert_eq!(quoted("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(quoted("2nd"), "\"2nd\"");
    }
}
