//! The order of keys in go-yaml's output: runs of digits count as numbers, letters come after everything else.

use std::cmp::Ordering;

/// Which version's order is meant. They differ in one point, the place of a letter after digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyOrder {
    Version2,
    Version3,
}

/// Sorts by key. The order is not transitive for odd sets such as `a1b`, `a01`, `a10`, which the standard library's sort may
/// answer with a panic; this one just ends with some order, as Go does.
pub(super) fn sort<T>(items: &mut Vec<T>, order: KeyOrder, key: impl Fn(&T) -> &str + Copy) {
    if items
        .windows(2)
        .all(|pair| less(order, key(&pair[0]), key(&pair[1])))
    {
        return;
    }
    let mut runs: Vec<Vec<T>> = items.drain(..).map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, order, key),
                None => left,
            });
        }
        runs = merged;
    }
    *items = runs.pop().unwrap_or_default();
}

fn merge<T>(left: Vec<T>, right: Vec<T>, order: KeyOrder, key: impl Fn(&T) -> &str) -> Vec<T> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if less(order, key(b), key(a)) {
            right.next()
        } else {
            left.next()
        };
        out.extend(next);
    }
    out.extend(left);
    out.extend(right);
    out
}

fn less(order: KeyOrder, a: &str, b: &str) -> bool {
    compare(order, a, b) == Ordering::Less
}

pub(super) fn compare(order: KeyOrder, a: &str, b: &str) -> Ordering {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // Step back to the start of the character in which they differ.
    let at = (0..=common)
        .rev()
        .find(|at| a.is_char_boundary(*at) && b.is_char_boundary(*at))
        .unwrap_or(0);
    let (shared, a_rest, b_rest) = (&a[..at], &a[at..], &b[at..]);
    let (Some(x), Some(y)) = (a_rest.chars().next(), b_rest.chars().next()) else {
        return a.len().cmp(&b.len());
    };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => x.cmp(&y),
        (false, false) => compare_digits(shared, a_rest, b_rest).then(x.cmp(&y)),
        (a_is_letter, _) => {
            let after_digit =
                order == KeyOrder::Version3 && shared.ends_with(|c: char| c.is_ascii_digit());
            if a_is_letter == after_digit {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}

fn compare_digits(shared: &str, a: &str, b: &str) -> Ordering {
    let zero = a.starts_with('0') || b.starts_with('0');
    let in_number = shared
        .bytes()
        .rev()
        .take_while(u8::is_ascii_digit)
        .any(|digit| digit != b'0');
    let lead = i64::from(zero && in_number);
    let (a_digits, a_value) = number(a, lead);
    let (b_digits, b_value) = number(b, lead);
    a_value.cmp(&b_value).then(a_digits.cmp(&b_digits))
}

/// The digits in front and their value, which wraps around like Go's integers.
fn number(text: &str, lead: i64) -> (usize, i64) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((0, lead), |(count, value), digit| {
        (
            count + 1,
            value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(order: KeyOrder, expected: &[&str]) {
        let mut keys: Vec<&str> = expected.iter().rev().copied().collect();
        sort(&mut keys, order, |key| key);
        assert_eq!(keys, expected);
    }

    #[test]
    fn numbers_inside_keys_count_as_numbers() {
        check(
            KeyOrder::Version2,
            &[
                "-x", "_", "1", "9", "10", "A", "a-b", "a.b", "a/b", "a_b", "a9", "a10", "aB",
                "ab", "b",
            ],
        );
    }

    #[test]
    fn a_letter_after_a_digit_has_another_place_in_version_3() {
        check(KeyOrder::Version2, &["a1-", "a1b"]);
        check(KeyOrder::Version3, &["a1b", "a1-"]);
    }

    #[test]
    fn sets_without_an_order_do_not_panic() {
        let mut keys = vec!["a1b", "a01", "a10", "a1", "a001b", "a0"];
        sort(&mut keys, KeyOrder::Version2, |key| key);
        assert_eq!(keys.len(), 6);
    }
}
