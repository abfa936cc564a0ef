//! Features x scorecard = points, score, band and reasons.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::arms::Assignment;
use crate::expr::{Column, Ints, Texts};
use crate::features::FeatureTable;
use crate::frame::{Expr, FRAME_ROWS, IntFrame, bin, col, lit, points, when, whole};
use crate::job::{Characteristic, SCORE_COLUMNS, Scorecard};

/// What every account's features come to; one entry an account in every vector.
pub struct Scores {
    /// Within the scorecard's range.
    pub score: Vec<i32>,
    /// Position of the band.
    pub band: Vec<u8>,
    /// By dimension: the sum of its characteristics' points.
    pub dimensions: Vec<Vec<i32>>,
    /// By characteristic; of a job of several scorecards by its columns of points, 0 where the one that decides has no
    /// such characteristic.
    pub points: Vec<Vec<i32>>,
    /// By place among the reasons: the characteristic and whether its feature was null.
    pub reasons: Vec<Vec<Option<Reason>>>,
    /// What an earlier run gave them.
    pub previous: PreviousScores,
    /// Which scorecard and which policy decide.
    pub assignment: Assignment,
    /// What both arms' scorecards give.
    pub arms: ArmScores,
}

impl Scores {
    /// Of so many accounts, with a scorecard's dimensions and so many columns of points and reasons: nothing is given yet.
    pub fn zeroed(scorecard: &Scorecard, points: usize, reasons: usize, accounts: usize) -> Scores {
        let zeros = vec![0; accounts];
        Scores {
            score: zeros.clone(),
            band: vec![0; accounts],
            dimensions: vec![zeros.clone(); scorecard.dimensions.len()],
            points: vec![zeros; points],
            reasons: vec![vec![None; accounts]; reasons],
            previous: PreviousScores::default(),
            assignment: Assignment::default(),
            arms: ArmScores::default(),
        }
    }
}

/// What the scorecards of both arms give to accounts; nothing where the job has no challenger.
#[derive(Debug, Clone, Default)]
pub struct ArmScores {
    /// The job's own, and those of its segments.
    pub champion: Vec<i32>,
    /// The challenger's; where it has none, the champion's.
    pub challenger: Vec<i32>,
}

/// What an earlier run gave accounts; one entry an account in both vectors, or none where there is no such
/// run.
#[derive(Debug, Clone, Default)]
pub struct PreviousScores {
    /// `None` where it had no score.
    pub score: Vec<Option<i64>>,
    /// As its scorecard called it.
    pub band: Texts,
}

impl PreviousScores {
    /// The score of the account at a position.
    pub fn score(&self, account: usize) -> Option<i64> {
        self.score.get(account).copied().flatten()
    }

    /// Its band.
    pub fn band(&self, account: usize) -> Option<&str> {
        (account < self.score.len()).then(|| self.band.get(account)).flatten()
    }
}

/// A characteristic that cost points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Position among the characteristics.
    pub characteristic: u16,
    /// Whether the feature was null, so that `missing_reason` speaks, if there is one.
    pub is_missing: bool,
}

impl Reason {
    /// The code to give.
    pub fn code(self, scorecard: &Scorecard) -> &str {
        let characteristic = &scorecard.characteristics[self.characteristic as usize];
        match (&characteristic.missing_reason, self.is_missing) {
            (Some((code, _)), true) => code,
            _ => &characteristic.reason,
        }
    }
}

/// Scores every account, with reasons.
pub fn score(scorecard: &Scorecard, features: &FeatureTable, accounts: usize) -> Scores {
    score_frames(scorecard, features, ScoredRows::First(accounts), scorecard.reasons)
}

/// Scores some accounts, with reasons.
pub fn score_rows(scorecard: &Scorecard, features: &FeatureTable, rows: &[u32]) -> Scores {
    score_frames(scorecard, features, ScoredRows::Some(rows), scorecard.reasons)
}

/// Scores some accounts, without reasons.
pub fn add_up_rows(scorecard: &Scorecard, features: &FeatureTable, rows: &[u32]) -> Scores {
    score_frames(scorecard, features, ScoredRows::Some(rows), 0)
}

/// Scores every account, without reasons.
pub fn add_up(scorecard: &Scorecard, features: &FeatureTable, accounts: usize) -> Scores {
    score_frames(scorecard, features, ScoredRows::First(accounts), 0)
}

