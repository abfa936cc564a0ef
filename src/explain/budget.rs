//! The raise budgets as one account meets them: whose raises come before its own, and what they leave.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::{Context, Error, Result};

use crate::input::lines::Lines;
use crate::job::{Action, Arm, DecisionColumn, Policy, Remit};
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
    ranks: Vec<RaiseRank>,
    /// What the raises before each one take, as far as they are granted; one more than are granted.
    spent: Vec<i128>,
}

/// In which order raises are granted: by score, then account, then product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RaiseRank {
    score: Reverse<i64>,
    account: AccountId,
    product: u8,
}

/// What a raise finds in its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLeft {
    /// Whose budget it is.
    pub purse: Purse,
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
    pub fn read(run: &PublishedRun, arm: Arm, own: &AccountId, products: &[&str]) -> Result<Budgets> {
        let remit = run.job.remit_of(arm);
        let policy = remit.policy;
        let mut contenders: BTreeMap<Purse, Vec<Contender>> = BTreeMap::new();
        for (number, product) in policy.products.iter().enumerate() {
            if !products.contains(&product.name.as_str()) {
                continue;
            }
            let product = number as u8;
            let rules = policy.rules.iter().zip(0_u16..);
            let raises = rules.filter(|(rule, _)| rule.action == Action::Raise && rule.is_for(product));
            let purses = raises.filter_map(|(_, rule)| Purse::of(policy, product, rule));
            contenders.extend(purses.map(|purse| (purse, Vec::new())));
        }
        if contenders.is_empty() {
            return Ok(Budgets { own: own.clone(), queues: BTreeMap::new() });
        }
        read_contenders(run, &remit, own, &mut contenders)?;
        let queues = contenders.into_iter();
        let queues = queues.map(|(purse, contenders)| Ok((purse, line_up(run, arm, purse, contenders)?)));
        Ok(Budgets { own: own.clone(), queues: queues.collect::<Result<_>>()? })
    }

    /// What a raise of the own account finds with some score; `own` is what its own raises before have taken
    /// (`None`: one of them did not fit). `None` where nothing bounds it.
    fn left_for(&self, raise: &OwnRaise, score: i32, own: Option<i128>) -> Option<BudgetLeft> {
        let queue = self.queues.get(&raise.purse)?;
        let rank =
            RaiseRank { score: Reverse(i64::from(score)), account: self.own.clone(), product: raise.product };
        let before = queue.ranks.partition_point(|other| *other < rank);
        let spent = queue.spent.get(before).zip(own).map(|(spent, own)| spent + own);
        Some(BudgetLeft { purse: raise.purse, budget: queue.budget, spent })
    }

    /// Applies the budgets to the raises of the own account, which `lines` may hold many times over with one
    /// score each, and says what each raise found, by line.
    pub fn apply(
        &self,
        policy: &Policy,
        lines: &Lines,
        scores: &Scores,
        decisions: &mut [Decision],
    ) -> Vec<Option<BudgetLeft>> {
        let mut found = vec![None; decisions.len()];
        let raises = decisions.iter().enumerate();
        let mut raises: Vec<OwnRaise> =
            raises.filter_map(|(line, decision)| OwnRaise::of(policy, lines, line, decision)).collect();
        raises.sort_unstable();
        for of_purse in raises.chunk_by(|a, b| (a.account, a.purse) == (b.account, b.purse)) {
            let mut own = Some(0);
            for raise in of_purse {
                let score = scores.score[raise.account as usize];
                let Some(left) = self.left_for(raise, score, own) else { continue };
                found[raise.line] = Some(left);
                let decision = &mut decisions[raise.line];
                let increase = i128::from(decision.new_limit) - i128::from(lines.limit[raise.line]);
                if left.grants(increase) {
                    own = own.map(|own| own + increase);
                } else {
                    own = None;
                    *decision = over_budget(lines, raise.line, decision);
                }
            }
        }
        found
    }
}

/// A raise of the own account; those of one budget come in the order in which they are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct OwnRaise {
    /// Which of the repeated accounts.
    account: u32,
    purse: Purse,
    product: u8,
    line: usize,
}

