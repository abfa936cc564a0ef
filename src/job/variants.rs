//! Scorecards and policies besides the job's own: those of segments, and a challenger's for a share of the accounts.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::columns::{ARM_COLUMNS, SCORE_COLUMNS, SEGMENT_COLUMNS};
use super::decision_column::DecisionColumn;
use super::policy_file::Policy;
use super::reader::Reader;
use super::scopes::Scopes;
use super::scorecard_file::Scorecard;
use super::written_path::{Variables, expand};
use crate::expr::Expr;

/// The scorecards and policies of a job besides its own.
#[derive(Debug, Clone, Default)]
pub struct Variants {
    /// The first whose condition is true of an account is the account's.
    pub segments: Vec<Segment>,
    /// What is tried on a share of the accounts.
    pub challenger: Option<Challenger>,
}

impl Variants {
    /// Whether there is nothing but the job's own scorecard and policy.
    pub fn is_none(&self) -> bool {
        self.segments.is_empty() && self.challenger.is_none()
    }
}

/// Accounts that a scorecard of their own scores.
#[derive(Debug, Clone)]
pub struct Segment {
    /// As scores call it.
    pub name: String,
    /// Over the features of the job's own scorecard, which are the first of the job's.
    pub when: Expr,
    /// Theirs.
    pub scorecard: Scorecard,
}

/// Another scorecard, another policy, or both, for a share of the accounts.
#[derive(Debug, Clone)]
pub struct Challenger {
    /// Instead of the job's own and those of its segments.
    pub scorecard: Option<Scorecard>,
    /// Instead of the job's own.
    pub policy: Option<Policy>,
    /// Of all accounts, basis points.
    pub share_bp: u64,
    /// What the share is drawn with.
    pub salt: String,
}

/// Which of two ways decides about an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// The job's own.
    #[default]
    Champion,
    /// What is tried.
    Challenger,
}

impl Arm {
    /// Both of them.
    pub const ALL: [Arm; 2] = [Arm::Champion, Arm::Challenger];

    /// As tables write it.
    pub fn name(self) -> &'static str {
        match self {
            Arm::Champion => "champion",
            Arm::Challenger => "challenger",
        }
    }
}

