//! The raise budgets as one account meets them: who comes before it, and what they leave.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::input::lines::Lines;
use crate::job::{Action, Policy};
use crate::policy::{Decision, Purse, Refusal, decide_unbudgeted, over_budget};
use crate::run_dir::PublishedRun;
use crate::run_dir::rows::{self, AccountId};
use crate::score::Scores;

/// The raises of other accounts that compete for each budget.
pub struct Budgets {
    own: AccountId,
    queues: BTreeMap<Purse, RaiseQueue>,
}

/// The raises that one budget is for in the order in which they are granted, without those of the own
/// account.
struct RaiseQueue {
    /// Minor units.
    budget: i128,
    /// Of every raise, granted or not.
    places: Vec<QueuePosition>,
    /// What those before each place take up, as far as raises are granted; one more than are granted.
    spent: Vec<i128>,
}

/// Score, account and product: the order of raises.
type QueuePosition = (Reverse<i64>, AccountId, u8);

/// What a raise finds when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLeft {
    /// Minor units, of the whole run.
    pub budget: i128,
    /// What raises before it have taken; `None` where one of them did not fit, so that nothing is left.
    pub spent: Option<i128>,
}

impl BudgetLeft {
    /// Whether an increase of so many minor units is granted.
    pub fn grants(self, increase: i128) -> bool {
        self.spent.is_some_and(|spent| spent + increase <= self.budget)
    }
}

impl Budgets {
    /// Reads the raises of a run that compete for the budgets which raises of an account with lines of some
    /// products are granted from.
    pub fn read(run: &PublishedRun, own: &AccountId, products: &[&str]) -> Result<Budgets> {
        let policy = &run.job.policy;
        let held = |product: &u8| products.contains(&policy.products[usize::from(*product)].name.as_str());
        let mut contenders: BTreeMap<Purse, Vec<Contender>> = BTreeMap::new();
        for product in (0..policy.products.len()).map(|product| product as u8).filter(held) {
            let rules = policy.rules.iter().zip(0_u16..);
            let raises = rules.filter(|(rule, _)| rule.action == Action::Raise && rule.is_for(product));
            let purses = raises.filter_map(|(_, rule)| Purse::of(policy, product, rule));
            contenders.extend(purses.map(|purse| (purse, Vec::new())));
        }
        if contenders.is_empty() {
            return Ok(Budgets { own: own.clone(), queues: BTreeMap::new() });
        }
        read_contenders(run, own, &mut contenders)?;
        let queues = contenders.into_iter();
        let queues = queues.map(|(purse, contenders)| Ok((purse, line_up(run, purse, contenders)?)));
        Ok(Budgets { own: own.clone(), queues: queues.collect::<Result<_>>()? })
    }

    /// What a raise of the own account finds, were its score so; `own` is what its raises before have taken
    /// themselves (`None`: one of them did not fit). `None` where nothing bounds it.
    fn turn(&self, purse: Purse, product: u8, score: i32, own: Option<i128>) -> Option<BudgetLeft> {
        let queue = self.queues.get(&purse)?;
        let place = (Reverse(i64::from(score)), self.own.clone(), product);
        let before = queue.places.partition_point(|other| *other < place);
        let spent = queue.spent.get(before).zip(own).map(|(spent, own)| spent + own);
        Some(BudgetLeft { budget: queue.budget, spent })
    }

