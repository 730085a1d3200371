//! Shamir's secret sharing over GF(2⁸), as sops takes it from Vault.
//!
//! A share has one y for each byte of the secret, and its x as the last byte. The secret is the value of the polynomials
//! at 0.

use thiserror::Error;
use zeroize::Zeroizing;

/// Why shares do not make a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ShamirError {
    #[error("less than two parts cannot be used to reconstruct the secret")]
    TooFew,
    #[error("parts must be at least two bytes")]
    TooShort,
    #[error("all parts must be the same length")]
    Lengths,
    #[error("duplicate part detected")]
    Duplicate,
}

/// Makes the secret from all shares that there are.
pub(crate) fn combine(shares: &[Zeroizing<Vec<u8>>]) -> Result<Zeroizing<Vec<u8>>, ShamirError> {
    let [first, _, ..] = shares else {
        return Err(ShamirError::TooFew);
    };
    let length = first.len();
    if length < 2 {
        return Err(ShamirError::TooShort);
    }
    if shares.iter().any(|share| share.len() != length) {
        return Err(ShamirError::Lengths);
    }
    let xs: Vec<u8> = shares.iter().map(|share| share[length - 1]).collect();
    for (at, x) in xs.iter().enumerate() {
        if xs[..at].contains(x) {
            return Err(ShamirError::Duplicate);
        }
    }
    let weights: Vec<u8> = xs.iter().map(|x| weight(*x, &xs)).collect();
    let mut secret = Zeroizing::new(vec![0; length - 1]);
    for (share, weight) in shares.iter().zip(weights) {
        for (byte, y) in secret.iter_mut().zip(share.iter()) {
            *byte ^= multiply(*y, weight);
        }
    }
    Ok(secret)
}

/// The Lagrange polynomial of one x among distinct ones, at 0.
fn weight(own: u8, xs: &[u8]) -> u8 {
    xs.iter().filter(|x| **x != own).fold(1, |product, x| {
        multiply(product, multiply(*x, inverse(own ^ *x)))
    })
}

/// Modulo x⁸+x⁴+x³+x+1, in constant time.
fn multiply(left: u8, right: u8) -> u8 {
    let mut product = 0;
    let mut shifted = left;
    for bit in 0..8 {
        product ^= shifted & (right >> bit & 1).wrapping_neg();
        shifted = (shifted << 1) ^ (0x1b & (shifted >> 7).wrapping_neg());
    }
    product
}

/// The 254th power, as the group has 255 elements.
fn inverse(value: u8) -> u8 {
    let mut power = value;
    let mut result = 1;
    for _ in 0..7 {
        power = multiply(power, power);
        result = multiply(result, power);
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn share(secret: &[u8], slopes: &[u8], x: u8) -> Zeroizing<Vec<u8>> {
        let ys = secret
            .iter()
            .zip(slopes)
            .map(|(byte, slope)| byte ^ multiply(*slope, x));
        Zeroizing::new(ys.chain([x]).collect())
    }

    #[test]
    fn every_value_has_an_inverse() {
        for value in 1..=u8::MAX {
            assert_eq!(multiply(value, inverse(value)), 1, "{value}");
        }
    }

    #[test]
    fn shares_that_cannot_be_combined_are_refused() {
        let parts = |parts: &[&[u8]]| {
            let parts: Vec<_> = parts
                .iter()
                .map(|part| Zeroizing::new(part.to_vec()))
                .collect();
            combine(&parts).unwrap_err()
        };
        assert_eq!(parts(&[]), ShamirError::TooFew);
        assert_eq!(parts(&[b"ab"]), ShamirError::TooFew);
        assert_eq!(parts(&[b"a", b"b"]), ShamirError::TooShort);
        assert_eq!(parts(&[b"ab", b"abc"]), ShamirError::Lengths);
        assert_eq!(parts(&[b"ab", b"cb"]), ShamirError::Duplicate);
    }

    proptest! {
        #[test]
        fn two_shares_of_a_line_give_the_secret(secret in prop::collection::vec(any::<u8>(), 1..40), seed in any::<u8>(), x in 1u8..128) {
            let slopes: Vec<u8> = secret.iter().map(|byte| byte.wrapping_mul(31).wrapping_add(seed)).collect();
            let shares = [share(&secret, &slopes, x), share(&secret, &slopes, x + 128 - (x == 128) as u8)];
            prop_assert_eq!(&combine(&shares).unwrap()[..], &secret[..]);
        }
    }
}
