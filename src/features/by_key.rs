//! Items put in order of a small key by counting how many have each.

/// Items in order of their key.
#[derive(Debug, Default)]
pub struct ByKey<T> {
    items: Vec<T>,
    /// By key, behind the last item that has it.
    ends: Vec<usize>,
}

impl<T: Copy + Default> ByKey<T> {
    /// Puts items in place of what there is; those of one key, of which there are so many, stay as they were.
    pub fn fill(&mut self, items: &[T], keys: usize, key: impl Fn(&T) -> usize) {
        let ByKey { items: sorted, ends } = self;
        ends.clear();
        ends.resize(keys + 1, 0);
        items.iter().for_each(|item| ends[key(item) + 1] += 1);
        (1..=keys).for_each(|key| ends[key] += ends[key - 1]);
        sorted.resize(items.len(), T::default());
        for item in items {
            let end = &mut ends[key(item)];
            sorted[*end] = *item;
            *end += 1;
        }
        ends.truncate(keys);
    }

    /// Calls `each` with every key that some items have, and these.
    pub fn each(&mut self, mut each: impl FnMut(usize, &mut [T])) {
        let mut start = 0;
        for (key, end) in self.ends.iter().enumerate() {
            if start < *end {
                each(key, &mut self.items[start..*end]);
            }
            start = *end;
        }
    }
}