/// Which accounts of a table are scored.
#[derive(Clone, Copy)]
enum ScoredRows<'a> {
    /// So many, from the first.
    First(usize),
    /// Those at these positions.
    Some(&'a [u32]),
}

impl ScoredRows<'_> {
    fn len(self) -> usize {
        match self {
            ScoredRows::First(rows) => rows,
            ScoredRows::Some(rows) => rows.len(),
        }
    }

    /// The account of a row.
    fn account(self, row: usize) -> usize {
        match self {
            ScoredRows::First(_) => row,
            ScoredRows::Some(rows) => rows[row] as usize,
        }
    }

    /// A feature of a run of rows.
    fn column(self, features: &FeatureTable, feature: usize, rows: Range<usize>) -> Ints {
        match self {
            ScoredRows::First(_) => features.column(feature, rows),
            ScoredRows::Some(accounts) => match features.gather(feature, &accounts[rows]) {
                Column::Int(ints) => ints,
                _ => unreachable!("features are integers"),
            },
        }
    }
}

/// Scores frame after frame, with so many reasons an account.
fn score_frames(scorecard: &Scorecard, features: &FeatureTable, rows: ScoredRows, reasons: usize) -> Scores {
    let mut scores = Scores::zeroed(scorecard, scorecard.characteristics.len(), reasons, rows.len());
    let baselines = scorecard.characteristics.iter().map(Characteristic::baseline).collect();
    let scoring = Scoring { scorecard, features, rows, steps: expressions(scorecard), baselines };
    spread(frames_of(&mut scores), |frame| scoring.score(frame));
    scores
}

/// Does work on all frames, on as many threads as work. They are plain threads: a thread of rayon that waits for one
/// of polars takes up another frame meanwhile, on top of the one it is in, and so on until its stack runs over.
fn spread<'s>(frames: Vec<ScoreFrame<'s>>, work: impl Fn(ScoreFrame<'s>) + Sync) {
    let threads = rayon::current_num_threads().min(frames.len());
    let frames = Mutex::new(frames.into_iter());
    let next = || frames.lock().unwrap_or_else(PoisonError::into_inner).next();
    if threads == 1 && rayon::current_thread_index().is_none() {
        return std::iter::from_fn(next).for_each(work);
    }
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| std::iter::from_fn(next).for_each(&work));
        }
    });
}

/// The part of the scores that one frame gives.
struct ScoreFrame<'a> {
    /// The first account of it.
    first: usize,
    score: &'a mut [i32],
    band: &'a mut [u8],
    dimensions: Vec<&'a mut [i32]>,
    points: Vec<&'a mut [i32]>,
    reasons: Vec<&'a mut [Option<Reason>]>,
}

/// The scores in frames, each of which is written by itself: there is never a second copy of the book.
fn frames_of(scores: &mut Scores) -> Vec<ScoreFrame<'_>> {
    let own = scores.score.chunks_mut(FRAME_ROWS).zip(scores.band.chunks_mut(FRAME_ROWS));
    let mut frames: Vec<ScoreFrame> = own
        .enumerate()
        .map(|(number, (score, band))| ScoreFrame {
            first: number * FRAME_ROWS,
            score,
            band,
            dimensions: Vec::new(),
            points: Vec::new(),
            reasons: Vec::new(),
        })
        .collect();
    for column in &mut scores.dimensions {
        frames
            .iter_mut()
            .zip(column.chunks_mut(FRAME_ROWS))
            .for_each(|(frame, own)| frame.dimensions.push(own));
    }
    for column in &mut scores.points {
        frames.iter_mut().zip(column.chunks_mut(FRAME_ROWS)).for_each(|(frame, own)| frame.points.push(own));
    }
    for column in &mut scores.reasons {
        frames.iter_mut().zip(column.chunks_mut(FRAME_ROWS)).for_each(|(frame, own)| frame.reasons.push(own));
    }
    frames
}

/// What the frames have in common.
struct Scoring<'a> {
    scorecard: &'a Scorecard,
    features: &'a FeatureTable,
    rows: ScoredRows<'a>,
    /// The expressions, each step of which sees the columns of the one before.
    steps: Vec<Vec<Expr>>,
    /// By characteristic, what its points are held against.
    baselines: Vec<i32>,
}

