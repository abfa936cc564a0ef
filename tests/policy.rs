//! What the policy does, as tables that a risk analyst can read: a line of the book, a rule, and what
//! must come of it.

mod actions;
mod budget;
mod caps;
mod facts;
mod headroom;
mod issued;
mod refusals;
mod rule_budget;
mod table;
mod withdraw;
