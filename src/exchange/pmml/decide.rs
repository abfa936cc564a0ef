//! From conditions to decisions: every combination of cells of the fields that a characteristic reads is tried.

use super::super::card::Fractions;
use super::super::options::ImportOptions;
use super::super::refusals::Refusals;
use super::super::tree::{DecisionTree, TreeSpan};
use super::attributes::WrittenCharacteristic;
use super::cells::{CellValues, FieldCell, LastWhole, cells};
use super::expression::{Constants, Row};
use super::fields::Field;
use super::value::ValueKind;

/// Combinations of cells of one characteristic.
const MOST_COMBINATIONS: usize = 100_000;

/// A field that characteristics read.
pub struct UsedField<'a> {
    /// As the document declares it.
    pub field: &'a Field,
    /// The feature's name.
    pub feature: String,
    /// Units of the feature in one of the field.
    pub scale: i64,
    cells: Vec<FieldCell>,
    /// Where decisions by it change.
    seen: CutSides,
}

impl<'a> UsedField<'a> {
    /// A field with its cells; bounds that are out of range are refused.
    pub fn new(
        field: &'a Field,
        feature: String,
        constants: &Constants,
        options: &ImportOptions,
        refusals: &mut Refusals,
    ) -> Option<UsedField<'a>> {
        let scale = options.scale_of(&field.name).unwrap_or(1);
        let own = constants.of(&field.name).cloned().unwrap_or_default();
        let cells = cells(field, &own, scale);
        let cells = cells.map_err(|out| {
            let why =
                format!("`{}` is compared with {}, which is out of a feature's range", field.name, out.0);
            refusals.refuse(("DataField", field.at.clone()), why, None);
        });
        Some(UsedField { field, feature, scale, cells: cells.ok()?, seen: CutSides::default() })
    }

    /// What a value that is not whole may become.
    pub fn fractions(&self) -> Fractions {
        let CutSides { at_fraction, down, up } = self.seen;
        match (self.field.kind, at_fraction, down, up) {
            (ValueKind::Real, true, ..) | (ValueKind::Real, _, true, true) => Fractions::Never,
            (ValueKind::Real, _, false, true) => Fractions::Up,
            (ValueKind::Real, ..) => Fractions::Down,
            _ => Fractions::None,
        }
    }
}

/// Decides a characteristic; `None` where it is refused.
pub fn decide(
    written: &WrittenCharacteristic,
    used: &mut [UsedField],
    options: &ImportOptions,
    refusals: &mut Refusals,
) -> Option<DecisionTree> {
    let order: Vec<usize> = written
        .constants
        .fields
        .iter()
        .map(|own| used.iter().position(|used| used.field.name == own.name))
        .collect::<Option<_>>()?;
    let combinations =
        order.iter().try_fold(1_usize, |all, number| all.checked_mul(used[*number].cells.len()));
    if combinations.is_none_or(|all| all > MOST_COMBINATIONS) {
        let why = format!("its fields have more than {MOST_COMBINATIONS} combinations of ranges");
        refusals.refuse(("Characteristic", written.at.clone()), why, None);
        return None;
    }
    let mut deciding = Deciding { written, order: &order, seen: vec![CutSides::default(); used.len()] };
    let tree = deciding.tree(used, 0, &mut Row::new());
    let seen = deciding.seen;
    for number in order {
        let own = &mut used[number];
        if own.field.kind != ValueKind::Real {
            continue;
        }
        let found = &seen[number];
        if found.at_fraction && options.scale_of(&own.field.name).is_none() {
            let why = format!(
                "`{}` is a number with fractions and is compared with some, by characteristic `{}`; features are whole \
                 numbers",
                own.field.name, written.name
            );
            let help = format!(
                "say how many units make one, as in --scale-feature {name}=100; --scale-feature {name}=1 if its values are \
                 whole all the same",
                name = own.field.name
            );
            refusals.refuse(("DataField", own.field.at.clone()), why, Some(&help));
            return None;
        }
        own.seen.at_fraction |= found.at_fraction;
        own.seen.down |= found.down;
        own.seen.up |= found.up;
    }
    Some(tree)
}

/// Where decisions change.
#[derive(Debug, Clone, Default)]
struct CutSides {
    /// At a number that is not whole.
    at_fraction: bool,
    /// At a whole number that belongs to what lies above it: what lies between may be cut off.
    down: bool,
    /// At a whole number that belongs to what lies below it: what lies between may be rounded up.
    up: bool,
}

struct Deciding<'a> {
    written: &'a WrittenCharacteristic,
    order: &'a [usize],
    /// By used field.
    seen: Vec<CutSides>,
}

impl Deciding<'_> {
    /// The decision by the fields from `level` on, the ones before having the values in the row.
    fn tree<'f>(&mut self, used: &'f [UsedField], level: usize, row: &mut Row<'f>) -> DecisionTree {
        let Some(number) = self.order.get(level).copied() else {
            let speaks = |attribute: &super::attributes::WrittenAttribute| {
                attribute.predicate.evaluate(row) == Some(true)
            };
            return DecisionTree::Leaf(self.written.attributes.iter().position(speaks));
        };
        let own = &used[number];
        let mut null = DecisionTree::Leaf(None);
        let mut decided: Vec<DecidedCell> = Vec::new();
        for cell in &own.cells {
            let tree = match own.field.prepare(&cell.example) {
                None => DecisionTree::Leaf(None),
                Some(value) => {
                    row.insert(&own.field.name, value);
                    self.tree(used, level + 1, row)
                }
            };
            match cell.values {
                CellValues::Null => null = tree,
                values => decided.push(DecidedCell { values, tree }),
            }
        }
        self.look(number, &decided);
        DecisionTree::split(&own.feature, null, spans(decided))
    }

    /// Notes at what numbers the decision changes.
    fn look(&mut self, number: usize, decided: &[DecidedCell]) {
        let seen = &mut self.seen[number];
        for cells in decided.windows(3) {
            let [before, point, after] = cells else { continue };
            let CellValues::Point(whole) = point.values else { continue };
            let (is_new, goes_on) = (before.tree != point.tree, point.tree == after.tree);
            if goes_on && !is_new {
                continue;
            }
            seen.at_fraction |= whole.is_none();
            seen.down |= is_new;
            seen.up |= !goes_on;
        }
    }
}

struct DecidedCell {
    values: CellValues,
    tree: DecisionTree,
}

/// The ranges of whole numbers; cells without one are left out.
fn spans(decided: Vec<DecidedCell>) -> Vec<TreeSpan> {
    let of_cell = |cell: DecidedCell| {
        let below = match cell.values {
            CellValues::Null | CellValues::Point(None) | CellValues::Between(None) => return None,
            CellValues::Point(Some(value)) | CellValues::Between(Some(LastWhole::At(value))) => {
                Some(value + 1)
            }
            CellValues::Between(Some(LastWhole::Endless)) => None,
        };
        Some(TreeSpan { below, tree: cell.tree })
    };
    let mut spans: Vec<TreeSpan> = decided.into_iter().filter_map(of_cell).collect();
    // Of codes there are no more than are listed.
    if let Some(last) = spans.last_mut() {
        last.below = None;
    }
    spans
}
