//! Go's text of floating-point numbers (strconv.FormatFloat).

/// Digits after which a float64 has only zeros, in plain and in exponent form.
const EXACT_DIGITS: usize = 1_100;

/// The text of a number for one of the verbs `e E f g G b x X`. Without precision: the fewest digits that mean the number.
pub(super) fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let value = value.abs();
    let body = match verb {
        'e' | 'E' => exponent_form(value, precision, verb),
        'f' | 'F' => match precision {
            Some(precision) => {
                let exact = precision.min(EXACT_DIGITS);
                format!("{value:.exact$}") + &"0".repeat(precision - exact)
            }
            None => plain(value),
        },
        'b' => binary(value),
        'x' | 'X' => hexadecimal(value, precision, verb),
        _ => general(value, precision, verb),
    };
    if sign.is_empty() {
        body
    } else {
        format!("{sign}{body}")
    }
}

/// Shortest digits in plain notation, without a trailing `.0`.
fn plain(value: f64) -> String {
    format!("{value}")
}

fn exponent_form(value: f64, precision: Option<usize>, verb: char) -> String {
    let text = match precision {
        Some(precision) => format!("{value:.*e}", precision.min(EXACT_DIGITS)),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = split_exponent(&text);
    let zeros = "0".repeat(precision.unwrap_or(0).saturating_sub(EXACT_DIGITS));
    with_exponent(&(mantissa.to_owned() + &zeros), exponent, verb)
}

/// Rust's `1.5e-7` in two parts.
fn split_exponent(text: &str) -> (&str, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa, exponent.parse().unwrap_or(0))
}

fn with_exponent(mantissa: &str, exponent: i32, verb: char) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{verb}{sign}{:02}", exponent.abs())
}

/// `%g`: exponent form for very small and for large numbers.
fn general(value: f64, precision: Option<usize>, verb: char) -> String {
    if precision.is_none() && (value == 0.0 || (1e-4..1e6).contains(&value)) {
        return plain(value);
    }
    let text = match precision {
        Some(precision) => format!("{value:.*e}", precision.clamp(1, EXACT_DIGITS) - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = split_exponent(&text);
    let mut digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    digits.truncate(digits.trim_end_matches('0').len());
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The point stands behind this many digits. Zero has no digits at all.
    let point = if digits.is_empty() { 0 } else { exponent + 1 };
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = i32::try_from(precision.max(1)).unwrap_or(i32::MAX);
            if precision > count && count >= point {
                count
            } else {
                precision
            }
        }
    };
    // Go decides for zero by the exponent -1.
    let exponent = point - 1;
    if exponent < -4 || exponent >= limit {
        let (first, rest) = digits.split_at(digits.len().min(1));
        let first = if first.is_empty() { "0" } else { first };
        let mantissa = if rest.is_empty() {
            first.to_owned()
        } else {
            format!("{first}.{rest}")
        };
        let exponent = if digits.is_empty() { 0 } else { exponent };
        return with_exponent(&mantissa, exponent, if verb == 'G' { 'E' } else { 'e' });
    }
    if digits.is_empty() {
        return "0".to_owned();
    }
    match usize::try_from(point) {
        Ok(0) | Err(_) => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        Ok(point) if point >= digits.len() => {
            format!("{digits}{}", "0".repeat(point - digits.len()))
        }
        Ok(point) => format!("{}.{}", &digits[..point], &digits[point..]),
    }
}

/// The 53 bits and the binary exponent.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    }
}

/// `%b`: `4503599627370496p-52`.
fn binary(value: f64) -> String {
    let (mantissa, exponent) = parts(value);
    format!("{mantissa}p{exponent:+}")
}

/// `%x`: `0x1.8p+00`.
fn hexadecimal(value: f64, precision: Option<usize>, verb: char) -> String {
    let (mut mantissa, mut exponent) = parts(value);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading one goes to bit 60, so that 15 digits stand behind the point.
        let shift = i32::try_from(mantissa.leading_zeros()).unwrap_or(0) - 3;
        mantissa <<= shift;
        exponent += 60 - shift;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = 60 - 4 * precision;
        let (half, rest) = (1_u64 << (shift - 1), mantissa & ((1 << shift) - 1));
        mantissa >>= shift;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= shift;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut fraction = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => fraction.truncate(fraction.trim_end_matches('0').len()),
        Some(precision) if precision <= 15 => fraction.truncate(precision),
        Some(precision) => fraction.push_str(&"0".repeat(precision - 15)),
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!(
        "0x{}{point}{fraction}p{sign}{:02}",
        mantissa >> 60,
        exponent.abs()
    );
    if verb == 'X' {
        text.to_uppercase()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (100_000.0, "100000"),
            (123_456.789, "123456.789"),
            (999_999.9, "999999.9"),
            (1e6, "1e+06"),
            (1_234_567.89, "1.23456789e+06"),
            (20_971_520.0, "2.097152e+07"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(format_float(value, 'g', None), expected);
        }
    }

    #[test]
    fn with_precision() {
        for (value, verb, precision, expected) in [
            (1234.5678, 'g', 3, "1.23e+03"),
            (100.0, 'g', 10, "100"),
            (100.0, 'g', 2, "1e+02"),
            (0.0, 'g', 3, "0"),
            (0.5, 'f', 0, "0"),
            (2.5, 'f', 0, "2"),
            (123.456, 'e', 6, "1.234560e+02"),
            (1.5, 'x', 3, "0x1.800p+00"),
        ] {
            assert_eq!(format_float(value, verb, Some(precision)), expected);
        }
        assert_eq!(format_float(1.5, 'x', None), "0x1.8p+00");
        assert_eq!(format_float(0.1, 'X', None), "0X1.999999999999AP-04");
        assert_eq!(format_float(1.0, 'b', None), "4503599627370496p-52");
    }
}
