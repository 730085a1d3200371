use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn check(constraint: &str, version: &str) -> bool {
    let version = Version::loose(version).unwrap();
    let constraint = Constraints::parse(constraint).unwrap();
    let holds = constraint.check(&version);
    assert_eq!(constraint.validate(&version).is_ok(), holds);
    holds
}

#[test]
fn constraints_hold_where_the_original_says_so() {
    // The bits are for 1.2.3, 1.3.0, 3.1.4, 1.2.4-rc.1 and 0.5.0.
    for (constraint, expected) in [
        (">=1.2.3 <2.0.0 || >=3", "11100"),
        ("~1.2 || ^3.0", "10100"),
        ("1.x", "11000"),
        (">1.2.x", "01100"),
        ("<=1.2.x", "10001"),
        ("!=1.x", "00101"),
        ("=1.2.3", "10000"),
        ("v1.2.3", "10000"),
        ("1.2.3-alpha", "00000"),
        (">=1.2.3-0", "11110"),
        ("1.2 - 1.3", "11000"),
        ("x", "11101"),
        ("~0", "00001"),
        ("^0.x", "00001"),
    ] {
        let found: String = ["1.2.3", "1.3.0", "3.1.4", "1.2.4-rc.1", "0.5.0"]
            .iter()
            .map(|version| if check(constraint, version) { '1' } else { '0' })
            .collect();
        assert_eq!(found, expected, "{constraint}");
    }
}

#[test]
fn prereleases_take_part_only_if_asked_for() {
    assert!(!check(">=1.16.0", "1.20.0-gke.1"));
    assert!(check(">=1.16.0-0", "1.20.0-gke.1"));
    assert!(check("*-0", "1.0.0-rc.1"));
    assert!(!check("*", "1.0.0-rc.1"));
    assert!(!check("!=1.0.0", "1.0.0-rc"));
}

#[test]
fn caret_stays_below_the_first_number_that_is_not_zero() {
    assert!(check("^0.2.3", "0.2.9"));
    assert!(!check("^0.2.3", "0.3.0"));
    assert!(!check("^0.0.3", "0.0.4"));
    assert!(check("^0", "0.9.0"));
    assert!(check("^0.0", "0.0.9"));
}

#[test]
fn reasons_name_version_and_constraint() {
    let reasons = |constraint: &str, version: &str| {
        let constraint = Constraints::parse(constraint).unwrap();
        constraint.validate(&Version::loose(version).unwrap())
    };
    assert_eq!(
        reasons(">=1.25.0", "1.20.0").unwrap_err(),
        ["\"1.20.0\" is less than \"1.25.0\""]
    );
    assert_eq!(
        reasons(">=1.25, <2 || 3.x", "1.20-rc").unwrap_err(),
        [
            "\"1.20.0-rc\" is a prerelease version and the constraint is only looking for release versions"
        ]
    );
    let plain = Constraints::parse_worded("~1.2", Wording::Plain).unwrap();
    assert_eq!(
        plain
            .validate(&Version::loose("1.3.0").unwrap())
            .unwrap_err(),
        ["1.3.0 does not have same major and minor version as 1.2"]
    );
}

#[test]
fn bad_constraints_are_named() {
    let error = |text: &str| Constraints::parse(text).unwrap_err().to_string();
    assert_eq!(error(">>1"), "improper constraint: \">>1\"");
    assert_eq!(error(""), "improper constraint: \"\"");
    let plain = Constraints::parse_worded(">>1", Wording::Plain);
    assert_eq!(plain.unwrap_err().to_string(), "improper constraint: >>1");
    assert_eq!(
        error(&"1 ".repeat(300)),
        "constraint string is too long (max 512 bytes)"
    );
    assert_eq!(
        error(&["1"; 33].join("||")),
        "too many constraint groups (max 32)"
    );
}

#[test]
fn loose_versions() {
    for (text, expected) in [
        ("v1.2.3-beta.1+c", "1.2.3-beta.1+c"),
        ("1.2", "1.2.0"),
        ("01.02.03", "1.2.3"),
    ] {
        let version = Version::loose(text).unwrap();
        assert_eq!(
            (version.to_string().as_str(), version.original.as_str()),
            (expected, text)
        );
    }
    for text in ["", "abc", "1.2.3.4", "1.2.3-", "V1"] {
        assert_eq!(
            Version::loose(text).unwrap_err().to_string(),
            "invalid semantic version"
        );
    }
    assert_eq!(
        Version::loose("1.2.3-01").unwrap_err().to_string(),
        "version segment starts with 0"
    );
    assert_eq!(
        Version::loose("18446744073709551616")
            .unwrap_err()
            .to_string(),
        "error parsing version segment: strconv.ParseUint: parsing \"18446744073709551616\": value out of range"
    );
}

#[test]
fn complete_versions() {
    assert_eq!(
        Version::parse("1.2.3-a+b").unwrap().to_string(),
        "1.2.3-a+b"
    );
    for (text, expected) in [
        ("", "version string empty"),
        ("1.2", "invalid semantic version"),
        ("v1.2.3", "invalid characters in version"),
        ("01.2.3", "version segment starts with 0"),
        ("1.2.3-", "invalid prerelease string"),
        ("1.2.3+", "invalid metadata string"),
    ] {
        assert_eq!(
            Version::parse(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn precedence() {
    let order = |left: &str, right: &str| {
        Version::loose(left)
            .unwrap()
            .order(&Version::loose(right).unwrap())
    };
    assert_eq!(order("1.2.3-rc.10", "1.2.3-rc.9"), Ordering::Greater);
    assert_eq!(order("1.0.0-alpha", "1.0.0-alpha.1"), Ordering::Less);
    assert_eq!(order("1.0.0-1", "1.0.0-a"), Ordering::Less);
    assert_eq!(order("1.0.0", "1.0.0-z"), Ordering::Greater);
    assert_eq!(order("1.0.0+a", "1.0.0+b"), Ordering::Equal);
}

#[test]
fn steps() {
    let version = Version::loose("v1.2.3-beta+c").unwrap();
    assert_eq!(version.next_patch().unwrap().original, "v1.2.3");
    assert_eq!(version.next_minor().unwrap().to_string(), "1.3.0");
    assert_eq!(version.next_major().unwrap().to_string(), "2.0.0");
    assert_eq!(
        version.with_metadata("d").unwrap().to_string(),
        "1.2.3-beta+d"
    );
    assert_eq!(version.with_prerelease("").unwrap().to_string(), "1.2.3+c");
    assert!(version.with_prerelease("a..b").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[0-9a-z.*xX<>=!~^|, v+-]{0,40}", version in "[0-9v.a-z+-]{0,20}") {
        if let (Ok(constraints), Ok(version)) = (Constraints::parse(&text), Version::loose(&version)) {
            prop_assert_eq!(constraints.check(&version), constraints.validate(&version).is_ok());
        }
        let _ = Version::parse(&version);
    }
}
