//! Rows on their way down a small tree, 64 side by side: a node knows which of them reach it by the bits of one number.
//!
//! The work is that of all nodes for each 64 rows, whichever way they go: no branch to guess, no row number to move.

use super::{Level, leveled};

/// Rows that go down side by side.
pub(crate) const ROWS: usize = 64;
/// Leaves that a tree may have.
pub(crate) const MOST_LEAVES: usize = 256;
/// Bits of a leaf's number.
const PLANES: usize = 8;

/// A node on codes: bytes that rise with a feature's values, [`MISSING`](crate::bins::MISSING) where there is none.
#[derive(Clone, Copy)]
pub(crate) struct CodedNode {
    /// Of its feature among the codes.
    pub feature: u32,
    /// Where its children's rows are kept: a node's at its number, a leaf's [`MOST_LEAVES`] further.
    pub left: u16,
    pub right: u16,
    pub condition: CodedCondition,
}

#[derive(Clone, Copy)]
pub(crate) enum CodedCondition {
    /// Codes go left that are at most `last` once `added` was added, 0 or 1: a missing one then becomes 0.
    UpTo { last: u8, added: u8 },
    /// A bit for each code that goes left.
    AnyOf([u64; 4]),
}

/// The leaves of some rows. `codes` by feature, `stride` each, a multiple of [`ROWS`]; `leaves` is as long as that. Children come after their parents.
pub(crate) fn find_leaves(
    level: Level,
    nodes: &[CodedNode],
    n_leaves: usize,
    codes: &[u8],
    stride: usize,
    leaves: &mut [u8],
) {
    #[cfg(target_arch = "x86_64")]
    {
        if level >= Level::V4 {
            // SAFETY: at this level processors have the instructions, see `leveled`.
            return unsafe { x86::v4(nodes, n_leaves, codes, stride, leaves) };
        }
        if level >= Level::V3 {
            // SAFETY: as above.
            return unsafe { x86::v3(nodes, n_leaves, codes, stride, leaves) };
        }
    }
    plain(level, nodes, n_leaves, codes, stride, leaves);
}

leveled! {
    /// As [`find_leaves`], by whatever the compiler makes of it.
    fn plain(nodes: &[CodedNode], n_leaves: usize, codes: &[u8], stride: usize, leaves: &mut [u8]) = plain_body
}

#[inline(always)]
fn plain_body(nodes: &[CodedNode], n_leaves: usize, codes: &[u8], stride: usize, leaves: &mut [u8]) {
    descend(nodes, n_leaves, codes, stride, leaves, bits_up_to, numbers);
}

/// `up_to` tells which codes are at most a number once another was added; `numbers` writes each row's number, whose bits lie in the planes.
#[inline(always)]
fn descend(
    nodes: &[CodedNode],
    n_leaves: usize,
    codes: &[u8],
    stride: usize,
    leaves: &mut [u8],
    up_to: impl Fn(&[u8; ROWS], u8, u8) -> u64,
    numbers: impl Fn(&[u64], &mut [u8; ROWS]),
) {
    let n_planes = (n_leaves.max(2) - 1).ilog2() as usize + 1;
    let mut reach = [0; 2 * MOST_LEAVES];
    // A tree of one leaf has no nodes.
    reach[if nodes.is_empty() { MOST_LEAVES } else { 0 }] = u64::MAX;
    for (chunk, leaves) in leaves.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        for (number, node) in nodes.iter().enumerate() {
            let own = &codes[node.feature as usize * stride + chunk * ROWS..];
            let Some(own) = own.first_chunk() else { return };
            let goes_left = match &node.condition {
                CodedCondition::UpTo { last, added } => up_to(own, *last, *added),
                CodedCondition::AnyOf(bits) => bits_of(own, bits),
            };
            let here = reach[number];
            reach[usize::from(node.left) % (2 * MOST_LEAVES)] = here & goes_left;
            reach[usize::from(node.right) % (2 * MOST_LEAVES)] = here & !goes_left;
        }
        let of_leaves = &reach[MOST_LEAVES..][..n_leaves.min(MOST_LEAVES)];
        let mut planes = [0; PLANES];
        for (bit, plane) in planes[..n_planes].iter_mut().enumerate() {
            let with_bit = of_leaves.chunks(2 << bit).filter_map(|run| run.get(1 << bit..));
            *plane = with_bit.flatten().fold(0, |plane, rows| plane | rows);
        }
        numbers(&planes[..n_planes], leaves);
    }
}

