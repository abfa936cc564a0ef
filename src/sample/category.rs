//! What is bought where: merchant categories, their prices and their shops.

use super::random::Draws;

/// A kind of merchant.
pub struct Category {
    /// Its place among the merchant ids, from 1.
    number: i32,
    /// The value of the `category` column.
    pub name: &'static str,
    /// Of 1000 purchases.
    weight: u64,
    /// Prices in minor units, most of them near the lower.
    prices: (i64, i64),
    /// Shops of the category.
    shops: u64,
    /// Purchases made online, per mille.
    online: u64,
}

const fn category(
    number: i32,
    name: &'static str,
    weight: u64,
    prices: (i64, i64),
    shops: u64,
    online: u64,
) -> Category {
    Category { number, name, weight, prices, shops, online }
}

/// Every category, the most frequent first; the weights add up to 1000.
const CATEGORIES: [Category; 16] = [
    category(1, "groceries", 230, (800, 40_000), 3000, 250),
    category(2, "dining", 210, (1200, 50_000), 6000, 350),
    category(3, "transport", 140, (200, 20_000), 300, 800),
    category(4, "fashion", 80, (4900, 150_000), 2500, 850),
    category(5, "entertainment", 60, (990, 40_000), 800, 700),
    category(6, "utilities", 60, (3000, 60_000), 120, 950),
    category(7, "home", 50, (1900, 200_000), 1500, 750),
    category(8, "health", 45, (1500, 120_000), 900, 200),
    category(9, "beauty", 35, (2900, 80_000), 900, 700),
    category(10, "electronics", 25, (9900, 900_000), 700, 800),
    category(11, "education", 20, (5000, 600_000), 400, 600),
    category(12, "travel", 18, (8000, 700_000), 300, 900),
    category(13, "childcare", 15, (3900, 100_000), 500, 600),
    category(14, "gaming", 7, (600, 64_800), 60, 1000),
    category(15, "gift_cards", 3, (5000, 100_000), 80, 900),
    category(16, "jewellery", 2, (30_000, 2_000_000), 250, 300),
];

/// The categories that turn a limit into cash: what they sell can be sold again.
pub const CASH_LIKE: [&Category; 2] = [&CATEGORIES[14], &CATEGORIES[15]];

/// So many categories are tried for an amount before transport or electronics is taken.
const TRIES: usize = 6;

/// The price of a ride rather than of a device: 100.00.
const SMALL_AMOUNT: i64 = 10_000;

/// Merchant ids of a category lie below the next multiple of this.
const MERCHANT_IDS: i32 = 10_000;

impl Category {
    /// The category of one purchase.
    pub fn draw(draws: &mut Draws) -> &'static Category {
        let mut left = draws.below(1000);
        for category in &CATEGORIES {
            if left < category.weight {
                return category;
            }
            left -= category.weight;
        }
        unreachable!("the weights of the categories add up to 1000")
    }

    /// The category of a purchase of so many minor units.
    pub fn for_amount(amount: i64, draws: &mut Draws) -> &'static Category {
        let mut drawn = std::iter::repeat_with(|| Category::draw(draws)).take(TRIES);
        let fitting = drawn.find(|category| (category.prices.0..=category.prices.1).contains(&amount));
        fitting.unwrap_or(if amount < SMALL_AMOUNT { &CATEGORIES[2] } else { &CATEGORIES[9] })
    }

    /// A price in minor units for someone of that monthly salary: the well-paid buy dearer things.
    pub fn price_minor(&self, salary: i64, draws: &mut Draws) -> i64 {
        let (low, high) = self.prices;
        let means = (40 + salary / 15_000).min(160);
        let price = draws.skewed(low, high) * means / 100;
        match draws.below(8) {
            0..3 => (price / 100).max(1) * 100,
            3..6 => (price / 100).max(1) * 100 - 10,
            _ => price.max(1),
        }
    }

    /// One of its shops: `favourite` says which four this customer goes to most.
    pub fn merchant_id(&self, favourite: u64, draws: &mut Draws) -> i32 {
        let shop = match draws.below(8) {
            0..5 => favourite.wrapping_add(draws.below(4) * 7919) % self.shops,
            // The first shops are the known names.
            _ => draws.skewed(0, self.shops as i64 - 1) as u64,
        };
        self.number * MERCHANT_IDS + shop as i32
    }

    /// True where this purchase is made online.
    pub fn is_online(&self, draws: &mut Draws) -> bool {
        draws.chance(self.online)
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::{Purpose, draws};
    use super::*;

    #[test]
    fn weights_are_whole_and_shops_fit_their_ids() {
        assert_eq!(CATEGORIES.iter().map(|c| c.weight).sum::<u64>(), 1000);
        assert!((1..).zip(&CATEGORIES).all(|(number, c)| c.number == number));
        assert!(CATEGORIES.iter().all(|c| c.shops <= MERCHANT_IDS as u64));
        assert_eq!(CASH_LIKE.map(|c| c.name), ["gift_cards", "jewellery"]);
    }

    #[test]
    fn prices_are_above_zero() {
        let mut draws = draws(3, Purpose::Row, 0);
        for _ in 0..5000 {
            let category = Category::draw(&mut draws);
            assert!(category.price_minor(300_000, &mut draws) > 0);
        }
    }
}
