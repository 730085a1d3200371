//! Nothing that a stranger writes makes these functions panic or run on.

use proptest::prelude::*;
use weir_chart::set::{empty, set, set_json, set_literal, set_string};
use weir_chart::{Chart, ChartFile, IgnoreRules, Limits, Profile, pattern, read_values};

proptest! {
    #[test]
    fn overrides_of_any_text(text in r#"[a-c.,=\[\]{}0-9\\ "-]{0,60}"#) {
        let values = empty();
        let _ = set(&text, &values);
        let _ = set_string(&text, &values);
        let _ = set_json(&text, &values);
        let _ = set_literal(&text, &values);
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
    fn archives_of_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut gzip = vec![0x1f, 0x8b, 8];
        gzip.extend_from_slice(&bytes);
        let _ = Chart::from_archive("a.tgz", &gzip, Profile::Helm4, Limits::default());
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