impl Scoring<'_> {
    fn score(&self, mut frame: ScoreFrame) {
        let accounts = frame.first..frame.first + frame.score.len();
        let mut values = IntFrame::new(accounts.len());
        for (number, characteristic) in self.scorecard.characteristics.iter().enumerate() {
            let own = self.rows.column(self.features, characteristic.feature, accounts.clone());
            values = values.with(&value_of(number), own);
        }
        let computed = values.compute(&self.steps);
        for (number, points) in frame.points.iter_mut().enumerate() {
            computed.copy_into(&points_of(number), points);
        }
        for (number, points) in frame.dimensions.iter_mut().enumerate() {
            computed.copy_into(&dimension_of(number), points);
        }
        computed.copy_into(SCORE, frame.score);
        // Bins of values are counted from 1, bands from 0.
        frame.band.iter_mut().zip(computed.bins(BAND)).for_each(|(band, bin)| *band = (bin - 1) as u8);
        self.find_reasons(&mut frame);
    }

    /// The largest positive shortfalls of each account, ties in file order.
    fn find_reasons(&self, frame: &mut ScoreFrame) {
        let most = frame.reasons.len();
        // The largest shortfalls, negative so that ties follow in file order.
        let mut largest: Vec<(i64, u16)> = Vec::with_capacity(most + 1);
        for row in 0..frame.score.len() {
            largest.clear();
            for (number, (baseline, points)) in self.baselines.iter().zip(&frame.points).enumerate() {
                let found = (i64::from(points[row]) - i64::from(*baseline), number as u16);
                let is_among = largest.len() < most || largest.last().is_some_and(|last| found < *last);
                if found.0 < 0 && is_among {
                    largest.insert(largest.partition_point(|known| *known < found), found);
                    largest.truncate(most);
                }
            }
            for (reasons, (_, number)) in frame.reasons.iter_mut().zip(&largest) {
                let feature = self.scorecard.characteristics[usize::from(*number)].feature;
                let is_missing = self.features.get(feature, self.rows.account(frame.first + row)).is_none();
                reasons[row] = Some(Reason { characteristic: *number, is_missing });
            }
        }
    }
}

/// Points by characteristic, then dimensions, then their sum, then the score, then its band. The sums are of Int32:
/// no scorecard is read whose points add up to more.
fn expressions(scorecard: &Scorecard) -> Vec<Vec<Expr>> {
    let Scorecard { base, min, max, .. } = *scorecard;
    let characteristics = scorecard.characteristics.iter().enumerate();
    let given = characteristics.clone().map(|(number, characteristic)| {
        let own = characteristic.clone();
        points(col(value_of(number)), move |value| own.points(value)).alias(points_of(number))
    });
    let dimensions = (0..scorecard.dimensions.len()).map(|dimension| {
        let own = characteristics.clone().filter(|(_, own)| own.dimension == dimension);
        let points = own.map(|(number, _)| col(points_of(number)));
        points.reduce(|sum, points| sum + points).unwrap_or(lit(0)).alias(dimension_of(dimension))
    });
    let sum = (0..scorecard.dimensions.len()).map(|number| col(dimension_of(number)));
    let sum = sum.fold(lit(base), |sum, points| sum + points).alias(SUM);
    let score = when(col(SUM).lt(lit(min))).then(lit(min)).when(col(SUM).gt(lit(max))).then(lit(max));
    let score = score.otherwise(col(SUM)).alias(SCORE);
    let above_first = scorecard.bands.iter().skip(1).map(|band| i64::from(band.from));
    let band = bin(whole(col(SCORE)), above_first).alias(BAND);
    vec![given.collect(), dimensions.collect(), vec![sum], vec![score], vec![band]]
}

const SUM: &str = "sum";
const SCORE: &str = "score";
const BAND: &str = "band";

/// The column of a characteristic's feature.
fn value_of(characteristic: usize) -> String {
    format!("value {characteristic}")
}

/// The column of its points.
fn points_of(characteristic: usize) -> String {
    format!("points {characteristic}")
}

/// The column of a dimension.
fn dimension_of(dimension: usize) -> String {
    format!("dimension {dimension}")
}