#[inline(always)]
fn bits_up_to(codes: &[u8; ROWS], last: u8, added: u8) -> u64 {
    let flags = codes.map(|code| u8::from(code.wrapping_add(added) <= last));
    flags.as_chunks::<8>().0.iter().rev().fold(0, |bits, flags| {
        // Each byte's lowest bit to its place among the highest eight.
        bits << 8 | u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

#[inline(always)]
fn bits_of(codes: &[u8; ROWS], left: &[u64; 4]) -> u64 {
    codes.iter().rev().fold(0, |bits, &code| bits << 1 | left[usize::from(code / 64)] >> (code % 64) & 1)
}

#[inline(always)]
fn numbers(planes: &[u64], out: &mut [u8; ROWS]) {
    for (row, out) in out.iter_mut().enumerate() {
        *out = planes.iter().rev().fold(0, |number, plane| number << 1 | (plane >> row & 1) as u8);
    }
}

/// The same with the codes of 32 or 64 rows compared by one instruction, which the compiler does not find: a third of the time.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{CodedNode, ROWS, descend, numbers};

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
    pub(super) fn v4(nodes: &[CodedNode], n_leaves: usize, codes: &[u8], stride: usize, leaves: &mut [u8]) {
        let up_to = |codes: &[u8; ROWS], last: u8, added: u8| {
            // SAFETY: 64 bytes fill a register.
            let codes = unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) };
            let codes = _mm512_add_epi8(codes, _mm512_set1_epi8(added as i8));
            _mm512_cmple_epu8_mask(codes, _mm512_set1_epi8(last as i8))
        };
        let numbers = |planes: &[u64], out: &mut [u8; ROWS]| {
            let mut number = _mm512_setzero_si512();
            for (bit, &plane) in planes.iter().enumerate() {
                number = _mm512_or_si512(number, _mm512_maskz_set1_epi8(plane, 1 << bit));
            }
            // SAFETY: as above.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), number) };
        };
        descend(nodes, n_leaves, codes, stride, leaves, up_to, numbers);
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
    pub(super) fn v3(nodes: &[CodedNode], n_leaves: usize, codes: &[u8], stride: usize, leaves: &mut [u8]) {
        let up_to = |codes: &[u8; ROWS], last: u8, added: u8| {
            let (last, added) = (_mm256_set1_epi8(last as i8), _mm256_set1_epi8(added as i8));
            let half = |codes: &[u8]| {
                // SAFETY: called with 32 bytes, which fill a register.
                let codes = unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) };
                let codes = _mm256_add_epi8(codes, added);
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(codes, last), codes)) as u32
            };
            let (low, high) = codes.split_at(ROWS / 2);
            u64::from(half(low)) | u64::from(half(high)) << 32
        };
        descend(nodes, n_leaves, codes, stride, leaves, up_to, numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_finds_the_leaf_that_one_row_at_a_time_finds() {
        const STRIDE: usize = 2 * ROWS;
        let codes: Vec<u8> = (0..3 * STRIDE as u32).map(|at| (at.wrapping_mul(2_654_435_769) >> 23) as u8).collect();
        // A chain with branches: node n has node n + 1 on one side and a leaf on the other.
        for n_nodes in [0, 1, 2, 7, 30, 255] {
            let node = |number: usize| {
                let leaf = (MOST_LEAVES + number) as u16;
                let next = if number + 1 < n_nodes { number as u16 + 1 } else { (MOST_LEAVES + n_nodes) as u16 };
                let (left, right) = if number.is_multiple_of(2) { (leaf, next) } else { (next, leaf) };
                let condition = match number % 3 {
                    0 => CodedCondition::UpTo { last: (number * 5 % 250) as u8, added: 0 },
                    1 => CodedCondition::UpTo { last: 250 - (number * 3 % 250) as u8, added: 1 },
                    _ => CodedCondition::AnyOf([number as u64 * 0x1234_5678_9abc, !0, 7, 1 << 63]),
                };
                CodedNode { feature: number as u32 % 3, left, right, condition }
            };
            let nodes: Vec<CodedNode> = (0..n_nodes).map(node).collect();
            let wanted = |row: usize| {
                let mut at = if n_nodes == 0 { MOST_LEAVES } else { 0 };
                while at < MOST_LEAVES {
                    let node = &nodes[at];
                    let code = codes[node.feature as usize * STRIDE + row];
                    let goes_left = match node.condition {
                        CodedCondition::UpTo { last, added } => code.wrapping_add(added) <= last,
                        CodedCondition::AnyOf(bits) => bits[usize::from(code / 64)] >> (code % 64) & 1 == 1,
                    };
                    at = usize::from(if goes_left { node.left } else { node.right });
                }
                (at - MOST_LEAVES) as u8
            };
            let wanted: Vec<u8> = (0..STRIDE).map(wanted).collect();
            for level in [Level::Base, Level::V2, Level::V3, Level::V4].into_iter().filter(|level| level.is_supported())
            {
                let mut leaves = vec![0; STRIDE];
                find_leaves(level, &nodes, n_nodes + 1, &codes, STRIDE, &mut leaves);
                assert_eq!(leaves, wanted, "{n_nodes} nodes, {level:?}");
            }
        }
    }
}
