//! Random draws: each from a named stream, so that none disturbs another.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The draws of one tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    seed: u64,
    iteration: u64,
    output: u64,
    /// Keys for draws that are too many for a stream of their own each.
    nodes: u64,
    thresholds: u64,
}

impl Draw {
    pub(crate) fn new(seed: u64, iteration: usize, output: usize) -> Draw {
        let mut draw = Draw { seed, iteration: iteration as u64, output: output as u64, nodes: 0, thresholds: 0 };
        draw.nodes = draw.stream(b"nodes\0\0\0").next_u64();
        draw.thresholds = draw.stream(b"threshol").next_u64();
        draw
    }

    /// The stream of that name.
    pub(crate) fn stream(&self, name: &[u8; 8]) -> ChaCha8Rng {
        let mut key = [0u8; 32];
        let parts = [self.seed, u64::from_le_bytes(*name), self.iteration, self.output];
        for (at, part) in parts.into_iter().enumerate() {
            key[8 * at..8 * at + 8].copy_from_slice(&part.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }

    /// A number in 0..1 for a feature's random threshold in a node.
    pub(crate) fn threshold(&self, node: u64, feature: u64) -> f64 {
        (mix(mix(self.thresholds ^ node) ^ feature) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// So many of the features for a node, each set of them equally likely; in their order.
    pub(crate) fn node_features(&self, node: u64, features: &[usize], wanted: usize) -> Vec<usize> {
        choose(self.nodes ^ mix(node), features, wanted)
    }

    /// So many of the features for the tree.
    pub(crate) fn tree_features(&self, features: &[usize], wanted: usize) -> Vec<usize> {
        choose(self.stream(b"features").next_u64(), features, wanted)
    }
}

/// So many of the items, each set of them equally likely; in their order: Knuth's selection sampling.
fn choose(key: u64, items: &[usize], wanted: usize) -> Vec<usize> {
    let mut state = key;
    let mut left = wanted.min(items.len());
    let mut drawn = Vec::with_capacity(left);
    for (at, &item) in items.iter().enumerate() {
        state = mix(state);
        let among = (items.len() - at) as u64;
        if ((u128::from(state) * u128::from(among)) >> 64) < left as u128 {
            drawn.push(item);
            left -= 1;
        }
    }
    drawn
}

/// A bijection that leaves no trace of its argument: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
#[inline(always)]
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Splits `rows` into so many drawn at random and the others, both in their order.
pub(crate) fn draw_rows(rng: &mut impl Rng, rows: &[u32], wanted: usize) -> (Vec<u32>, Vec<u32>) {
    let wanted = wanted.min(rows.len());
    let (mut drawn, mut left_out) = (Vec::with_capacity(wanted), Vec::with_capacity(rows.len() - wanted));
    for (at, &row) in rows.iter().enumerate() {
        if rng.random_range(0..rows.len() - at) < wanted - drawn.len() { drawn.push(row) } else { left_out.push(row) }
    }
    (drawn, left_out)
}
