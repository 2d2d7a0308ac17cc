//! Cells of bundles while a leaf's rows are summed: each member's are taken out of them afterwards.

use std::ops::Range;

use crate::bins::{Bins, MISSING};

/// Cells of a bundle, one a code.
const CODES: usize = 256;

/// A column that is summed: a feature's own, or a bundle's, whose cells are apart.
pub(super) struct Sum {
    /// Of its tile in the panel.
    pub offset: usize,
    /// Of its byte in the words.
    pub shift: u32,
    /// Its cells, in the leaf's or in [`Bundles::cells`].
    pub lanes: Range<usize>,
    pub is_bundle: bool,
}

/// The bundles of a panel.
#[derive(Default)]
pub(super) struct Bundles {
    pub cells: Vec<i32>,
    /// By their cells' order.
    groups: Vec<usize>,
    /// The places in them that are summed.
    members: Vec<usize>,
}

impl Bundles {
    /// The columns that these places lie in, of a panel's tiles; bundles among them get cells of `width` lanes.
    pub(super) fn sort(&mut self, bins: &Bins, places: &[usize], tiles: Range<usize>, width: usize) -> Vec<Sum> {
        let mut sums = Vec::new();
        for &index in places {
            let place = &bins.places()[index];
            if !tiles.contains(&place.tile) {
                continue;
            }
            let (offset, shift) = (place.tile - tiles.start, place.shift);
            if place.member.is_none() {
                sums.push(Sum { offset, shift, lanes: place.own_lanes(width), is_bundle: false });
                continue;
            }
            self.members.push(index);
            if !self.groups.contains(&place.group) {
                let first = CODES * width * self.groups.len();
                sums.push(Sum { offset, shift, lanes: first..first + CODES * width, is_bundle: true });
                self.groups.push(place.group);
            }
        }
        self.cells.resize(CODES * width * self.groups.len(), 0);
        sums
    }

    /// Writes the sums of each place that is a member into its cells, (n_bins + 1) of `width` lanes, and forgets the bundles.
    pub(super) fn take_out(&mut self, bins: &Bins, width: usize, out: &mut [i32]) {
        let bundles = self.cells.chunks_exact(CODES * width);
        let totals: Vec<Vec<i32>> = bundles.map(|cells| sum(cells, width)).collect();
        for index in self.members.drain(..) {
            let place = &bins.places()[index];
            let at = self.groups.iter().position(|&group| group == place.group);
            let (Some(member), Some(at)) = (place.member, at) else { continue };
            let cells = &self.cells[at * CODES * width..];
            let out = &mut out[place.cells * width..][..(place.n_bins + 1) * width];
            let cell_of = |bin: u8| width * if bin == MISSING { place.n_bins } else { usize::from(bin) };
            let mut rest = totals[at].clone();
            for code in member.first..=member.first + (member.len - 1) {
                let vector = &cells[usize::from(code) * width..][..width];
                out[cell_of(member.bin(code))..][..width].copy_from_slice(vector);
                rest.iter_mut().zip(vector).for_each(|(rest, lane)| *rest = rest.wrapping_sub(*lane));
            }
            out[cell_of(member.default)..][..width].copy_from_slice(&rest);
        }
        self.cells.clear();
        self.groups.clear();
    }
}

fn sum(cells: &[i32], width: usize) -> Vec<i32> {
    let mut total = vec![0i32; width];
    for cell in cells.chunks_exact(width) {
        total.iter_mut().zip(cell).for_each(|(total, lane)| *total = total.wrapping_add(*lane));
    }
    total
}
