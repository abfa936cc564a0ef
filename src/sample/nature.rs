//! The natures of accounts and the words of the book: products, statuses, and how much of what
//! each nature does.

/// What kind of customer an account is. Its income, lines, spending and bills all follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Uses a modest part of fair limits and pays in time.
    Steady,
    /// Income rises month by month; limits are small and well used.
    Growing,
    /// Several lines, used to the brim, large against a small income.
    Stretched,
    /// Pays late, or has stopped paying.
    Late,
    /// Turns pay-later limits into cash through jewellery and gift cards.
    CashOut,
    /// Holds active lines and has bought nothing for three months or more.
    Dormant,
    /// Opened the line in the last two months.
    New,
    /// Was suspended for late bills and has caught up on all of them.
    Recovering,
}

/// What an account of a nature is like; shares are per mille.
pub struct Profile {
    pub nature: Nature,
    /// Of all accounts.
    pub share: u64,
    /// How much of a limit is in use, in basis points of it.
    pub use_bp: (i64, i64),
    /// A pay-later limit in tenths of the monthly salary.
    pub limit_tenths: i64,
    /// Months with a bill.
    pub billed: u64,
    /// What an ordinary row is; the rest are purchases. In the order of `Mix`.
    pub mix: Mix,
}

/// Rows that are not purchases, per mille.
pub struct Mix {
    pub refund: u64,
    pub transfer_in: u64,
    pub transfer_out: u64,
    pub withdrawal: u64,
    pub cash_advance: u64,
    pub fee: u64,
}

impl Mix {
    const fn new(
        refund: u64,
        transfer_in: u64,
        transfer_out: u64,
        withdrawal: u64,
        cash_advance: u64,
        fee: u64,
    ) -> Mix {
        Mix { refund, transfer_in, transfer_out, withdrawal, cash_advance, fee }
    }

    /// All of them together.
    pub fn not_purchases(&self) -> u64 {
        let cash = self.withdrawal + self.cash_advance;
        self.refund + self.transfer_in + self.transfer_out + cash + self.fee
    }
}

/// Every nature, in the order of the enum; the shares add up to 1000.
pub const PROFILES: [Profile; 8] = [
    profile(Nature::Steady, 420, (300, 3500), 10, 660),
    profile(Nature::Growing, 140, (3000, 8000), 4, 850),
    profile(Nature::Stretched, 80, (9100, 9900), 60, 970),
    profile(Nature::Late, 80, (7500, 10_300), 15, 950),
    profile(Nature::CashOut, 30, (9000, 9900), 12, 900),
    profile(Nature::Dormant, 90, (300, 2500), 8, 500),
    profile(Nature::New, 110, (500, 4500), 5, 900),
    profile(Nature::Recovering, 50, (1000, 5000), 8, 950),
];

const fn profile(nature: Nature, share: u64, use_bp: (i64, i64), limit_tenths: i64, billed: u64) -> Profile {
    let mix = match nature {
        Nature::Stretched => Mix::new(30, 60, 70, 60, 60, 20),
        Nature::Late => Mix::new(10, 70, 70, 60, 30, 20),
        Nature::CashOut => Mix::new(15, 60, 120, 60, 40, 5),
        _ => Mix::new(30, 60, 75, 30, 5, 3),
    };
    Profile { nature, share, use_bp, limit_tenths, billed, mix }
}

impl Nature {
    /// What accounts of this nature are like.
    pub fn profile(self) -> &'static Profile {
        &PROFILES[self as usize]
    }
}

/// A kind of credit line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Pay later.
    Huabei,
    /// Cash loan.
    Jiebei,
    /// Pay later, of another wallet.
    Fenfu,
    /// No longer sold: a policy need not declare it.
    Legacy,
}

impl Product {
    /// The value of the `product` columns.
    pub fn name(self) -> &'static str {
        match self {
            Product::Huabei => "huabei",
            Product::Jiebei => "jiebei",
            Product::Fenfu => "fenfu",
            Product::Legacy => "legacy",
        }
    }

    /// The smallest and the largest limit it is sold with, in minor units.
    pub fn limits_minor(self) -> (i64, i64) {
        match self {
            Product::Huabei => (50_000, 5_000_000),
            Product::Jiebei => (100_000, 20_000_000),
            Product::Fenfu => (20_000, 1_500_000),
            Product::Legacy => (50_000, 500_000),
        }
    }

    /// Its limit in tenths of a pay-later limit of the same person.
    pub fn limit_tenths(self) -> i64 {
        match self {
            Product::Huabei => 10,
            Product::Jiebei => 20,
            Product::Fenfu | Product::Legacy => 3,
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
