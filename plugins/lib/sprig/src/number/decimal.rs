//! Decimal arithmetic as shopspring's library does it: exact, with quotients of 16 places.

use num_bigint::{BigInt, Sign};

/// Places of a quotient.
const PLACES: i32 = 16;
/// Bits that a number may have: enough for any sum and product of a few hundred floats.
const MAX_BITS: u64 = 1 << 18;

/// A number `value · 10^exponent`.
#[derive(Debug, Clone)]
pub(crate) struct Decimal {
    value: BigInt,
    exponent: i32,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecimalError {
    #[error("Cannot create a Decimal from {0}")]
    NotFinite(&'static str),
    #[error("decimal division by 0")]
    DivideByZero,
    #[error("the decimal number has too many digits")]
    TooLarge,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Decimal {
    /// The shortest decimal number that stands for the float.
    pub(crate) fn from_float(value: f64) -> Result<Self, DecimalError> {
        if !value.is_finite() {
            return Err(DecimalError::NotFinite(
                match (value.is_nan(), value > 0.0) {
                    (true, _) => "NaN",
                    (false, true) => "+Inf",
                    (false, false) => "-Inf",
                },
            ));
        }
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
        let value = digits.replace('.', "").parse().unwrap_or_default();
        let exponent = exponent.parse::<i32>().unwrap_or(0) - i32::try_from(places).unwrap_or(0);
        Ok(Self { value, exponent })
    }

    pub(crate) fn to_float(&self) -> f64 {
        format!("{}e{}", self.value, self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }

    pub(crate) fn apply(&self, operation: Operation, other: &Self) -> Result<Self, DecimalError> {
        let result = match operation {
            Operation::Add | Operation::Subtract => {
                let exponent = self.exponent.min(other.exponent);
                let (left, right) = (self.scaled(exponent), other.scaled(exponent));
                let value = match operation {
                    Operation::Subtract => left - right,
                    Operation::Add | Operation::Multiply | Operation::Divide => left + right,
                };
                Self { value, exponent }
            }
            Operation::Multiply => {
                let exponent = self.exponent.saturating_add(other.exponent);
                Self {
                    value: &self.value * &other.value,
                    exponent,
                }
            }
            Operation::Divide => self.divide(other)?,
        };
        let digits = u64::from(result.exponent.unsigned_abs()).saturating_mul(4);
        if result.value.bits() > MAX_BITS || digits > MAX_BITS {
            return Err(DecimalError::TooLarge);
        }
        Ok(result)
    }

    /// The value with a smaller exponent.
    fn scaled(&self, exponent: i32) -> BigInt {
        &self.value * ten_to(self.exponent - exponent)
    }

    fn divide(&self, other: &Self) -> Result<Self, DecimalError> {
        if other.value.sign() == Sign::NoSign {
            return Err(DecimalError::DivideByZero);
        }
        let shift = self.exponent - other.exponent + PLACES;
        let (numerator, denominator) = match shift < 0 {
            true => (self.value.clone(), &other.value * ten_to(-shift)),
            false => (&self.value * ten_to(shift), other.value.clone()),
        };
        let mut quotient = &numerator / &denominator;
        let rest = &numerator - &quotient * &denominator;
        // Halves away from zero.
        if rest.magnitude() * 2_u8 >= *denominator.magnitude() {
            let negative = numerator.sign() != denominator.sign();
            quotient += if negative { -1 } else { 1 };
        }
        Ok(Self {
            value: quotient,
            exponent: -PLACES,
        })
    }
}

fn ten_to(exponent: i32) -> BigInt {
    BigInt::from(10).pow(exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compute(operation: Operation, numbers: &[f64]) -> f64 {
        let mut numbers = numbers
            .iter()
            .map(|number| Decimal::from_float(*number).unwrap());
        let first = numbers.next().unwrap();
        numbers
            .fold(first, |left, right| left.apply(operation, &right).unwrap())
            .to_float()
    }

    #[test]
    fn decimal_results() {
        assert_eq!(compute(Operation::Add, &[0.1, 0.2, 0.3]), 0.6);
        assert_eq!(compute(Operation::Subtract, &[5.0, 1.5, 2.0]), 1.5);
        assert_eq!(compute(Operation::Multiply, &[2.0, 1.5]), 3.0);
        assert_eq!(compute(Operation::Divide, &[10.0, 4.0]), 2.5);
        assert_eq!(
            compute(Operation::Divide, &[2.0, 3.0]),
            0.666_666_666_666_666_7
        );
        assert_eq!(
            compute(Operation::Divide, &[-1.0, 3.0]),
            -0.333_333_333_333_333_3
        );
        assert_eq!(compute(Operation::Divide, &[1e-300, 3.0]), 0.0);
        assert_eq!(compute(Operation::Add, &[1e300, 1e-300]), 1e300);
    }

    #[test]
    fn errors() {
        let one = Decimal::from_float(1.0).unwrap();
        let zero = Decimal::from_float(0.0).unwrap();
        assert_eq!(
            one.apply(Operation::Divide, &zero).unwrap_err(),
            DecimalError::DivideByZero
        );
        assert!(Decimal::from_float(f64::NAN).is_err());
        let mut large = Decimal::from_float(1e308).unwrap();
        while let Ok(larger) = large.apply(Operation::Multiply, &large) {
            large = larger;
        }
    }
}
