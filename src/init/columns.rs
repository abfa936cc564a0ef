//! Which column of a file is which of the contract: said, of the same name, guessed by name and type, or asked for.

use std::collections::BTreeMap;

use anyhow::Result;
use arrow_schema::DataType;

use super::names::{meaning, nearness};
use crate::failure::{Kind, failure};
use crate::input::wanted::Role;
use crate::job::OPTIONAL_LINE_COLUMNS;
use crate::job::input_names::{LINES, REPAYMENTS, TRANSACTIONS};
use crate::suggest::near_miss;

/// The columns of an input and what each is to the contract.
pub(super) fn contract(input: &str) -> Vec<(&'static str, Role)> {
    use Role::{Date, Id, Money, Text};
    match input {
        TRANSACTIONS => vec![("account_id", Id), ("posted_on", Date), ("amount", Money)],
        REPAYMENTS => vec![
            ("account_id", Id),
            ("product", Text),
            ("bill_id", Id),
            ("due_on", Date),
            ("due_amount", Money),
            ("paid_on", Date),
            ("paid_amount", Money),
        ],
        _ => vec![
            ("account_id", Id),
            ("product", Text),
            ("credit_limit", Money),
            ("balance", Money),
            ("status", Text),
            ("opened_on", Date),
            ("increased_on", Date),
            ("decreased_on", Date),
            ("status_since", Date),
            ("status_reason", Text),
        ],
    }
}

/// A column of a file.
#[derive(Debug, Clone)]
pub(super) struct ShownColumn {
    /// As the file has it.
    pub name: String,
    /// As the file has it.
    pub kind: DataType,
    /// As an operator would call it.
    pub type_name: String,
}

/// How a column was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// `--map` says so.
    Said,
    /// It has the name of the contract.
    SameName,
    /// Its name says the same in other words.
    OtherName,
    /// No other column has the type.
    OnlyOfType,
}

/// A column of the contract, found in a file.
#[derive(Debug, Clone)]
pub struct FoundColumn {
    /// Which input.
    pub input: &'static str,
    /// The contract's name.
    pub column: &'static str,
    /// The file's.
    pub name: String,
    /// Its type, as an operator would call it.
    pub type_name: String,
    /// How it was found.
    pub by: FoundBy,
    /// Other columns that it might have been.
    pub passed_over: Vec<String>,
    /// As the file has it.
    pub(super) kind: DataType,
    pub(super) role: Role,
}

/// `--map` as it was given: `[input.]column=name`.
#[derive(Debug, Clone)]
pub struct Mapping {
    input: Option<String>,
    column: String,
    name: String,
}

impl Mapping {
    /// Takes `account_id=CustNo` or `lines.account_id=CustNo` apart.
    pub fn parse(text: &str) -> Result<Mapping, String> {
        let example = "it is written account_id=CustNo, or lines.account_id=CustNo";
        let (key, name) = text.split_once('=').ok_or(example)?;
        let (input, column) = match key.split_once('.') {
            Some((input, column)) => (Some(input.to_string()), column),
            None => (None, key),
        };
        let inputs = [TRANSACTIONS, REPAYMENTS, LINES];
        if let Some(input) = input.as_deref().filter(|input| !inputs.contains(input)) {
            return Err(format!("there is no input `{input}`: {}", inputs.join(", ")));
        }
        let of = inputs.into_iter().filter(|known| input.as_deref().is_none_or(|input| input == *known));
        let known: Vec<&str> = of.flat_map(contract).map(|(column, _)| column).collect();
        if !known.contains(&column) {
            let near = near_miss(column, known.iter().copied());
            let help = near.map_or_else(|| example.to_string(), |near| format!("did you mean `{near}`?"));
            return Err(format!("there is no column `{column}` here: {help}"));
        }
        Ok(Mapping { input, column: column.to_string(), name: name.to_string() })
    }
}

/// What a role takes, for who is told that a column is none.
fn fix(role: Role) -> &'static str {
    match role {
        Role::Id => "ids are integers or text",
        Role::Money => "money is integer minor units or Decimal, never a float",
        Role::Date => "dates are Date32 or Timestamp",
        Role::Text | Role::Extra => "it must be text",
    }
}

/// Whether a column of a type can be read in a role; instants are, once the job names a time zone.
fn fits(role: Role, kind: &DataType) -> bool {
    let is_text =
        matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary);
    match role {
        _ if *kind == DataType::Null => true,
        Role::Id => kind.is_integer() || is_text,
        Role::Money => {
            kind.is_integer() || matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..))
        }
        Role::Date => matches!(kind, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)),
        Role::Text | Role::Extra => is_text,
    }
}

/// Finds the columns of the contract among those of a file. What cannot be told is added to `questions`.
pub(super) fn find(
    input: &'static str,
    columns: &[ShownColumn],
    mappings: &[Mapping],
    questions: &mut Vec<String>,
) -> Result<Vec<FoundColumn>> {
    let mut found = Vec::new();
    for (column, role) in contract(input) {
        let searched = Search { input, column, role, columns };
        if let Some(one) = searched.run(mappings, questions)? {
            found.push(one);
        }
    }
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for one in &found {
        if let Some(other) = taken.insert(&one.name, one.column) {
            questions.push(format!(
                "{input}: `{}` would be both {other} and {}: say --map {input}.{}=COLUMN for one of them",
                one.name, one.column, one.column
            ));
        }
    }
    Ok(found)
}

