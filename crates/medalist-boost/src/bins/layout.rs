//! Where bins lie: columns of a byte a row, and the same bytes eight to a word.

use std::ops::Range;

use rayon::prelude::*;

use super::bundle::Member;
use super::lookup::put_bytes;
use super::{Bins, ROWS_A_BLOCK};
use crate::aligned::Aligned;
use crate::kernel::Level;
use crate::kernel::histogram::TILES;
use crate::split::Condition;

/// A feature that varies, and where its bins lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Among the columns given.
    pub feature: usize,
    pub n_bins: usize,
    pub categorical: bool,
    /// Of its cells in a leaf's histograms: `n_bins` cumulative sums and the missing cell.
    pub cells: usize,
    /// The stored column, its own or a bundle's.
    pub group: usize,
    /// Which of the column's codes are its own, where it is a bundle's.
    pub member: Option<Member>,
    /// Of the stored column.
    pub tile: usize,
    /// Of its byte in the tile's word.
    pub shift: u32,
}

impl Place {
    pub(super) fn new(feature: usize, n_bins: usize, categorical: bool, cells: usize) -> Self {
        Place { feature, n_bins, categorical, cells, group: 0, member: None, tile: 0, shift: 0 }
    }

    /// The feature's bin, from its column's byte.
    #[inline]
    pub(crate) fn bin(&self, code: u8) -> u8 {
        self.member.map_or(code, |member| member.bin(code))
    }

    /// For each byte of its column, 1 where the row goes left.
    pub(crate) fn table(&self, condition: &Condition) -> [u8; 256] {
        let by_bin = condition.table();
        match self.member {
            None => by_bin,
            Some(member) => std::array::from_fn(|code| by_bin[usize::from(member.bin(code as u8))]),
        }
    }

    /// Of a leaf's cells, its own.
    pub(crate) fn own_cells(&self) -> Range<usize> {
        self.own_lanes(1)
    }

    /// The same where a cell is so many numbers.
    pub(crate) fn own_lanes(&self, width: usize) -> Range<usize> {
        self.cells * width..(self.cells + self.n_bins + 1) * width
    }
}

/// A panel's words: row r's at `words[r * stride..][..stride]`.
#[derive(Clone, Debug)]
struct Panel {
    stride: usize,
    words: Aligned<u64>,
}

/// The bins of a table's features that vary.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(super) places: Vec<Place>,
    panels: Vec<Panel>,
    /// Each group's bytes once more, side by side: for what follows a single feature, and fits the second-level cache.
    columns: Vec<Vec<u8>>,
    /// Per tile its panel and its place in there.
    tiles: Vec<(usize, usize)>,
    n_cells: usize,
}

impl Layout {
    /// Lays the columns out, a group each; the places know their group.
    pub(super) fn new(mut places: Vec<Place>, columns: Vec<Vec<u8>>, n_rows: usize, parallel: bool) -> Layout {
        // As even as can be: a word costs the same with one column in it as with eight.
        let n_tiles = columns.len().div_ceil(8);
        let n_panels = n_tiles.div_ceil(TILES);
        let mut spots = Vec::with_capacity(columns.len());
        for tile in 0..n_tiles {
            let (start, end) = share(columns.len(), n_tiles, tile);
            spots.extend((start..end).map(|group| (tile, 8 * (group - start) as u32)));
        }
        places.iter_mut().for_each(|place| (place.tile, place.shift) = spots[place.group]);
        let (mut tiles, mut panels) = (Vec::with_capacity(n_tiles), Vec::with_capacity(n_panels));
        for panel in 0..n_panels {
            let (start, end) = share(n_tiles, n_panels, panel);
            tiles.extend((start..end).map(|tile| (panel, tile - start)));
            panels.push(Panel { stride: end - start, words: Aligned::new((end - start) * n_rows) });
        }
        for (number, Panel { stride, words }) in panels.iter_mut().enumerate() {
            let (first, _) = share(n_tiles, n_panels, number);
            let of_tiles: Vec<&[Vec<u8>]> = (first..first + *stride)
                .map(|tile| {
                    let (start, end) = share(columns.len(), n_tiles, tile);
                    &columns[start..end]
                })
                .collect();
            let put = |(block, words): (usize, &mut [u64])| put_block(&of_tiles, block * ROWS_A_BLOCK, words);
            if parallel {
                words.par_chunks_mut(*stride * ROWS_A_BLOCK).enumerate().for_each(put);
            } else {
                words.chunks_mut(*stride * ROWS_A_BLOCK).enumerate().for_each(put);
            }
        }
        let n_cells = places.iter().map(|place| place.n_bins + 1).sum();
        Layout { places, panels, columns, tiles, n_cells }
    }

    pub(super) fn memory(&self) -> usize {
        let words: usize = self.panels.iter().map(|panel| 8 * panel.words.len()).sum();
        words + self.columns.iter().map(Vec::len).sum::<usize>()
    }
}

impl Bins {
    /// The bytes, by row, of the column that a place lies in: its bins, or codes that [`Place::bin`] knows.
    pub(crate) fn column(&self, place: usize) -> &[u8] {
        &self.layout.columns[self.layout.places[place].group]
    }

    /// A panel's words, and how many of them a row has.
    pub(crate) fn panel(&self, panel: usize) -> (&[u64], usize) {
        let Panel { stride, words } = &self.layout.panels[panel];
        (words, *stride)
    }

    pub(crate) fn panel_tiles(&self, panel: usize) -> Range<usize> {
        let start = self.layout.tiles.partition_point(|tile| tile.0 < panel);
        start..start + self.layout.panels[panel].stride
    }

    pub(crate) fn n_panels(&self) -> usize {
        self.layout.panels.len()
    }

    /// The features that vary, in their order.
    pub(crate) fn places(&self) -> &[Place] {
        &self.layout.places
    }

    pub(crate) fn n_tiles(&self) -> usize {
        self.layout.tiles.len()
    }

    /// Cells of one leaf's histograms.
    pub(crate) fn n_cells(&self) -> usize {
        self.layout.n_cells
    }
}

/// Writes a block of a panel's words, for the rows from `first` on; its columns come by tile.
fn put_block(tiles: &[&[Vec<u8>]], first: usize, words: &mut [u64]) {
    let level = Level::detect();
    let n_rows = words.len() / tiles.len();
    // A tile's words side by side, many in a register, before they are spread out.
    let mut own = [0; ROWS_A_BLOCK];
    let own = &mut own[..n_rows];
    for (offset, columns) in tiles.iter().enumerate() {
        own.fill(0);
        for (k, column) in columns.iter().enumerate() {
            put_bytes(level, &column[first..first + n_rows], 8 * k as u32, own);
        }
        let to = words[offset..].iter_mut().step_by(tiles.len());
        to.zip(&*own).for_each(|(to, word)| *to = *word);
    }
}

/// The `part`-th of `parts` nearly equal shares of `n`, as a range.
fn share(n: usize, parts: usize, part: usize) -> (usize, usize) {
    (n * part / parts, n * (part + 1) / parts)
}
