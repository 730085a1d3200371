//! Charts in archives.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_chart::{Chart, Limits, Profile};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

/// A `.tgz` whose entries have exactly these names, sound or not.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, data) in files {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(data);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

fn load(bytes: &[u8], limits: Limits) -> Result<Chart, String> {
    Chart::from_archive("web.tgz", bytes, Profile::Helm4, limits).map_err(|error| error.to_string())
}

#[test]
fn archives_within_archives() {
    let inner = archive(&[
        (
            "sub/Chart.yaml",
            b"apiVersion: v2\nname: sub\nversion: 0.1.0\n",
        ),
        ("sub/templates/a.yaml", b"a"),
    ]);
    let outer = archive(&[
        ("web/Chart.yaml", CHART.as_bytes()),
        ("web/charts/sub-0.1.0.tgz", &inner),
    ]);
    let chart = load(&outer, Limits::default()).expect("a chart");
    assert_eq!(chart.dependencies[0].name(), "sub");
    assert_eq!(chart.dependencies[0].templates[0].name, "templates/a.yaml");
}

#[test]
fn paths_that_leave_the_chart_are_refused() {
    let told =
        |name: &str| load(&archive(&[(name, b"x")]), Limits::default()).expect_err("no chart");
    assert_eq!(
        told("web/../../etc/passwd"),
        "chart illegally references parent directory"
    );
    assert_eq!(
        told("web//etc/passwd"),
        "chart illegally contains absolute paths"
    );
    assert_eq!(
        told("Chart.yaml"),
        "chart illegally contains content outside the base directory: \"Chart.yaml\""
    );
}

#[test]
fn sizes_are_bounded() {
    let big = vec![b'a'; 200_000];
    let bytes = archive(&[
        ("web/Chart.yaml", CHART.as_bytes()),
        ("web/a", &big),
        ("web/b", &big),
    ]);
    let told = |limits| load(&bytes, limits).expect_err("too large");
    let file = Limits {
        file: 100_000,
        ..Limits::default()
    };
    assert_eq!(
        told(file),
        "decompressed chart file \"web/a\" is larger than the maximum file size 100000"
    );
    let whole = Limits {
        archive: 300_000,
        ..Limits::default()
    };
    assert_eq!(
        told(whole),
        "decompressed chart is larger than the maximum size 300000"
    );
    let total = Limits {
        total: 300_000,
        ..Limits::default()
    };
    assert_eq!(told(total), "chart has too many bytes: more than 300000");
    let files = Limits {
        files: 2,
        ..Limits::default()
    };
    assert_eq!(told(files), "chart has too many files: more than 2");
}

#[test]
fn charts_do_not_nest_without_end() {
    let mut bytes = archive(&[("c/Chart.yaml", b"apiVersion: v2\nname: c\nversion: 1.0.0\n")]);
    for _ in 0..40 {
        bytes = archive(&[
            ("c/Chart.yaml", b"apiVersion: v2\nname: c\nversion: 1.0.0\n"),
            ("c/charts/c.tgz", &bytes),
        ]);
    }
    let told = load(&bytes, Limits::default()).expect_err("too deep");
    assert!(
        told.ends_with("chart has too many nested subcharts: more than 32"),
        "{told}"
    );
}

#[test]
fn what_is_no_archive_is_refused() {
    assert_eq!(
        load(b"name: web\n", Limits::default()),
        Err("file 'web.tgz' does not appear to be a gzipped archive; got 'text/plain; charset=utf-8'".to_owned())
    );
    assert_eq!(
        load(&archive(&[]), Limits::default()),
        Err("no files in chart archive".to_owned())
    );
    let bytes = archive(&[("web/Chart.yaml", CHART.as_bytes())]);
    assert!(load(&bytes[..bytes.len() / 2], Limits::default()).is_err());
}
