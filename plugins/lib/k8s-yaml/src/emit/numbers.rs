//! Floats as Go's `strconv.FormatFloat(x, 'g', -1, bits)` writes them.

/// A 64-bit float.
pub(crate) fn go_float_text(value: f64) -> String {
    general(&format!("{value:e}"))
}

/// A float with the digits that tell it apart among 32-bit floats.
pub(crate) fn go_float32_text(value: f32) -> String {
    general(&format!("{value:e}"))
}

/// From Rust's `d.ddde-7`, the shortest digits and their exponent, to Go's general form, which has an exponent below -4 and
/// from 6 on.
fn general(scientific: &str) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return match scientific {
            "inf" => "+Inf".into(),
            "-inf" => "-Inf".into(),
            other => other.into(),
        };
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        let fraction = if digits.len() > 1 {
            format!(".{}", &digits[1..])
        } else {
            String::new()
        };
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        return format!(
            "{sign}{}{fraction}e{exponent_sign}{:02}",
            &digits[..1],
            exponent.abs()
        );
    }
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_start_where_go_starts_them() {
        for (value, expected) in [
            (1e6, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (123_456.5, "123456.5"),
            (100_000.0, "100000"),
            (0.0001, "0.0001"),
            (-0.00001, "-1e-05"),
            (1.5e300, "1.5e+300"),
            (0.0, "0"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(go_float_text(value), expected);
        }
        assert_eq!(go_float32_text(1.1), "1.1");
    }
}
