//! The scores that an earlier run gave, by account of this one's book.

use anyhow::Result;

use super::accounts::{Accounts, OFF_BOOK};
use super::binding::Decoded;
use super::file::OpenFile;
use super::wanted::{Role, Units, Wanted};
use crate::expr::column::{Dictionary, NULL_CODE};
use crate::expr::{Column, Texts, Type};
use crate::job::InputSpec;
use crate::score::PreviousScores;

/// The columns to read; ids are of the book's type.
pub fn wanted(account_kind: Type) -> Vec<Wanted> {
    vec![
        Wanted::new("account_id", Role::Id).of(account_kind),
        Wanted::new("score", Role::Extra).of(Type::Int),
        Wanted::new("band", Role::Text),
    ]
}

/// Reads them; accounts that are new have none, and those that are gone are left out.
pub fn read(
    spec: &InputSpec,
    files: &[OpenFile],
    units: &Units,
    accounts: &Accounts,
) -> Result<PreviousScores> {
    let mut score = vec![None; accounts.len()];
    let mut codes = vec![NULL_CODE; accounts.len()];
    let mut bands = Dictionary::default();
    for file in files {
        let binding = file.bind(spec, &wanted(accounts.ids.kind()), units)?;
        for group in 0..file.row_groups.len() {
            file.read(&binding, group, |Decoded { columns, .. }| {
                let [account, Column::Int(scores), Column::Text(names)] = &columns[..] else {
                    unreachable!("read as wanted")
                };
                for (row, position) in accounts.positions(account).into_iter().enumerate() {
                    if position != OFF_BOOK {
                        score[position as usize] = scores.get(row).copied();
                        codes[position as usize] =
                            names.shared(row).map_or(NULL_CODE, |name| bands.code(&name));
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(PreviousScores { score, band: Texts { codes, dictionary: bands.into_names() } })
}
