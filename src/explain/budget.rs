//! The raise budgets as one account meets them: who comes before it, and what they leave.

use std::cmp::Reverse;

use anyhow::{Context, Result};

use crate::job::Action;
use crate::policy::decide_unbudgeted;
use crate::published::PublishedRun;
use crate::published::rows::{self, Id};
use crate::score::score;

/// The raises of other accounts that compete for each product's budget.
pub struct Budgets {
    own: Id,
    by_product: Vec<Option<Queue>>,
}

/// One product's raises in the order in which they are granted, without those of the own account.
struct Queue {
    budget: i64,
    /// Score and account of every raise, granted or not.
    places: Vec<(Reverse<i64>, Id)>,
    /// What those before each place take up, as far as raises are granted; one more than are granted.
    spent: Vec<i128>,
}

/// What a raise finds when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Minor units, of the whole run.
    pub budget: i64,
    /// What raises before it have taken; `None` where one of them did not fit, so that nothing is left.
    pub spent: Option<i128>,
}

impl Turn {
    /// Whether an increase of so many minor units is granted.
    pub fn grants(self, increase: i128) -> bool {
        self.spent.is_some_and(|spent| spent + increase <= i128::from(self.budget))
    }
}

impl Budgets {
    /// Reads the competing raises of a run, for the products whose names are in `products`.
    pub fn read(run: &PublishedRun, own: &Id, products: &[&str]) -> Result<Budgets> {
        let declared = &run.job.policy.products;
        let is_wanted = |name: &str| products.contains(&name);
        let mut queues: Vec<Vec<Contender>> = declared.iter().map(|_| Vec::new()).collect();
        let limited =
            declared.iter().any(|product| product.raise_budget.is_some() && is_wanted(&product.name));
        if limited {
            let position = |name: &str| {
                let found = declared.iter().position(|product| product.name == name)?;
                (declared[found].raise_budget.is_some() && is_wanted(name)).then_some(found)
            };
            read_contenders(run, own, position, &mut queues)?;
        }
        let queues = queues.into_iter().zip(declared).map(|(contenders, product)| {
            let budget = product.raise_budget.filter(|_| is_wanted(&product.name));
            budget.map(|budget| line_up(run, &product.name, budget, contenders)).transpose()
        });
        Ok(Budgets { own: own.clone(), by_product: queues.collect::<Result<_>>()? })
    }

    /// What a raise of the own account's line of the product at a position finds, were its score so;
    /// `None` where the product has no budget.
    pub fn turn(&self, product: usize, score: i32) -> Option<Turn> {
        let queue = self.by_product[product].as_ref()?;
        let place = (Reverse(i64::from(score)), self.own.clone());
        let before = queue.places.partition_point(|other| *other < place);
        Some(Turn { budget: queue.budget, spent: queue.spent.get(before).copied() })
    }
}

/// Somebody else's raise.
struct Contender {
    score: i64,
    account: Id,
    /// Minor units; `None` where it was refused for the budget, so that decisions do not say.
    increase: Option<i64>,
}

fn read_contenders(
    run: &PublishedRun,
    own: &Id,
    position: impl Fn(&str) -> Option<usize>,
    queues: &mut [Vec<Contender>],
) -> Result<()> {
    let names = ["account_id", "product", "action", "reason", "old_limit", "new_limit", "score"];
    rows::for_batches(&run.directory, "decisions", &names, |rows| {
        let (action, reason) = (rows.texts("action")?, rows.texts("reason")?);
        let (old, new) = (rows.ints("old_limit")?, rows.ints("new_limit")?);
        let (product, score) = (rows.texts("product")?, rows.ints("score")?);
        let ids = rows.column("account_id")?;
        for row in 0..rows.len {
            let is_granted = action.get(row) == Some(Action::Raise.name());
            if !is_granted && reason.get(row) != Some("budget") {
                continue;
            }
            let Some(queue) = product.get(row).and_then(&position) else { continue };
            let account = Id::of(ids, row).context("a decision has no account")?;
            if account != *own {
                let increase = is_granted.then(|| new.values[row] - old.values[row]);
                queues[queue].push(Contender { score: score.values[row], account, increase });
            }
        }
        Ok(())
    })
}

/// Puts raises in order and adds them up until one does not fit.
fn line_up(run: &PublishedRun, product: &str, budget: i64, mut all: Vec<Contender>) -> Result<Queue> {
    all.sort_by(|a, b| (Reverse(a.score), &a.account).cmp(&(Reverse(b.score), &b.account)));
    let mut spent = vec![0];
    for contender in &all {
        let increase = match contender.increase {
            Some(increase) => i128::from(increase),
            None => wanted(run, &contender.account, product)?,
        };
        let sum = spent.last().expect("it starts with one") + increase;
        if sum > i128::from(budget) {
            break;
        }
        spent.push(sum);
    }
    let places = all.into_iter().map(|contender| (Reverse(contender.score), contender.account)).collect();
    Ok(Queue { budget, places, spent })
}

/// What a raise that was refused for the budget would have added: its account is decided again.
fn wanted(run: &PublishedRun, account: &Id, product: &str) -> Result<i128> {
    let facts = run.account(&account.text())?.context("an account has decisions, but no features")?;
    let scores = score(&run.job.scorecard, &facts.features, 1);
    let decisions = decide_unbudgeted(&run.job, run.manifest.as_of, &facts.lines, &facts.features, &scores);
    let line = (0..decisions.len()).find(|line| facts.lines.product.get(*line) == Some(product));
    let line = line.context("a line is decided, but is not there")?;
    Ok(i128::from(decisions[line].new_limit) - i128::from(facts.lines.limit[line]))
}
