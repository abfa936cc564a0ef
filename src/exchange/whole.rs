//! Points become whole: as they are, or so many times as many, with the largest deviation told.

use super::card::{ImportedCard, ImportedCharacteristic, PlacedPoints};
use super::decimal::Decimal;
use super::options::{MOST_SCALE, PointScale};
use super::refusals::Refusals;

/// Points as ours are.
#[derive(Debug, Clone)]
pub struct WholeCard {
    /// How many of ours are one of the file's.
    pub scale: i64,
    /// The most by which a score may differ from `scale` times the file's, in our points.
    pub deviation: Decimal,
    /// What every account starts with.
    pub base: i32,
    /// The least score.
    pub min: i32,
    /// The most.
    pub max: i32,
    /// By characteristic.
    pub characteristics: Vec<WholePoints>,
}

/// The points of one characteristic.
#[derive(Debug, Clone)]
pub struct WholePoints {
    /// Where the feature is null.
    pub missing: i32,
    /// What they are held against; `None`: the most.
    pub baseline: Option<i32>,
    /// By bin.
    pub bins: Vec<i32>,
}

/// Makes the points of a card whole; those that cannot be are refused.
pub fn whole(card: &ImportedCard, scale: PointScale, refusals: &mut Refusals) -> Option<WholeCard> {
    let (scale, may_round) = match scale {
        PointScale::AsTheyAre => (1, false),
        PointScale::Times(scale) => (scale, true),
        PointScale::Exact => match exact_scale(card) {
            Some(scale) => (scale, false),
            None => {
                let why = format!("no power of ten up to {MOST_SCALE} makes all points whole");
                let help = "--scale 100 rounds a hundred times the points, and tells by how much";
                refusals.refuse(("points", card.base.at.clone()), why, Some(help));
                return None;
            }
        },
    };
    let mut making = Making { scale, may_round, exact: exact_scale(card), refusals };
    let (base, mut deviation) = making.whole(&card.base)?;
    let mut characteristics = Vec::new();
    let (mut min, mut max) = (i64::from(base), i64::from(base));
    for one in &card.characteristics {
        let (own, own_deviation) = making.characteristic(one)?;
        deviation = deviation.plus(own_deviation).unwrap_or(deviation);
        let all = own.bins.iter().chain([&own.missing]);
        min += i64::from(all.clone().min().copied().unwrap_or(0));
        max += i64::from(all.max().copied().unwrap_or(0));
        characteristics.push(own);
    }
    let [given_min, given_max] = &card.clamp;
    let bound = |making: &mut Making, given: &Option<PlacedPoints>, own: i64| match given {
        Some(given) => making.whole(given).map(|(bound, _)| i64::from(bound)),
        None => Some(own),
    };
    let (min, max) = (bound(&mut making, given_min, min)?, bound(&mut making, given_max, max)?);
    let (Ok(min), Ok(max)) = (i32::try_from(min), i32::try_from(max)) else {
        let why = "the points add up to more than a score can hold (Int32)";
        refusals.refuse(("points", card.base.at.clone()), why, None);
        return None;
    };
    Some(WholeCard { scale, deviation, base, min, max, characteristics })
}

/// All points that have to be whole.
fn all_points(card: &ImportedCard) -> impl Iterator<Item = &PlacedPoints> {
    let bins = card
        .characteristics
        .iter()
        .flat_map(|one| one.bins.iter().map(|bin| &bin.points).chain([&one.missing]).chain(&one.baseline));
    bins.chain([&card.base]).chain(card.clamp.iter().flatten())
}

/// The least power of ten that makes all points whole.
fn exact_scale(card: &ImportedCard) -> Option<i64> {
    let places = all_points(card).map(|points| points.value.places()).max().unwrap_or(0);
    10_i64.checked_pow(places).filter(|scale| *scale <= MOST_SCALE)
}

struct Making<'a, 'r> {
    scale: i64,
    may_round: bool,
    exact: Option<i64>,
    refusals: &'a mut Refusals<'r>,
}

impl Making<'_, '_> {
    /// Refuses points by the name that is written before them.
    fn refuse(&mut self, points: &PlacedPoints, why: &str, help: Option<&str>) {
        let written = self.refusals.source.text.get(points.at.clone()).unwrap_or_default();
        let name = written.trim_start_matches('<').split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        let name = name.filter(|name| !name.is_empty()).unwrap_or("points").to_string();
        self.refusals.refuse((&name, points.at.clone()), why, help);
    }

    /// Whole points, and how far they are from what they were.
    fn whole(&mut self, points: &PlacedPoints) -> Option<(i32, Decimal)> {
        let scaled = points.value.times(self.scale);
        let rounded = scaled.map(Decimal::rounded).and_then(|rounded| i32::try_from(rounded).ok());
        let (Some(scaled), Some(rounded)) = (scaled, rounded) else {
            let why = format!("{} times {} is more than points can be (Int32)", points.value, self.scale);
            self.refuse(points, &why, None);
            return None;
        };
        let deviation =
            scaled.plus(Decimal::whole(i64::from(rounded)).negative()).map_or(Decimal::ZERO, Decimal::abs);
        if deviation != Decimal::ZERO && !self.may_round {
            let why = format!("{} points are not whole", points.value);
            let exact = self.exact.map_or(String::new(), |exact| {
                format!("--scale exact makes them so, with {exact} times as many points; ")
            });
            let help = format!(
                "{exact}--scale 1 rounds them, --scale 100 a hundred times as many, and both tell by how much"
            );
            self.refuse(points, &why, Some(&help));
            return None;
        }
        Some((rounded, deviation))
    }

    /// The points of a characteristic, and the largest deviation among them.
    fn characteristic(&mut self, one: &ImportedCharacteristic) -> Option<(WholePoints, Decimal)> {
        let (missing, mut largest) = self.whole(&one.missing)?;
        let mut bins = Vec::new();
        for bin in &one.bins {
            let (points, deviation) = self.whole(&bin.points)?;
            largest = largest.max(deviation);
            bins.push(points);
        }
        let baseline = match &one.baseline {
            Some(baseline) => Some(self.whole(baseline)?.0),
            None => None,
        };
        Some((WholePoints { missing, baseline, bins }, largest))
    }
}