/// A column of the contract that is looked for.
struct Search<'a> {
    input: &'static str,
    column: &'static str,
    role: Role,
    columns: &'a [ShownColumn],
}

impl Search<'_> {
    fn run(&self, mappings: &[Mapping], questions: &mut Vec<String>) -> Result<Option<FoundColumn>> {
        let is_own = |mapping: &&Mapping| {
            mapping.column == self.column && mapping.input.as_deref().is_none_or(|input| input == self.input)
        };
        // What is said of the input goes before what is said of all.
        let mut said = mappings.iter().filter(is_own);
        let said = said.clone().find(|mapping| mapping.input.is_some()).or_else(|| said.next());
        if let Some(mapping) = said {
            return self.said(mapping, questions);
        }
        if let Some(same) = self.columns.iter().find(|column| column.name == self.column) {
            return Ok(self.checked(same, FoundBy::SameName, Vec::new(), questions));
        }
        let near = |column: &&ShownColumn| nearness(self.input, self.column, &column.name);
        let mut candidates: Vec<&ShownColumn> =
            self.columns.iter().filter(|column| near(column).is_some()).collect();
        candidates.sort_by_key(near);
        let Some(nearest) = candidates.first().and_then(near) else {
            return Ok(self.by_type(questions));
        };
        let (nearest, farther): (Vec<&ShownColumn>, Vec<&ShownColumn>) =
            candidates.into_iter().partition(|column| near(column) == Some(nearest));
        if let [one] = nearest[..] {
            let farther = farther.iter().map(|column| column.name.clone()).collect();
            return Ok(self.checked(one, FoundBy::OtherName, farther, questions));
        }
        let names: Vec<String> =
            nearest.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
        if !self.is_optional() {
            questions.push(format!("{}, one of {}: {}", self.which(), names.join(", "), self.how_to_say()));
        }
        Ok(None)
    }

    fn said(&self, mapping: &Mapping, questions: &mut Vec<String>) -> Result<Option<FoundColumn>> {
        let found = self.columns.iter().find(|column| column.name == mapping.name);
        match found {
            Some(column) => Ok(self.checked(column, FoundBy::Said, Vec::new(), questions)),
            // One name for all inputs need not be in each.
            None if mapping.input.is_none()
                && self.columns.iter().any(|column| column.name == self.column) =>
            {
                let same = self.columns.iter().find(|column| column.name == self.column);
                Ok(same.and_then(|same| self.checked(same, FoundBy::SameName, Vec::new(), questions)))
            }
            None => {
                let names = self.columns.iter().map(|column| column.name.as_str());
                let help = match near_miss(&mapping.name, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", self.listing()),
                };
                let message = format!("--map: {} has no column `{}`: {help}", self.input, mapping.name);
                Err(failure(Kind::Usage, message))
            }
        }
    }

    /// A column that nothing is called, where one alone has the type: dates and amounts of transactions.
    fn by_type(&self, questions: &mut Vec<String>) -> Option<FoundColumn> {
        let is_sought = |column: &&ShownColumn| match (self.input, self.column) {
            (TRANSACTIONS, "posted_on") => fits(Role::Date, &column.kind) && column.kind != DataType::Null,
            (TRANSACTIONS, "amount") => {
                matches!(column.kind, DataType::Decimal128(..) | DataType::Decimal256(..))
            }
            _ => false,
        };
        let of_type: Vec<&ShownColumn> = self.columns.iter().filter(is_sought).collect();
        if let [one] = of_type[..] {
            return self.checked(one, FoundBy::OnlyOfType, Vec::new(), questions);
        }
        if !self.is_optional() {
            questions.push(format!("{}; it has {}: {}", self.which(), self.listing(), self.how_to_say()));
        }
        None
    }

    /// The column, if its type will do; what is wrong with it is a question.
    fn checked(
        &self,
        column: &ShownColumn,
        by: FoundBy,
        passed_over: Vec<String>,
        questions: &mut Vec<String>,
    ) -> Option<FoundColumn> {
        if !fits(self.role, &column.kind) {
            let ShownColumn { name, type_name, .. } = column;
            let (input, wanted) = (self.input, self.column);
            questions.push(format!(
                "{input}: `{name}`, which would be {wanted}, is {type_name}; {}: cast it upstream, or say --map \
                 {input}.{wanted}=COLUMN",
                fix(self.role)
            ));
            return None;
        }
        Some(FoundColumn {
            input: self.input,
            column: self.column,
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            by,
            passed_over,
            kind: column.kind.clone(),
            role: self.role,
        })
    }

    fn is_optional(&self) -> bool {
        self.input == LINES && OPTIONAL_LINE_COLUMNS.contains(&self.column)
    }

    fn which(&self) -> String {
        format!("{}: which column is {} ({})", self.input, self.column, meaning(self.input, self.column))
    }

    fn how_to_say(&self) -> String {
        format!("say --map {}.{}=COLUMN", self.input, self.column)
    }

    fn listing(&self) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
        columns.join(", ")
    }
}
