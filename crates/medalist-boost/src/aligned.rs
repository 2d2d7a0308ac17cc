//! Lists that begin at a cache line, so that what is read of them together lies in as few lines as can be.

use std::ops::{Deref, DerefMut};

const LINE: usize = 64;

#[derive(Debug)]
pub(crate) struct Aligned<T> {
    values: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// So many values, as they are by default.
    pub(crate) fn new(length: usize) -> Self {
        let spare = LINE / size_of::<T>();
        let values = vec![T::default(); length + spare];
        let start = values.as_ptr().align_offset(LINE).min(spare);
        Aligned { values, start, length }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.start..self.start + self.length]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.length]
    }
}

impl<T> Default for Aligned<T> {
    fn default() -> Self {
        Aligned { values: Vec::new(), start: 0, length: 0 }
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        let mut clone = Aligned::new(self.length);
        clone.copy_from_slice(self);
        clone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_at_a_line_as_a_copy_too() {
        for length in [0, 1, 7, 1000] {
            let mut list: Aligned<[f32; 2]> = Aligned::new(length);
            list.iter_mut().enumerate().for_each(|(i, value)| *value = [i as f32, 1.0]);
            let copy = list.clone();
            assert_eq!((list.len(), &list[..]), (length, &copy[..]));
            assert!([list, copy].iter().all(|list| list.as_ptr().addr().is_multiple_of(LINE)));
        }
    }
}