    /// Applies the budgets to the raises of the own account, which `lines` may hold many times over with one
    /// score each, and says what each raise found, by line.
    pub fn apply(
        &self,
        policy: &Policy,
        lines: &Lines,
        scores: &Scores,
        decisions: &mut [Decision],
    ) -> Vec<Option<(Purse, BudgetLeft)>> {
        let mut found = vec![None; decisions.len()];
        let raise = |line: usize| {
            let decision = &decisions[line];
            let product = policy.product(lines.product.get(line)?)?;
            let rule = decision.rule.filter(|_| decision.action == Action::Raise)?;
            Some((lines.account[line], Purse::of(policy, product, rule)?, product, line))
        };
        let mut raises: Vec<(u32, Purse, u8, usize)> = (0..decisions.len()).filter_map(raise).collect();
        raises.sort_unstable();
        for of_purse in raises.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let mut own = Some(0);
            for (account, purse, product, line) in of_purse {
                let score = scores.score[*account as usize];
                let Some(turn) = self.turn(*purse, *product, score, own) else { continue };
                found[*line] = Some((*purse, turn));
                let decision = &mut decisions[*line];
                let increase = i128::from(decision.new_limit) - i128::from(lines.limit[*line]);
                if turn.grants(increase) {
                    own = own.map(|own| own + increase);
                } else {
                    own = None;
                    *decision = over_budget(lines, *line, decision);
                }
            }
        }
        found
    }
}

/// Somebody else's raise.
struct Contender {
    place: QueuePosition,
    /// Minor units; `None` where it was refused for the budget, so that decisions do not say.
    increase: Option<i64>,
}

/// Adds the raises of other accounts to those of each budget.
fn read_contenders(
    run: &PublishedRun,
    own: &AccountId,
    contenders: &mut BTreeMap<Purse, Vec<Contender>>,
) -> Result<()> {
    let policy = &run.job.policy;
    let names = ["account_id", "product", "action", "reason", "rule", "old_limit", "new_limit", "score"];
    rows::for_batches(&run.directory, "decisions", &names, |rows| {
        let (action, reason) = (rows.texts("action")?, rows.texts("reason")?);
        let (old, new) = (rows.ints("old_limit")?, rows.ints("new_limit")?);
        let (product, score, rule) = (rows.texts("product")?, rows.ints("score")?, rows.texts("rule")?);
        let ids = rows.column("account_id")?;
        for row in 0..rows.len {
            let is_granted = action.get(row) == Some(Action::Raise.name());
            if !is_granted && reason.get(row) != Some(Refusal::Budget.name()) {
                continue;
            }
            let Some(product) = product.get(row).and_then(|name| policy.product(name)) else { continue };
            let rule = rule.get(row).and_then(|name| policy.rule(name));
            let rule = rule.context("a raise has a rule of the policy")?;
            let Some(purse) = Purse::of(policy, product, rule) else { continue };
            let account = AccountId::of(ids, row).context("a decision has no account")?;
            if let Some(list) = contenders.get_mut(&purse).filter(|_| account != *own) {
                let increase = is_granted.then(|| new.values[row] - old.values[row]);
                list.push(Contender { place: (Reverse(score.values[row]), account, product), increase });
            }
        }
        Ok(())
    })
}

/// Puts raises in order and adds them up until one does not fit.
fn line_up(run: &PublishedRun, purse: Purse, mut all: Vec<Contender>) -> Result<RaiseQueue> {
    let budget = run.budget(purse);
    all.sort_by(|a, b| a.place.cmp(&b.place));
    let mut spent = vec![0];
    for contender in &all {
        let increase = match contender.increase {
            Some(increase) => i128::from(increase),
            None => wanted(run, &contender.place)?,
        };
        let sum = spent.last().expect("it starts with one") + increase;
        if sum > budget {
            break;
        }
        spent.push(sum);
    }
    Ok(RaiseQueue { budget, places: all.into_iter().map(|contender| contender.place).collect(), spent })
}

/// What a raise that was refused for the budget would have added: its account is decided again.
fn wanted(run: &PublishedRun, (_, account, product): &QueuePosition) -> Result<i128> {
    let facts = run.account(&account.text())?.context("an account has decisions, but no features")?;
    let scores = facts.score(&run.job.scorecard, &facts.features, 1);
    let decisions = decide_unbudgeted(&run.job, run.manifest.as_of, &facts.lines, &facts.features, &scores);
    let product = &run.job.policy.products[usize::from(*product)].name;
    let line = (0..decisions.len()).find(|line| facts.lines.product.get(*line) == Some(product.as_str()));
    let line = line.context("a line is decided, but is not there")?;
    Ok(i128::from(decisions[line].new_limit) - i128::from(facts.lines.limit[line]))
}
