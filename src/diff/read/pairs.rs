//! Rows of two sides paired by key, and the runs of pairs that follow each other on both sides.

/// In a pair: the side has no such row.
pub const NONE: u32 = u32::MAX;

/// Rows of two sides side by side; [`NONE`] where a side has none.
#[derive(Debug, Default, Clone)]
pub struct Pairs {
    /// Rows on the left.
    pub left: Vec<u32>,
    /// Rows on the right.
    pub right: Vec<u32>,
    /// The pairs that have both rows, in order.
    pub spans: Vec<Span>,
}

/// Pairs that follow each other on both sides.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The first pair.
    pub pair: usize,
    /// Its row on the left.
    pub left: usize,
    /// Its row on the right.
    pub right: usize,
    /// How many there are.
    pub len: usize,
}

impl Span {
    /// The values on the left.
    pub fn of_left<'v, T>(&self, values: &'v [T]) -> &'v [T] {
        &values[self.left..self.left + self.len]
    }

    /// The values on the right.
    pub fn of_right<'v, T>(&self, values: &'v [T]) -> &'v [T] {
        &values[self.right..self.right + self.len]
    }

    /// Its pairs' part of a mask.
    pub fn of_mask<'m>(&self, mask: &'m mut [bool]) -> &'m mut [bool] {
        &mut mask[self.pair..self.pair + self.len]
    }
}

impl Pairs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Adds one.
    pub fn push(&mut self, left: u32, right: u32) {
        let pair = self.len();
        self.left.push(left);
        self.right.push(right);
        if left == NONE || right == NONE {
            return;
        }
        let (left, right) = (left as usize, right as usize);
        match self.spans.last_mut() {
            Some(span)
                if (span.pair + span.len, span.left + span.len, span.right + span.len)
                    == (pair, left, right) =>
            {
                span.len += 1;
            }
            _ => self.spans.push(Span { pair, left, right, len: 1 }),
        }
    }

    /// Both rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.left.iter().copied().zip(self.right.iter().copied())
    }

    /// By pair, whether it has both rows and they pass.
    pub fn both(&self, passes: impl Fn(usize, usize) -> bool) -> Vec<bool> {
        let mut mask = vec![false; self.len()];
        for span in &self.spans {
            for (offset, mask) in span.of_mask(&mut mask).iter_mut().enumerate() {
                *mask = passes(span.left + offset, span.right + offset);
            }
        }
        mask
    }

    /// By pair, whether it has both rows and their values are not the same.
    pub fn unequal<T: PartialEq>(&self, left: &[T], right: &[T]) -> Vec<bool> {
        let mut mask = vec![false; self.len()];
        for span in &self.spans {
            let (left, right) = (span.of_left(left), span.of_right(right));
            if left != right {
                let mask = span.of_mask(&mut mask).iter_mut();
                mask.zip(left.iter().zip(right)).for_each(|(mask, (a, b))| *mask = a != b);
            }
        }
        mask
    }

    /// The rows of the pairs that have both.
    pub fn matched(&self) -> impl Iterator<Item = (usize, usize)> + Clone {
        self.spans
            .iter()
            .flat_map(|span| (0..span.len).map(|offset| (span.left + offset, span.right + offset)))
    }

    /// The pairs for which `keep` is true.
    pub fn filter(&self, keep: &[bool]) -> Pairs {
        self.iter().zip(keep).filter(|(_, keep)| **keep).map(|(pair, _)| pair).collect()
    }
}

impl FromIterator<(u32, u32)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(pairs: I) -> Pairs {
        let mut collected = Pairs::default();
        pairs.into_iter().for_each(|(left, right)| collected.push(left, right));
        collected
    }
}

/// Where a mask is true, in order. Masks are mostly false, so eight at a time are looked at as one number.
pub fn true_positions(mask: &[bool]) -> impl Iterator<Item = usize> {
    let (strides, rest) = mask.as_chunks::<8>();
    let first_of_rest = mask.len() - rest.len();
    let in_rest = rest.iter().enumerate().filter(|(_, is_true)| **is_true);
    strides
        .iter()
        .enumerate()
        .flat_map(|(number, stride)| true_bytes(stride).map(move |position| 8 * number + position))
        .chain(in_rest.map(move |(position, _)| first_of_rest + position))
}

/// Where a stride of a mask is true.
fn true_bytes(stride: &[bool; 8]) -> impl Iterator<Item = usize> + use<> {
    // A true byte is 1, so its lowest bit is the only one set.
    let mut bits = u64::from_le_bytes(stride.map(u8::from));
    std::iter::from_fn(move || {
        let position = bits.trailing_zeros() as usize / 8;
        bits &= bits.wrapping_sub(1);
        (position < 8).then_some(position)
    })
}
