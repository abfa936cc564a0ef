//! Randomness by address: a number depends on the seed and on what it is for, never on what was
//! drawn before it, so that any day of any account can be told alone.

/// The golden-ratio increment of SplitMix64.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a draw is for: two purposes never share their numbers.
#[derive(Clone, Copy)]
pub enum Purpose {
    Traits = 1,
    Limits,
    Trouble,
    History,
    Sending,
    Row,
    Income,
    Usage,
    Bill,
    Fault,
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit moves every output bit.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// The key of the `index`-th thing under `seed`.
pub fn key(seed: u64, index: u64) -> u64 {
    mix(mix(seed.wrapping_add(GAMMA)).wrapping_add(index.wrapping_mul(GAMMA)))
}

/// The numbers of one purpose at one place (`at`: a day, a month, a row; below 2^56) of `key`.
pub fn draws(key: u64, purpose: Purpose, at: u64) -> Draws {
    Draws { state: mix(key ^ ((purpose as u64) << 56 | at).wrapping_mul(GAMMA)) }
}

/// The one number of a purpose at a place: other than those of `draws`.
pub fn word(key: u64, purpose: Purpose, at: u64) -> u64 {
    draws(key, purpose, at).state
}

/// An endless row of numbers.
pub struct Draws {
    state: u64,
}

impl Draws {
    /// 64 even bits.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// An even number below `bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// An even number of `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        debug_assert!(low <= high);
        low + self.below((high - low + 1) as u64) as i64
    }

    /// An even day of `low..=high`.
    pub fn day(&mut self, low: i32, high: i32) -> i32 {
        self.between(i64::from(low), i64::from(high)) as i32
    }

    /// A number of `low..=high` of which most are near `low`: the cube of an even one.
    pub fn skewed(&mut self, low: i64, high: i64) -> i64 {
        let even = self.below(1 << 12) as i64;
        let cube = (even * even * even) >> 24;
        low + (((high - low) * cube) >> 12)
    }

    /// True in `per_mille` of 1000 cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `choices`, all as likely.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A number of the distribution that has these evenly spaced quantiles, straight in between.
    pub fn along(&mut self, quantiles: &[i64]) -> i64 {
        let gaps = quantiles.len() as u64 - 1;
        let place = self.below(gaps << 16);
        let (index, part) = ((place >> 16) as usize, (place & 0xFFFF) as i64);
        quantiles[index] + (((quantiles[index + 1] - quantiles[index]) * part) >> 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds_and_reach_them() {
        let mut draws = draws(7, Purpose::Row, 1);
        let seen: Vec<i64> = (0..1000).map(|_| draws.between(-2, 2)).collect();
        assert_eq!(seen.iter().min(), Some(&-2));
        assert_eq!(seen.iter().max(), Some(&2));
        assert!((0..1000).all(|_| (10..=30).contains(&draws.along(&[10, 20, 30]))));
        assert!((0..1000).all(|_| (5..=50).contains(&draws.skewed(5, 50))));
        assert_eq!(draws.below(0), 0);
    }

    #[test]
    fn purposes_places_and_seeds_do_not_share_numbers() {
        let first = |key, purpose, at| draws(key, purpose, at).word();
        let words = [
            first(key(1, 1), Purpose::Row, 1),
            first(key(1, 1), Purpose::Row, 2),
            first(key(1, 1), Purpose::Bill, 1),
            first(key(1, 2), Purpose::Row, 1),
            first(key(2, 1), Purpose::Row, 1),
        ];
        for (index, word) in words.iter().enumerate() {
            assert!(!words[..index].contains(word));
        }
    }
}
