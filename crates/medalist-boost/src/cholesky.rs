//! Small dense systems of equations.

/// The share of an unknown's own variance that must be left beside the unknowns before it: below, rounding decides.
const INDEPENDENT: f64 = 1e-10;

/// Solves A x = b for a symmetric matrix without negative eigenvalues, by Cholesky's factors; x takes the place of b.
///
/// `a` are the rows of the lower triangle, one after the other; they are overwritten. An unknown that those before it make redundant is 0, so that there is a solution where A is singular and b is in its range: that of least squares without the unknown. What is not finite on the way in makes x what it may be, finite or not.
pub(crate) fn solve(a: &mut [f64], b: &mut [f64]) {
    let n = b.len();
    let row = |i: usize| i * (i + 1) / 2;
    // Each row in turn becomes the factor's; a redundant unknown's column of it is 0.
    for i in 0..n {
        let (above, own) = a.split_at_mut(row(i));
        let own = &mut own[..=i];
        for j in 0..i {
            let other = &above[row(j)..][..=j];
            let known: f64 = own[..j].iter().zip(other).map(|(a, b)| a * b).sum();
            own[j] = if other[j] > 0.0 { (own[j] - known) / other[j] } else { 0.0 };
        }
        let left = own[i] - own[..i].iter().map(|factor| factor * factor).sum::<f64>();
        own[i] = if left > INDEPENDENT * own[i] { left.sqrt() } else { 0.0 };
    }
    for i in 0..n {
        let own = &a[row(i)..][..=i];
        let known: f64 = own[..i].iter().zip(&*b).map(|(factor, x)| factor * x).sum();
        b[i] = if own[i] > 0.0 { (b[i] - known) / own[i] } else { 0.0 };
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| a[row(j) + i] * b[j]).sum();
        let pivot = a[row(i) + i];
        b[i] = if pivot > 0.0 { (b[i] - known) / pivot } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &[f64], b: &[f64], x: &[f64]) {
        let mut found = b.to_vec();
        solve(&mut a.to_vec(), &mut found);
        assert!(found.iter().zip(x).all(|(found, x)| (found - x).abs() <= 1e-12 * x.abs()), "{found:?}");
    }

    #[test]
    fn one_unknown() {
        check(&[4.0], &[-6.0], &[-1.5]);
    }

    /// A = L Lᵀ with L = [[2], [1, 3], [-1, 2, 1]], and b = A (1, -2, 3)ᵀ, worked by hand.
    #[test]
    fn three_unknowns() {
        check(&[4.0, 2.0, 10.0, -2.0, 5.0, 6.0], &[-6.0, -3.0, 6.0], &[1.0, -2.0, 3.0]);
    }

    /// The second row is twice the first: what the two say together falls to the first.
    #[test]
    fn a_redundant_unknown_is_0() {
        check(&[1.0, 2.0, 4.0, 0.0, 0.0, 9.0], &[3.0, 6.0, 18.0], &[3.0, 0.0, 2.0]);
        check(&[0.0, 0.0, 2.0], &[0.0, 3.0], &[0.0, 1.5]);
    }

    #[test]
    fn units_do_not_matter() {
        let units = [1e-120, 1.0, 1e120];
        let mut a = [4.0, 2.0, 10.0, -2.0, 5.0, 6.0];
        for i in 0..3 {
            (0..=i).for_each(|j| a[i * (i + 1) / 2 + j] *= units[i] * units[j]);
        }
        let b = [-6e-120, -3.0, 6e120];
        check(&a, &b, &[1e120, -2.0, 3e-120]);
    }
}
