//! The natures of accounts and the words of the book: products, statuses, and how much of what
//! each nature does.

/// What kind of customer an account is. Its income, lines, spending and bills all follow from it;
/// what goes wrong for a while is a trouble, and any of them may have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Uses a modest part of fair limits and pays in time.
    Steady,
    /// Income rises month by month; limits are small and well used.
    Growing,
    /// Several lines, used to the brim, large against a small income.
    Stretched,
    /// Pays most bills some days late, and all of them in the end.
    Tardy,
    /// Turns pay-later limits into cash through jewellery and gift cards.
    CashOut,
    /// Holds active lines and at some time buys nothing any more.
    Dormant,
    /// Opened the first line within the last year or so.
    New,
    /// Is paid elsewhere: hardly any income is seen, and the bills are paid.
    Elsewhere,
}

/// What an account of a nature is like; shares are per mille.
pub struct Profile {
    pub nature: Nature,
    /// Of all accounts.
    pub share: u64,
    /// How much of a limit is usually in use, in basis points of it.
    pub use_bp: (i64, i64),
    /// A pay-later limit in tenths of the monthly salary.
    pub limit_tenths: i64,
    /// Months in which something is bought with a pay-later line.
    pub active: u64,
    /// Months in which a cash loan is drawn from.
    pub draws_cash: u64,
    /// In how many monthly instalments a pay-later line is paid back: as likely each.
    pub instalments: [u8; 4],
    /// Added to the account's risk.
    pub risk: u64,
    /// What an ordinary row is; the rest are purchases. In the order of `Mix`.
    pub mix: Mix,
}

/// Rows that are not purchases, per mille.
pub struct Mix {
    pub refund: u64,
    pub transfer_in: u64,
    pub transfer_out: u64,
    pub withdrawal: u64,
    pub fee: u64,
}

impl Mix {
    const fn new(refund: u64, transfer_in: u64, transfer_out: u64, withdrawal: u64, fee: u64) -> Mix {
        Mix { refund, transfer_in, transfer_out, withdrawal, fee }
    }

    /// All of them together.
    pub fn not_purchases(&self) -> u64 {
        self.refund + self.transfer_in + self.transfer_out + self.withdrawal + self.fee
    }
}

/// Every nature, in the order of the enum; the shares add up to 1000.
pub const PROFILES: [Profile; 8] = [
    profile(Nature::Steady, 380, (300, 5000), 10, 700, [1, 1, 1, 3]),
    profile(Nature::Growing, 130, (3000, 8000), 4, 880, [1, 1, 3, 6]),
    profile(Nature::Stretched, 80, (7800, 9900), 26, 970, [6, 12, 12, 12]),
    profile(Nature::Tardy, 40, (4000, 9500), 12, 950, [1, 1, 3, 6]),
    profile(Nature::CashOut, 30, (500, 2500), 12, 900, [1, 1, 1, 1]),
    profile(Nature::Dormant, 90, (300, 2500), 8, 550, [1, 1, 1, 1]),
    profile(Nature::New, 180, (500, 7000), 6, 850, [1, 1, 1, 3]),
    profile(Nature::Elsewhere, 70, (500, 4500), 8, 850, [1, 1, 1, 3]),
];

const fn profile(
    nature: Nature,
    share: u64,
    use_bp: (i64, i64),
    limit_tenths: i64,
    active: u64,
    instalments: [u8; 4],
) -> Profile {
    let (mix, draws_cash, risk) = match nature {
        Nature::Stretched => (Mix::new(30, 60, 70, 90, 20), 900, 250),
        Nature::Tardy => (Mix::new(20, 70, 70, 60, 20), 400, 150),
        Nature::CashOut => (Mix::new(15, 60, 120, 80, 5), 300, 200),
        Nature::Elsewhere => (Mix::new(30, 20, 40, 15, 3), 200, 0),
        _ => (Mix::new(30, 60, 75, 35, 3), 200, 0),
    };
    Profile { nature, share, use_bp, limit_tenths, active, draws_cash, instalments, risk, mix }
}

impl Nature {
    /// What accounts of this nature are like.
    pub fn profile(self) -> &'static Profile {
        &PROFILES[self as usize]
    }
}

/// A kind of credit line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleProduct {
    /// Pay later.
    Huabei,
    /// Cash loan.
    Jiebei,
    /// Pay later, of another wallet.
    Fenfu,
    /// No longer sold: a policy need not declare it.
    Legacy,
}

impl SampleProduct {
    /// The value of the `product` columns.
    pub fn name(self) -> &'static str {
        match self {
            SampleProduct::Huabei => "huabei",
            SampleProduct::Jiebei => "jiebei",
            SampleProduct::Fenfu => "fenfu",
            SampleProduct::Legacy => "legacy",
        }
    }

    /// True where purchases are paid with it, rather than cash drawn from it.
    pub fn is_pay_later(self) -> bool {
        matches!(self, SampleProduct::Huabei | SampleProduct::Fenfu)
    }

    /// The smallest and the largest limit it is sold with, in minor units.
    pub fn limits_minor(self) -> (i64, i64) {
        match self {
            SampleProduct::Huabei => (50_000, 5_000_000),
            SampleProduct::Jiebei => (100_000, 20_000_000),
            SampleProduct::Fenfu => (20_000, 1_500_000),
            SampleProduct::Legacy => (50_000, 500_000),
        }
    }

    /// Its limit in tenths of a pay-later limit of the same person.
    pub fn limit_tenths(self) -> i64 {
        match self {
            SampleProduct::Huabei => 10,
            SampleProduct::Jiebei => 20,
            SampleProduct::Fenfu | SampleProduct::Legacy => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_are_in_order_and_their_shares_are_whole() {
        assert_eq!(PROFILES.iter().map(|profile| profile.share).sum::<u64>(), 1000);
        for (index, profile) in PROFILES.iter().enumerate() {
            assert_eq!(profile.nature as usize, index);
        }
    }
}
