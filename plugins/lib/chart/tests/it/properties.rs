//! Nothing that a stranger writes makes these functions panic or run on.

use proptest::prelude::*;
use weir_chart::set::{empty, set};
use weir_chart::{Chart, ChartFile, IgnoreRules, Limits, Profile, pattern, read_values};

use crate::laws;

proptest! {
    #[test]
    fn overrides_of_any_text(text in r#"[a-c.,=\[\]{}0-9\\ "-]{0,60}"#) {
        laws::overrides_survive(&text);
    }

    #[test]
    fn what_is_set_can_be_set_again(text in r"[a-c](\.[a-c]|\[[0-3]\]){0,3}=[a-z0-9]{0,5}") {
        let once = empty();
        let twice = empty();
        prop_assert!(set(&text, &once).is_ok());
        prop_assert!(set(&text, &twice).is_ok() && set(&text, &twice).is_ok());
        prop_assert_eq!(weir_chart::shared::map_to(&once), weir_chart::shared::map_to(&twice));
    }

    #[test]
    fn patterns_of_any_text(pattern in r"[ab*?\[\]^\\/-]{0,20}", name in r"[ab/]{0,20}") {
        let _ = pattern::matches(&pattern, &name);
        if let Ok(rules) = IgnoreRules::parse(&pattern) {
            let _ = rules.ignores(&name, true);
        }
    }

    #[test]
    fn what_is_escaped_is_read_back(key in ".{0,8}", value in r#"[a-c.,=\[\]{}\\ ]{0,12}"#) {
        laws::an_escaped_assignment_is_read_back(&key, &value);
    }

    #[test]
    fn ranges_of_any_text(range in r"[0-3vxX*.,|<>=~^! +a-]{0,24}", version in r"v?[0-3]{1,2}(\.[0-3]){0,2}(-[a0.-]{1,4})?(\+[a0]{1,3})?") {
        laws::ranges_survive(&range, &version);
    }

    #[test]
    fn versions_have_one_order(texts in proptest::array::uniform3(r"v?[0-2]{1,2}(\.[0-2]){0,2}(-[ab01]{1,2}(\.[ab01]{1,2}){0,2})?(\+[ab]{1,2})?")) {
        laws::versions_are_ordered([&texts[0], &texts[1], &texts[2]]);
    }

    #[test]
    fn archives_of_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        laws::archives_survive(&bytes);
    }

    #[test]
    fn archives_of_any_entries(
        entries in proptest::collection::vec((r"[a-c./\\]{0,12}|t/Chart\.yaml", prop::sample::select(b"012345670LKxg".to_vec()), 0..2000u64, "[a-z: \n]{0,20}"), 0..5),
    ) {
        let mut archive = Vec::new();
        for (path, kind, size, text) in entries {
            archive.extend(entry(&path, kind, size, &text));
        }
        laws::archives_survive(&archive);
    }

    #[test]
    fn charts_of_any_text(chart in "[a-zA-Z:\\[\\]{} \n-]{0,80}", values in "[a-z:\\[\\]{} \n-]{0,80}") {
        let files = vec![
            ChartFile::new("Chart.yaml", chart.into_bytes()),
            ChartFile::new("values.yaml", values.clone().into_bytes()),
        ];
        let _ = Chart::from_files(files, Profile::Helm4, Limits::default());
        let _ = read_values(&values, Profile::Helm3);
    }
}

/// An entry of a tar archive whose size need not be true.
fn entry(path: &str, kind: u8, size: u64, text: &str) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend_from_slice(text.as_bytes());
    out.resize(out.len().next_multiple_of(512), 0);
    out
}
