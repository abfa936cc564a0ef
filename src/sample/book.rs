//! The book: every account with its lines, troubles and the histories that follow from them.

use jiff::civil::Date;

use super::account::{Customer, NEVER, account};
use super::calendar::{Cycle, cycles, day_number};
use super::credit::HeldLine;
use super::history::{Change, history};
use super::line::{CreditLine, LineTerms};
use super::opening::open_lines;
use super::random::{Purpose, draws, key};
use super::trouble::{Trouble, troubles};

/// A trouble shows in a bill that falls due within so many days, or it comes to nothing.
const MISSED_WITHIN: i32 = 62;

/// No further line is opened in so many days before bills are left unpaid.
const NONE_OPENED_DAYS: i32 = 60;

/// All accounts, lines, troubles and histories.
pub struct Book {
    pub accounts: Vec<Customer>,
    lines: Vec<CreditLine>,
    troubles: Vec<Trouble>,
    changes: Vec<Change>,
}

impl Book {
    /// The book of `accounts` customers as it stands on day `last`.
    pub fn new(seed: u64, accounts: u32, last: Date) -> Book {
        let to = day_number(last);
        // What is due after the last day decides about troubles that begin before it.
        let cycles = cycles(last.saturating_add(jiff::Span::new().months(5)));
        let mut book = Book {
            accounts: Vec::with_capacity(accounts as usize),
            lines: Vec::with_capacity(accounts as usize * 2),
            troubles: Vec::new(),
            changes: Vec::with_capacity(accounts as usize * 3),
        };
        for index in 0..accounts {
            let key = key(seed, u64::from(index));
            let mut account = account(key, index, to);
            account.first_line = book.lines.len() as u32;
            account.first_trouble = book.troubles.len() as u32;
            troubles(&account, to, &mut book.troubles);
            account.trouble_count = (book.troubles.len() as u32 - account.first_trouble) as u8;
            book.open_lines(&account, to, &cycles);
            account.line_count = (book.lines.len() as u32 - account.first_line) as u8;
            book.accounts.push(account);
        }
        book
    }

    /// The lines of an account.
    pub fn lines<'a>(&'a self, account: &'a Customer) -> impl Iterator<Item = HeldLine<'a>> + Clone {
        let first = account.first_line as usize;
        let lines = &self.lines[first..first + usize::from(account.line_count)];
        lines.iter().map(|line| self.held(account, line))
    }

