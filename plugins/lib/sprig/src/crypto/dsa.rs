//! DSA keys: only for `genPrivateKey "dsa"`, which nothing should use any more.

use crypto_bigint::BoxedUint;
use crypto_primes::{Flavor, is_prime};
use num_bigint::BigUint;

use super::der;
use super::random::Generator;

const P_BYTES: usize = 256;
const Q_BYTES: usize = 32;
/// A prime is found within some hundred tries; this many without one do not happen.
const MAX_TRIES: usize = 100_000;

/// The numbers of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DsaKey {
    p: BigUint,
    q: BigUint,
    g: BigUint,
    y: BigUint,
    x: BigUint,
}

impl DsaKey {
    pub(super) fn generate(generator: &mut Generator) -> Option<Self> {
        let one = BigUint::from(1_u8);
        let q = (0..MAX_TRIES).find_map(|_| {
            let mut bytes: [u8; Q_BYTES] = generator.fill();
            bytes[0] |= 0x80;
            bytes[Q_BYTES - 1] |= 1;
            prime(BigUint::from_bytes_be(&bytes))
        })?;
        let step = &q << 1;
        let p = (0..MAX_TRIES).find_map(|_| {
            let mut bytes: [u8; P_BYTES] = generator.fill();
            bytes[0] |= 0x80;
            let number = BigUint::from_bytes_be(&bytes);
            let candidate: BigUint = &number - (&number % &step) + &one;
            (candidate.bits() == 8 * P_BYTES as u64)
                .then(|| prime(candidate))
                .flatten()
        })?;
        let exponent = (&p - &one) / &q;
        let g = (2_u8..=u8::MAX)
            .map(|base| BigUint::from(base).modpow(&exponent, &p))
            .find(|g| *g != one)?;
        let x = BigUint::from_bytes_be(&generator.fill::<64>()) % (&q - &one) + &one;
        let y = g.modpow(&x, &p);
        Some(Self { p, q, g, y, x })
    }

    pub(super) fn from_der(bytes: &[u8]) -> Option<Self> {
        let mut outer = der::Reader::new(bytes);
        let mut reader = der::Reader::new(outer.expect(der::SEQUENCE)?.content);
        reader.integer()?;
        let mut number = || reader.integer().map(BigUint::from_bytes_be);
        Some(Self {
            p: number()?,
            q: number()?,
            g: number()?,
            y: number()?,
            x: number()?,
        })
    }

    pub(super) fn to_der(&self) -> Vec<u8> {
        let numbers = [&self.p, &self.q, &self.g, &self.y, &self.x];
        let mut content = der::integer(&[]);
        for number in numbers {
            content.extend(der::integer(&number.to_bytes_be()));
        }
        der::element(der::SEQUENCE, &content)
    }
}

/// The number, if it is a prime.
fn prime(number: BigUint) -> Option<BigUint> {
    const SMALL: [u32; 24] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    ];
    let zero = BigUint::ZERO;
    if SMALL.iter().any(|small| &number % *small == zero) {
        return None;
    }
    let candidate = BoxedUint::from_be_slice_vartime(&number.to_bytes_be());
    is_prime(Flavor::Any, &candidate).then_some(number)
}