/// The tables `[challenger]` and `[[segment]]` of a job file.
#[derive(Default)]
pub(super) struct RawVariants {
    pub segments: Vec<RawSegment>,
    pub challenger: Option<Spanned<RawChallenger>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSegment {
    pub name: Spanned<String>,
    pub when: Spanned<String>,
    pub scorecard: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChallenger {
    pub scorecard: Option<Spanned<String>>,
    pub policy: Option<Spanned<String>>,
    pub share_bp: Spanned<u64>,
    pub salt: Spanned<String>,
}

/// Their scorecards are numbered in a byte.
const MOST_SEGMENTS: usize = 200;

/// All accounts, in basis points.
pub(super) const ALL_BP: u64 = 10_000;

impl RawVariants {
    /// Takes them out of the job file.
    pub(super) fn take<'a>(
        reader: &mut Reader<'a>,
        top: &mut Spanned<DeTable<'a>>,
        variables: Variables,
    ) -> RawVariants {
        let tables = reader.tables(top, "segment", MOST_SEGMENTS);
        let mut segments: Vec<RawSegment> = Vec::new();
        for table in tables {
            let Some(segment) = reader.take::<RawSegment>(table) else { continue };
            let mut segment = segment.into_inner();
            let name = &segment.name;
            if !is_segment_name(name.get_ref()) {
                let message = format!("`{}` is no name of a segment", name.get_ref());
                let help = "it names a file, too: lower-case letters, digits and _, at most 64; not none, own, challenger";
                reader.error(name.span(), message, Some(help.into()));
            }
            if segments.iter().any(|known| known.name.get_ref() == name.get_ref()) {
                reader.error(name.span(), format!("there are two segments `{}`", name.get_ref()), None);
            }
            expand_path(reader, variables, &mut segment.scorecard);
            segments.push(segment);
        }
        let mut challenger = reader.take_key::<RawChallenger>(top, "challenger");
        if let Some(challenger) = &mut challenger {
            check_challenger(reader, challenger);
            let RawChallenger { scorecard, policy, .. } = challenger.get_mut();
            scorecard.iter_mut().chain(policy).for_each(|path| expand_path(reader, variables, path));
        }
        RawVariants { segments, challenger }
    }

    /// The files that they name, by the names under which a run keeps them, and where the job file names them.
    pub(super) fn files(&self) -> Vec<(String, &Spanned<String>)> {
        let of_segments = self.segments.iter().map(|one| (segment_file(one.name.get_ref()), &one.scorecard));
        let challenger = self.challenger.iter().flat_map(|challenger| {
            let RawChallenger { scorecard, policy, .. } = challenger.get_ref();
            let named = [(CHALLENGER_SCORECARD, scorecard), (CHALLENGER_POLICY, policy)];
            named.into_iter().filter_map(|(name, path)| Some((name.to_string(), path.as_ref()?)))
        });
        of_segments.chain(challenger).collect()
    }
}

impl RawVariants {
    /// Adds what scores say besides to the scopes of gates; rules do not see it. Decisions keep the arm.
    pub(super) fn add_names_to(&self, reader: &mut Reader, scopes: &mut Scopes, policy: &mut Policy) {
        let segments = self.segments.first().map(|segment| (segment.name.span(), &SEGMENT_COLUMNS[..]));
        let challenger = self.challenger.as_ref().map(|one| (one.span(), &ARM_COLUMNS[..]));
        // Behind what is known of every score, before dimensions and features.
        let mut position = SCORE_COLUMNS.len();
        for (place, columns) in segments.into_iter().chain(challenger) {
            for (name, kind) in columns {
                let is_extra = policy.extra_columns.iter().any(|slot| scopes.lines.columns[*slot].0 == *name);
                if is_extra || scopes.scores.find(name).is_some() {
                    let message = format!(
                        "the scores of this job have a column `{name}`, and something else has the name, too"
                    );
                    let help = "give the dimension, the feature or the lines' own column another name";
                    reader.error(place.clone(), message, Some(help.into()));
                }
                scopes.scores.columns.insert(position, (name.to_string(), *kind));
                position += 1;
            }
        }
        if self.challenger.is_some() {
            policy.kept_columns.push(DecisionColumn::Arm);
        }
    }
}

/// The name under which a run keeps the challenger's scorecard.
pub const CHALLENGER_SCORECARD: &str = "challenger_scorecard.toml";

/// The name under which a run keeps the challenger's policy.
pub const CHALLENGER_POLICY: &str = "challenger_policy.toml";

/// The name under which a run keeps a segment's scorecard.
pub fn segment_file(name: &str) -> String {
    format!("segment_{name}.toml")
}

fn is_segment_name(name: &str) -> bool {
    const MOST_CHARACTERS: usize = 64;
    // Other scorecards, and the accounts of no segment, are called so.
    if ["none", "own", Arm::Challenger.name()].contains(&name) {
        return false;
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MOST_CHARACTERS).contains(&name.len()) && name.bytes().all(is_plain)
}

fn check_challenger(reader: &mut Reader, challenger: &Spanned<RawChallenger>) {
    let RawChallenger { scorecard, policy, share_bp, salt } = challenger.get_ref();
    if scorecard.is_none() && policy.is_none() {
        let message = "the challenger names neither a scorecard nor a policy: nothing is tried";
        reader.error(challenger.span(), message, None);
    }
    if *share_bp.get_ref() > ALL_BP {
        let message = format!("share_bp is in basis points: at most {ALL_BP}");
        reader.error(share_bp.span(), message, None);
    }
    if salt.get_ref().is_empty() {
        let help = "any text will do, such as the quarter; another one draws other accounts";
        reader.error(salt.span(), "the salt is empty", Some(help.into()));
    }
}

fn expand_path(reader: &mut Reader, variables: Variables, path: &mut Spanned<String>) {
    if let Some(expanded) = expand(reader, variables, path) {
        *path = Spanned::new(path.span(), expanded);
    }
}

/// Where `name = "…"` of one of a job file's tables stands.
pub(super) fn place_of(text: &str, table: &str, name: &str) -> Range<usize> {
    let (top, _) = DeTable::parse_recoverable(text);
    let Some(DeValue::Array(items)) = top.get_ref().get(table).map(Spanned::get_ref) else { return 0..0 };
    let named = items.iter().find_map(|item| {
        let found = item.get_ref().get("name")?;
        (found.get_ref().as_str() == Some(name)).then(|| found.span())
    });
    named.unwrap_or(0..0)
}
