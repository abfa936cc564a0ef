//! What an operator may have meant: the known name nearest to a mistyped one, and listings of known names.

/// The candidate within a typo's distance of `name`, or else the first that has it as a part.
pub fn near_miss<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    const LEAST_PART: usize = 4;
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return None;
    }
    let limit = 1 + name.chars().count() / 4;
    let typo = candidates
        .clone()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    typo.or_else(|| {
        candidates.into_iter().find(|candidate| name.len() >= LEAST_PART && candidate.contains(name))
    })
}

/// Names for a help line, cut short where there are many.
pub fn listing<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST_NAMES: usize = 16;
    let names: Vec<&str> = names.collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
    }
}
