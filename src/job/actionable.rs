//! Whether a person can move what a characteristic measures, and in which direction; advice follows it.

use serde::Deserialize;
use toml::Spanned;

use super::reader::Reader;

/// In which direction a person can move a feature's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Actionable {
    /// In either.
    #[default]
    Freely,
    /// It only rises, as the days since an account was opened do.
    Up,
    /// It only falls.
    Down,
    /// In neither, as an age.
    Never,
}

/// As the scorecard file has it: `true`, `false`, `"up"`, `"down"`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true, false, \"up\" or \"down\"")]
pub(super) enum RawActionable {
    Either(bool),
    Direction(String),
}

impl Actionable {
    /// Takes the key of a characteristic, which may be absent; a mistake is noted.
    pub(super) fn resolve(reader: &mut Reader, raw: Option<&Spanned<RawActionable>>) -> Actionable {
        let Some(raw) = raw else { return Actionable::Freely };
        match raw.get_ref() {
            RawActionable::Either(true) => Actionable::Freely,
            RawActionable::Either(false) => Actionable::Never,
            RawActionable::Direction(direction) if direction == "up" => Actionable::Up,
            RawActionable::Direction(direction) if direction == "down" => Actionable::Down,
            RawActionable::Direction(direction) => {
                let help = "actionable is true, false, \"up\" or \"down\"";
                reader.error(raw.span(), format!("there is no direction `{direction}`"), Some(help.into()));
                Actionable::Freely
            }
        }
    }

    /// Whether a person can move a value so; where there is none before, no direction is known, and one that there
    /// is does not go away.
    pub fn allows(self, from: Option<i64>, to: Option<i64>) -> bool {
        match (self, from, to) {
            _ if from == to => true,
            (Actionable::Freely, ..) => true,
            (Actionable::Never, ..) => false,
            (_, None, _) => true,
            (_, Some(_), None) => false,
            (Actionable::Up, Some(from), Some(to)) => to > from,
            (Actionable::Down, Some(from), Some(to)) => to < from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_moves_only_where_the_person_can_move_it() {
        for (actionable, from, to, expected) in [
            (Actionable::Freely, Some(1), None, true),
            (Actionable::Never, Some(1), Some(1), true),
            (Actionable::Never, Some(1), Some(2), false),
            (Actionable::Never, None, Some(2), false),
            (Actionable::Up, Some(1), Some(2), true),
            (Actionable::Up, Some(2), Some(1), false),
            (Actionable::Up, Some(2), None, false),
            (Actionable::Up, None, Some(1), true),
            (Actionable::Down, Some(2), Some(1), true),
            (Actionable::Down, Some(1), Some(2), false),
        ] {
            assert_eq!(actionable.allows(from, to), expected, "{actionable:?} {from:?} {to:?}");
        }
    }
}