impl OwnRaise {
    /// What a decision raises; `None` where it is no raise, or where no budget is for it.
    fn of(policy: &Policy, lines: &Lines, line: usize, decision: &Decision) -> Option<OwnRaise> {
        let product = policy.product(lines.product.get(line)?)?;
        let rule = decision.rule.filter(|_| decision.action == Action::Raise)?;
        let purse = Purse::of(policy, product, rule)?;
        Some(OwnRaise { account: lines.account[line], purse, product, line })
    }
}

/// The raise of another account.
struct Contender {
    rank: RaiseRank,
    /// Minor units; `None` where it was refused for the budget, so that decisions do not say.
    increase: Option<i64>,
}

/// Adds the raises of other accounts to those of each budget.
fn read_contenders(
    run: &PublishedRun,
    remit: &Remit,
    own: &AccountId,
    contenders: &mut BTreeMap<Purse, Vec<Contender>>,
) -> Result<()> {
    let policy = remit.policy;
    let mut names =
        vec!["account_id", "product", "action", "reason", "rule", "old_limit", "new_limit", "score"];
    names.extend(remit.arm.map(|_| DecisionColumn::Arm.name()));
    rows::for_batches(&run.directory, "decisions", &names, |rows| {
        let arm = remit
            .arm
            .map(|arm| Ok::<_, Error>((arm, rows.texts(DecisionColumn::Arm.name())?)))
            .transpose()?;
        let (action, reason) = (rows.texts("action")?, rows.texts("reason")?);
        let (old, new) = (rows.ints("old_limit")?, rows.ints("new_limit")?);
        let (product, score, rule) = (rows.texts("product")?, rows.ints("score")?, rows.texts("rule")?);
        let ids = rows.column("account_id")?;
        for row in 0..rows.len {
            let is_granted = action.get(row) == Some(Action::Raise.name());
            let is_of_policy = arm.is_none_or(|(arm, arms)| arms.get(row) == Some(arm.name()));
            if !is_of_policy || !is_granted && reason.get(row) != Some(Refusal::Budget.name()) {
                continue;
            }
            let Some(product) = product.get(row).and_then(|name| policy.product(name)) else { continue };
            let rule = rule.get(row).and_then(|name| policy.rule(name));
            let rule = rule.context("a raise has a rule of the policy")?;
            let Some(purse) = Purse::of(policy, product, rule) else { continue };
            let account = AccountId::of(ids, row).context("a decision has no account")?;
            if let Some(list) = contenders.get_mut(&purse).filter(|_| account != *own) {
                let increase = is_granted.then(|| new.values[row] - old.values[row]);
                let rank = RaiseRank { score: Reverse(score.values[row]), account, product };
                list.push(Contender { rank, increase });
            }
        }
        Ok(())
    })
}

/// Puts raises in order and adds them up until one does not fit.
fn line_up(run: &PublishedRun, arm: Arm, purse: Purse, mut all: Vec<Contender>) -> Result<RaiseQueue> {
    let budget = run.budget(arm, purse);
    all.sort_by(|a, b| a.rank.cmp(&b.rank));
    let mut spent = vec![0];
    for contender in &all {
        let increase = match contender.increase {
            Some(increase) => i128::from(increase),
            None => refused_increase(run, &contender.rank)?,
        };
        let sum = spent.last().expect("it starts with one") + increase;
        if sum > budget {
            break;
        }
        spent.push(sum);
    }
    Ok(RaiseQueue { budget, ranks: all.into_iter().map(|contender| contender.rank).collect(), spent })
}

/// What a raise that was refused for the budget would have added: its account is decided again.
fn refused_increase(run: &PublishedRun, rank: &RaiseRank) -> Result<i128> {
    let facts = run.account(&rank.account.text())?.context("an account has decisions, but no features")?;
    let assignment = run.assignment_of(&facts);
    let job = run.job.decided_by(assignment.arm(0), assignment.segment(0));
    let scores = facts.score(&job.scorecard, &facts.features, 1);
    let decisions = decide_unbudgeted(&job, run.manifest.as_of, &facts.lines, &facts.features, &scores);
    let product = &job.policy.products[usize::from(rank.product)].name;
    let line = (0..decisions.len()).find(|line| facts.lines.product.get(*line) == Some(product.as_str()));
    let line = line.context("a line is decided, but is not there")?;
    Ok(i128::from(decisions[line].new_limit) - i128::from(facts.lines.limit[line]))
}
