//! Cells of bundles while a leaf's rows are summed: each member's are taken out of them afterwards.

use super::Feature;
use crate::bins::{MISSING, Place};

/// Cells of a bundle, one a code.
const CODES: usize = 256;

/// What lies in one tile of the features that are summed: columns of their own, and bundles, whose cells are apart.
#[derive(Default)]
pub(super) struct TileFeatures {
    pub own: Vec<Feature>,
    pub bundles: Vec<Feature>,
}

/// The bundles of a panel.
#[derive(Default)]
pub(super) struct Bundles {
    pub cells: Vec<i32>,
    /// By their cells' order.
    groups: Vec<usize>,
}

impl Bundles {
    /// Sorts a tile's places into columns of their own and bundles, which get cells of `width` lanes.
    pub(super) fn sort<'a>(&mut self, places: impl Iterator<Item = &'a Place>, width: usize) -> TileFeatures {
        let mut tile = TileFeatures::default();
        for place in places {
            let Place { shift, n_bins, cells, group, .. } = *place;
            if place.member.is_none() {
                tile.own.push(Feature { shift, n_bins, cells });
            } else if !self.groups.contains(&group) {
                let cells = CODES * self.groups.len();
                tile.bundles.push(Feature { shift, n_bins: CODES - 1, cells });
                self.groups.push(group);
            }
        }
        self.cells.resize(CODES * width * self.groups.len(), 0);
        tile
    }

    /// Writes the sums of each place that is a member into its cells, (n_bins + 1) of `width` lanes, and forgets the bundles.
    pub(super) fn take_out<'a>(&mut self, places: impl Iterator<Item = &'a Place>, width: usize, out: &mut [i32]) {
        let bundles = self.cells.chunks_exact(CODES * width);
        let totals: Vec<Vec<i32>> = bundles.clone().map(|cells| sum(cells, width)).collect();
        for place in places {
            let (Some(member), Some(at)) = (place.member, self.groups.iter().position(|&group| group == place.group))
            else {
                continue;
            };
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
