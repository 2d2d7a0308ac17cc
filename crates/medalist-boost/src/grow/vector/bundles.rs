//! Cells of bundles while a leaf's rows are summed: each member's are taken out of them afterwards.

use std::ops::Range;

use super::Feature;
use crate::bins::{Bins, MISSING, Place};

/// Cells of a bundle, one a code.
const CODES: usize = 256;

/// What lies in one tile of the features that are summed: columns of their own, and bundles, whose cells are apart.
#[derive(Default)]
pub(super) struct TileFeatures {
    pub own: Vec<Feature>,
    pub bundles: Vec<Feature>,
}

impl TileFeatures {
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.bundles.is_empty()
    }
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
    /// Sorts the tiles' places among these into columns of their own and bundles, which get cells of `width` lanes.
    pub(super) fn sort(
        &mut self,
        bins: &Bins,
        places: &[usize],
        tiles: Range<usize>,
        width: usize,
    ) -> Vec<TileFeatures> {
        let mut sorted: Vec<TileFeatures> = tiles.clone().map(|_| TileFeatures::default()).collect();
        for &index in places {
            let Place { tile, shift, n_bins, cells, group, member, .. } = bins.places()[index];
            if !tiles.contains(&tile) {
                continue;
            }
            let sorted = &mut sorted[tile - tiles.start];
            if member.is_none() {
                sorted.own.push(Feature { shift, n_bins, cells });
                continue;
            }
            self.members.push(index);
            if !self.groups.contains(&group) {
                let cells = CODES * self.groups.len();
                sorted.bundles.push(Feature { shift, n_bins: CODES - 1, cells });
                self.groups.push(group);
            }
        }
        self.cells.resize(CODES * width * self.groups.len(), 0);
        sorted
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