    fn held<'a>(&'a self, account: &'a Customer, line: &'a CreditLine) -> HeldLine<'a> {
        let first = line.first_change as usize;
        let changes = &self.changes[first..first + usize::from(line.change_count)];
        HeldLine { account, line, troubles: self.troubles(account), changes }
    }

    /// The troubles of an account.
    pub fn troubles(&self, account: &Customer) -> &[Trouble] {
        let first = account.first_trouble as usize;
        &self.troubles[first..first + usize::from(account.trouble_count)]
    }

    /// Adds the lines of the account with their histories.
    fn open_lines(&mut self, account: &Customer, to: i32, cycles: &[Cycle]) {
        let mut opened = open_lines(account, to);
        let first_on = opened.first().map_or(NEVER, |(line, _)| line.opened_on);
        let stops_on = self.troubles(account).first().map_or(NEVER, |trouble| trouble.stops_on);
        for (line, _) in &mut opened {
            // Nobody gets a further line in trouble or shortly before: it is an older one.
            if line.opened_on > stops_on.saturating_sub(NONE_OPENED_DAYS) {
                line.opened_on = first_on;
            }
        }
        let first = self.lines.len();
        self.tell(account, &opened, first);
        let first_trouble = account.first_trouble as usize;
        if opened.is_empty() || self.troubles(account).first().is_none_or(|it| it.stops_on == NEVER) {
            return;
        }
        // Which bill is the first to be missed depends on the lines, and what becomes of the lines
        // on the bill.
        let stops_on = self.troubles[first_trouble].stops_on;
        for ((_, terms), line) in opened.iter_mut().zip(&self.lines[first..]) {
            let held = self.held(account, line);
            let due = (0..cycles.len()).rev().find(|&place| {
                let due_on = line.due_on(&cycles[place]);
                (stops_on..stops_on + MISSED_WITHIN).contains(&due_on) && held.billed(&cycles[place..]) > 0
            });
            terms.missed_on = due.map_or(NEVER, |place| line.due_on(&cycles[place]));
        }
        match opened.iter().map(|(_, terms)| terms.missed_on).min() {
            None | Some(NEVER) => self.troubles[first_trouble].void(),
            Some(missed_on) => {
                self.troubles[first_trouble].miss(missed_on, &mut draws(account.key, Purpose::Trouble, 1));
                self.tell(account, &opened, first);
            }
        }
    }

    /// Tells the histories of an account's lines, of which the book's `first` is the first; again
    /// where they are told already.
    fn tell(&mut self, account: &Customer, opened: &[(CreditLine, LineTerms)], first: usize) {
        if let Some(line) = self.lines.get(first) {
            self.changes.truncate(line.first_change as usize);
            self.lines.truncate(first);
        }
        for (line, terms) in opened {
            let first_change = self.changes.len() as u32;
            let troubles = account.first_trouble as usize;
            let troubles = &self.troubles[troubles..troubles + usize::from(account.trouble_count)];
            history(account, line, terms, troubles, &mut self.changes);
            let change_count = (self.changes.len() as u32 - first_change) as u8;
            self.lines.push(CreditLine { first_change, change_count, ..*line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::state;
    use super::super::nature::{PROFILES, SampleProduct};
    use super::super::opening::MAX_TOTAL_LIMIT;
    use super::*;
    use crate::input::lines::Status;
    use jiff::civil::date;

    const LAST: Date = date(2026, 11, 20);

    #[test]
    fn a_book_holds_every_nature_product_and_status() {
        let book = Book::new(1, 5000, LAST);
        for profile in &PROFILES {
            let count = book.accounts.iter().filter(|a| a.nature == profile.nature).count() as u64;
            assert!(count * 1000 > 5000 * profile.share * 7 / 10, "{:?}", profile.nature);
        }
        for product in
            [SampleProduct::Huabei, SampleProduct::Jiebei, SampleProduct::Fenfu, SampleProduct::Legacy]
        {
            assert!(book.lines.iter().any(|line| line.product == product));
        }
        for status in [Status::Active, Status::Suspended, Status::Closed] {
            assert!(book.changes.iter().any(|change| change.status == status));
        }
        let lines_per_1000 = book.lines.len() * 1000 / 5000;
        assert!((1450..1750).contains(&lines_per_1000), "{lines_per_1000}");
    }

    #[test]
    fn fewer_accounts_of_one_seed_are_the_first_of_more() {
        let (few, many) = (Book::new(3, 300, LAST), Book::new(3, 900, LAST));
        for (left, right) in few.accounts.iter().zip(&many.accounts) {
            assert_eq!((left.id, left.salary, left.risk), (right.id, right.salary, right.risk));
            assert!(
                few.lines(left).map(|held| held.line.usual).eq(many.lines(right).map(|held| held.line.usual))
            );
        }
    }

    #[test]
    fn ids_are_unique_limits_are_sold_ones_and_nobody_is_lent_too_much() {
        let book = Book::new(2, 5000, LAST);
        assert!(book.accounts.windows(2).all(|pair| pair[0].id < pair[1].id));
        let mut full = 0;
        for account in &book.accounts {
            let states: Vec<_> =
                book.lines(account).filter_map(|held| state(held.changes, day_number(LAST))).collect();
            let total: i64 = states.iter().map(|state| state.limit).sum();
            assert!(total <= MAX_TOTAL_LIMIT, "{total}");
            full += usize::from(total >= 12_000_000);
        }
        assert!(full > 10, "{full}");
    }

    /// Nobody's lines are suspended for bills, or closed, without a bill that long past due.
    #[test]
    fn lines_rest_for_bills_only_while_bills_are_unpaid() {
        let book = Book::new(5, 5000, LAST);
        let mut suspended = 0;
        for account in &book.accounts {
            for held in book.lines(account) {
                for change in held.changes.iter().filter(|change| change.is_for_bills()) {
                    let missed = book.troubles(account).iter().map(|trouble| trouble.missed_on).min();
                    assert!(missed.is_some_and(|missed_on| missed_on + 30 <= change.on));
                    suspended += 1;
                }
            }
        }
        assert!(suspended > 100, "{suspended}");
    }
}