/// The columns of the scores scope at positions `needed`: score, band, dimensions, features, for the
/// accounts at `rows`.
pub fn score_columns(
    scorecard: &Scorecard,
    scores: &Scores,
    features: &FeatureTable,
    rows: &[u32],
    needed: impl Iterator<Item = usize>,
) -> Vec<(usize, Column)> {
    let small = |values: &[i32]| {
        Column::Int(Ints::all(rows.iter().map(|row| i64::from(values[*row as usize])).collect()))
    };
    let first_feature = SCORE_COLUMNS.len() + scorecard.dimensions.len();
    needed
        .map(|slot| {
            let column = match slot {
                0 => small(&scores.score),
                1 => band_column(scorecard, scores, rows),
                2 => Column::Int(rows.iter().map(|row| scores.previous.score(*row as usize)).collect()),
                3 => Column::Text(rows.iter().map(|row| scores.previous.band(*row as usize)).collect()),
                slot if slot < first_feature => small(&scores.dimensions[slot - SCORE_COLUMNS.len()]),
                slot => features.gather(slot - first_feature, rows),
            };
            (slot, column)
        })
        .collect()
}

fn band_column(scorecard: &Scorecard, scores: &Scores, rows: &[u32]) -> Column {
    let names = scorecard.bands.iter().map(|band| Arc::from(band.name.as_str())).collect();
    let codes = rows.iter().map(|row| u32::from(scores.band[*row as usize])).collect();
    Column::Text(Texts { codes, dictionary: Arc::new(names) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Column, Ints};
    use crate::job::{Band, Bin, Dimension};

    fn scorecard(characteristics: Vec<Characteristic>) -> Scorecard {
        let band = |name: &str, from| Band { name: name.to_string(), from };
        let dimension = |name: &str| Dimension { name: name.to_string(), title: String::new() };
        Scorecard {
            base: 10,
            min: 0,
            max: 100,
            reasons: 1,
            bands: vec![band("low", 0), band("middle", 20), band("high", 60)],
            dimensions: vec![dimension("payments"), dimension("nothing")],
            characteristics,
        }
    }

    fn characteristic(bins: &[(Option<i64>, i32)]) -> Characteristic {
        Characteristic {
            feature: 0,
            dimension: 0,
            reason: String::new(),
            text: String::new(),
            missing: -5,
            missing_reason: None,
            baseline: None,
            actionable: Default::default(),
            bins: bins.iter().map(|(below, points)| Bin { below: *below, points: *points }).collect(),
        }
    }

    fn features(values: &[Option<i64>]) -> FeatureTable {
        FeatureTable::of(&[Column::Int(values.iter().copied().collect::<Ints>())])
    }

    #[test]
    fn a_value_at_a_bound_is_in_the_bin_above() {
        let bins = [(Some(i64::MIN), 1), (Some(0), 2), (Some(i64::MAX), 3), (None, 4)];
        let scorecard = scorecard(vec![characteristic(&bins)]);
        let values = [None, Some(i64::MIN), Some(-1), Some(0), Some(i64::MAX - 1), Some(i64::MAX)];
        let scores = score(&scorecard, &features(&values), values.len());
        assert_eq!(scores.points[0], [-5, 2, 2, 3, 3, 4]);
        for (value, points) in values.iter().zip(&scores.points[0]) {
            assert_eq!(scorecard.characteristics[0].points(*value), *points, "{value:?}");
        }
        assert_eq!(scores.dimensions, [scores.points[0].clone(), vec![0; values.len()]]);
    }

    #[test]
    fn a_score_is_kept_in_its_range_and_in_its_band() {
        let bins = [(Some(0), -500), (Some(1), 10), (Some(2), 9), (Some(3), 50), (None, i32::MAX - 10)];
        let scorecard = scorecard(vec![characteristic(&bins)]);
        let values: Vec<Option<i64>> = (-1..4).map(Some).collect();
        let scores = score(&scorecard, &features(&values), values.len());
        assert_eq!(scores.score, [0, 20, 19, 60, 100]);
        assert_eq!(scores.band, [0, 1, 0, 2, 2]);
        let own: Vec<usize> = scores.score.iter().map(|score| scorecard.band_of(*score)).collect();
        assert_eq!(own, [0, 1, 0, 2, 2]);
    }

    #[test]
    fn a_scorecard_without_characteristics_gives_the_base() {
        let scores = score(&scorecard(Vec::new()), &features(&[None; 4]), 4);
        assert_eq!((scores.score, scores.band), (vec![10; 4], vec![0; 4]));
        assert_eq!(scores.reasons, [[None; 4]]);
    }

    #[test]
    fn nobody_has_no_scores() {
        let scores = score(&scorecard(vec![characteristic(&[(None, 1)])]), &features(&[]), 0);
        assert!(scores.score.is_empty() && scores.band.is_empty());
    }
}
