//! From a score to a probability: by the scale that a card was made on, or by the line that its sample has.

use serde::Serialize;

use super::fraction::six_places;
use super::tally::OutcomesByScore;

/// The log-odds of a bad as a line over the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OddsLine {
    /// At score 0.
    intercept: f64,
    /// Of a point.
    slope: f64,
    /// Where it is from.
    pub source: OddsSource,
}

/// Where the odds of a score are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OddsSource {
    /// The card was fitted, and nobody has worked on it since: that of the record beside it.
    Scale,
    /// The card has no scale: a line fitted to the outcomes of the training rows, so that what is predicted is right in the
    /// mean there, and elsewhere is not.
    TrainingRows,
}

/// A scale as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OddsScale {
    /// Where it is from.
    pub source: OddsSource,
    /// Points that double the odds of good to bad.
    pub pdo: f64,
    /// Goods to one bad at `base_score`.
    pub good_bad_odds: f64,
    /// The score at which the odds are those.
    pub base_score: i32,
}

/// Steps after which a line is given up.
const MOST_STEPS: usize = 100;

/// A step that changes nothing any more.
const LEAST_STEP: f64 = 1e-12;

impl OddsLine {
    /// That of a scale: `good_bad_odds` goods to one bad at `base_score`, twice as many `pdo` points above.
    pub fn of_scale(pdo: u32, base_score: i32, good_bad_odds: u32) -> OddsLine {
        let slope = std::f64::consts::LN_2 / f64::from(pdo);
        let at_base = libm::log(f64::from(good_bad_odds));
        OddsLine {
            intercept: slope * f64::from(base_score) - at_base,
            slope: -slope,
            source: OddsSource::Scale,
        }
    }

    /// The line that makes outcomes most likely, by Newton's method over the scores in their order. `None` where there is
    /// no good or no bad, where all have one score, or where some score parts them wholly.
    pub fn of_outcomes(tally: &OutcomesByScore) -> Option<OddsLine> {
        let all = tally.counts();
        let weight = all.total() as f64;
        let mean = tally.mean_score()?.value();
        let squares = tally
            .scores()
            .map(|(score, counts)| (score as f64 - mean) * (score as f64 - mean) * counts.total() as f64);
        let spread = libm::sqrt(squares.sum::<f64>() / weight);
        if all.good == 0 || all.bad == 0 || spread == 0.0 {
            return None;
        }
        let (mut a, mut b) = (libm::log(all.bad as f64 / all.good as f64), 0.0);
        for _ in 0..MOST_STEPS {
            let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (score, counts) in tally.scores() {
                let x = (score as f64 - mean) / spread;
                let (rows, p) = (counts.total() as f64, probability(a + b * x));
                let (miss, w) = (counts.bad as f64 - rows * p, rows * p * (1.0 - p));
                g0 += miss;
                g1 += miss * x;
                h00 += w;
                h01 += w * x;
                h11 += w * x * x;
            }
            let determinant = h00 * h11 - h01 * h01;
            let (da, db) = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
            if !(da.is_finite() && db.is_finite()) {
                return None;
            }
            (a, b) = (a + da, b + db);
            if da.abs() < LEAST_STEP && db.abs() < LEAST_STEP {
                let slope = b / spread;
                return Some(OddsLine {
                    intercept: a - slope * mean,
                    slope,
                    source: OddsSource::TrainingRows,
                });
            }
        }
        None
    }

    /// The probability of a bad.
    pub fn bad_probability(&self, score: i64) -> f64 {
        probability(self.intercept + self.slope * score as f64)
    }

    /// How many bads are predicted.
    pub fn predicted_bads(&self, tally: &OutcomesByScore) -> f64 {
        tally.scores().map(|(score, counts)| counts.total() as f64 * self.bad_probability(score)).sum()
    }

    /// The same as a scale, at a score.
    pub fn scale(&self, base_score: i32) -> OddsScale {
        OddsScale {
            source: self.source,
            pdo: six_places(-std::f64::consts::LN_2 / self.slope),
            good_bad_odds: six_places(libm::exp(-(self.intercept + self.slope * f64::from(base_score)))),
            base_score,
        }
    }
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_doubles_its_odds() {
        let line = OddsLine::of_scale(40, 600, 20);
        for (score, odds) in [(600, 20.0), (640, 40.0), (560, 10.0)] {
            let p = line.bad_probability(score);
            assert!(((1.0 - p) / p - odds).abs() < 1e-9, "{score}: {p}");
        }
        let scale = line.scale(600);
        assert_eq!((scale.pdo, scale.good_bad_odds), (40.0, 20.0));
    }

    #[test]
    fn a_line_of_two_scores_meets_both_rates() {
        let mut tally = OutcomesByScore::default();
        for (score, good, bad) in [(400, 60, 40), (500, 90, 10)] {
            tally.add(score, false, good);
            tally.add(score, true, bad);
        }
        let line = OddsLine::of_outcomes(&tally).expect("it is found");
        assert!((line.bad_probability(400) - 0.4).abs() < 1e-9);
        assert!((line.bad_probability(500) - 0.1).abs() < 1e-9);
        assert!((line.predicted_bads(&tally) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn there_is_no_line_where_nothing_tells_one() {
        let tally = |rows: &[(i64, bool)]| {
            let mut tally = OutcomesByScore::default();
            rows.iter().for_each(|(score, is_bad)| tally.add(*score, *is_bad, 1));
            tally
        };
        for rows in [&[][..], &[(1, true)], &[(1, true), (1, false)], &[(1, true), (2, false)]] {
            assert_eq!(OddsLine::of_outcomes(&tally(rows)), None, "{rows:?}");
        }
    }
}
