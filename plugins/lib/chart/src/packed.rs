//! A chart as bytes, so that it can be kept where nothing of a program stays in memory: what its files said, read and checked,
//! and the files themselves.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Number;
use weir_packed::{Reader, Writer};

use crate::chart::{Chart, ChartFile};
use crate::data::FileData;
use crate::limits::Limits;
use crate::metadata::{Dependency, Lock, Maintainer, Metadata};
use crate::shared::{Shared, SharedMap};

impl Chart {
    /// Writes the chart and those inside it.
    pub fn pack(&self, out: &mut Writer) {
        pack_metadata(&self.metadata, out);
        out.option(self.lock.as_ref(), pack_lock);
        pack_files(&self.templates, out);
        pack_files(&self.files, out);
        pack_map(&self.values, out);
        out.option(self.schema.as_ref(), |schema, out| out.bytes(schema));
        out.list(&self.dependencies, Chart::pack);
    }

    /// Reads a chart that was written, with a reader of what is left of all bytes. Files stay where they are. Nothing if it
    /// makes no sense.
    #[must_use]
    pub fn unpack(bytes: &mut Reader<'_>, all: &Arc<Vec<u8>>) -> Option<Self> {
        unpack(bytes, all, 0)
    }
}

fn unpack(bytes: &mut Reader<'_>, all: &Arc<Vec<u8>>, depth: usize) -> Option<Chart> {
    if depth > Limits::default().depth {
        return None;
    }
    let piece = |bytes: &mut Reader<'_>| {
        let length = bytes.bytes()?.len();
        let end = all.len().checked_sub(bytes.rest().len())?;
        FileData::piece_of(all, end.checked_sub(length)?, end)
    };
    Some(Chart {
        metadata: unpack_metadata(bytes)?,
        lock: bytes.option(unpack_lock)?,
        // Each of them becomes a text.
        templates: bytes
            .list(|bytes| unpack_file(bytes, |bytes| Some(bytes.bytes()?.to_vec().into())))?
            .into(),
        files: bytes.list(|bytes| unpack_file(bytes, piece))?.into(),
        values: unpack_map(bytes, 0)?,
        schema: bytes.option(piece)?,
        dependencies: bytes.list(|bytes| unpack(bytes, all, depth + 1))?,
    })
}

fn texts(texts: &[String], out: &mut Writer) {
    out.list(texts, |text, out| out.text(text));
}

fn text(bytes: &mut Reader<'_>) -> Option<String> {
    bytes.text().map(str::to_owned)
}

fn pack_files(files: &[ChartFile], out: &mut Writer) {
    out.list(files, |file, out| {
        out.text(&file.name);
        out.bytes(&file.data);
    });
}

fn unpack_file(
    bytes: &mut Reader<'_>,
    data: impl FnOnce(&mut Reader<'_>) -> Option<FileData>,
) -> Option<ChartFile> {
    Some(ChartFile {
        name: text(bytes)?,
        data: data(bytes)?,
    })
}

fn pack_metadata(metadata: &Metadata, out: &mut Writer) {
    let Metadata {
        name,
        home,
        sources,
        version,
        description,
        keywords,
        maintainers,
        icon,
        api_version,
        condition,
        tags,
        app_version,
        deprecated,
        annotations,
        kube_version,
        dependencies,
        kind,
    } = metadata;
    out.text(name);
    out.text(home);
    texts(sources, out);
    out.text(version);
    out.text(description);
    texts(keywords, out);
    out.list(maintainers, |maintainer, out| {
        let Maintainer { name, email, url } = maintainer;
        [name, email, url]
            .into_iter()
            .for_each(|text| out.text(text));
    });
    out.text(icon);
    out.text(api_version);
    out.text(condition);
    out.text(tags);
    out.text(app_version);
    out.flag(*deprecated);
    out.option(annotations.as_ref(), |annotations, out| {
        out.list(annotations, |(key, value), out| {
            out.text(key);
            out.text(value);
        });
    });
    out.text(kube_version);
    out.option(dependencies.as_ref(), |dependencies, out| {
        out.list(dependencies, pack_dependency);
    });
    out.text(kind);
}

fn unpack_metadata(bytes: &mut Reader<'_>) -> Option<Metadata> {
    Some(Metadata {
        name: text(bytes)?,
        home: text(bytes)?,
        sources: bytes.list(text)?,
        version: text(bytes)?,
        description: text(bytes)?,
        keywords: bytes.list(text)?,
        maintainers: bytes.list(|bytes| {
            Some(Maintainer {
                name: text(bytes)?,
                email: text(bytes)?,
                url: text(bytes)?,
            })
        })?,
        icon: text(bytes)?,
        api_version: text(bytes)?,
        condition: text(bytes)?,
        tags: text(bytes)?,
        app_version: text(bytes)?,
        deprecated: bytes.flag()?,
        annotations: bytes
            .option(|bytes| bytes.list(|bytes| Some((text(bytes)?, text(bytes)?))))?,
        kube_version: text(bytes)?,
        dependencies: bytes.option(|bytes| bytes.list(unpack_dependency))?,
        kind: text(bytes)?,
    })
}

fn pack_dependency(dependency: &Dependency, out: &mut Writer) {
    let Dependency {
        name,
        version,
        repository,
        condition,
        tags,
        enabled,
        import_values,
        alias,
    } = dependency;
    out.text(name);
    out.text(version);
    out.text(repository);
    out.text(condition);
    texts(tags, out);
    out.flag(*enabled);
    out.list(import_values, |value, out| {
        pack_value(&Shared::from_value(value), out);
    });
    out.text(alias);
}

fn unpack_dependency(bytes: &mut Reader<'_>) -> Option<Dependency> {
    Some(Dependency {
        name: text(bytes)?,
        version: text(bytes)?,
        repository: text(bytes)?,
        condition: text(bytes)?,
        tags: bytes.list(text)?,
        enabled: bytes.flag()?,
        import_values: bytes.list(|bytes| Some(unpack_value(bytes, 0)?.to_value()))?,
        alias: text(bytes)?,
    })
}

fn pack_lock(lock: &Lock, out: &mut Writer) {
    let Lock {
        generated,
        digest,
        dependencies,
    } = lock;
    out.text(generated);
    out.text(digest);
    out.list(dependencies, pack_dependency);
}

fn unpack_lock(bytes: &mut Reader<'_>) -> Option<Lock> {
    Some(Lock {
        generated: text(bytes)?,
        digest: text(bytes)?,
        dependencies: bytes.list(unpack_dependency)?,
    })
}

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const UINT: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;
const LIST: u8 = 7;
const MAP: u8 = 8;

/// Values within values. What nests deeper has to be read from its files.
const MAX_NESTING: u32 = 1000;

fn pack_value(value: &Shared, out: &mut Writer) {
    match value {
        Shared::Null => out.byte(NULL),
        Shared::Bool(false) => out.byte(FALSE),
        Shared::Bool(true) => out.byte(TRUE),
        Shared::Number(number) => pack_number(number, out),
        Shared::String(text) => {
            out.byte(TEXT);
            out.text(text);
        }
        Shared::List(items) => {
            out.byte(LIST);
            out.list(&items.borrow(), pack_value);
        }
        Shared::Map(map) => {
            out.byte(MAP);
            pack_map(map, out);
        }
    }
}

fn pack_number(number: &Number, out: &mut Writer) {
    if let Some(int) = number.as_i64() {
        out.byte(INT);
        out.signed(int);
    } else if let Some(int) = number.as_u64() {
        out.byte(UINT);
        out.number(int);
    } else {
        out.byte(FLOAT);
        out.number(number.as_f64().unwrap_or_default().to_bits());
    }
}

fn pack_map(map: &SharedMap, out: &mut Writer) {
    let map = map.borrow();
    out.count(map.len());
    for (key, value) in map.iter() {
        out.text(key);
        pack_value(value, out);
    }
}

fn unpack_value(bytes: &mut Reader<'_>, depth: u32) -> Option<Shared> {
    Some(match bytes.byte()? {
        NULL => Shared::Null,
        FALSE => Shared::Bool(false),
        TRUE => Shared::Bool(true),
        INT => Shared::Number(bytes.signed()?.into()),
        UINT => Shared::Number(bytes.number()?.into()),
        FLOAT => Shared::Number(Number::from_f64(f64::from_bits(bytes.number()?))?),
        TEXT => Shared::String(bytes.text()?.into()),
        LIST => Shared::list(bytes.list(|bytes| unpack_value(bytes, deeper(depth)?))?),
        MAP => Shared::Map(unpack_map(bytes, deeper(depth)?)?),
        _ => return None,
    })
}

fn deeper(depth: u32) -> Option<u32> {
    (depth < MAX_NESTING).then_some(depth + 1)
}

fn unpack_map(bytes: &mut Reader<'_>, depth: u32) -> Option<SharedMap> {
    let entries = bytes.list(|bytes| Some((bytes.text()?.into(), unpack_value(bytes, depth)?)))?;
    Some(Rc::new(RefCell::new(entries.into_iter().collect())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Profile;

    fn chart() -> Chart {
        let subchart = "apiVersion: v2\nname: sub\nversion: 0.1.0\ntype: library\n";
        let files = [
            (
                "Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: 4\ndeprecated: true\nsources: [a, b]\n\
                 keywords: [k]\nmaintainers: [{name: n, email: e, url: u}]\nannotations: {b: c, a: d}\nkubeVersion: '>=1'\n\
                 dependencies:\n- {name: sub, version: 0.x, alias: other, tags: [t], condition: c.d, import-values: [data, \
                 {child: x, parent: y}]}\n",
            ),
            (
                "Chart.lock",
                "generated: \"2026-01-01\"\ndigest: x\ndependencies: [{name: sub, version: 0.1.0}]\n",
            ),
            (
                "values.yaml",
                "a: {b: [1, 2.5, -3, null, true, false, text, {}], c: 18446744073709551615}\nother: {x: é}\n",
            ),
            ("values.schema.json", "{}"),
            ("templates/a.yaml", "a: {{ .Values.a }}\n"),
            ("crds/c.yaml", "kind: X\n"),
            ("charts/sub/Chart.yaml", subchart),
            ("charts/sub/templates/_x.tpl", "{{ define \"x\" }}{{ end }}"),
        ];
        let mut files: Vec<ChartFile> = files
            .into_iter()
            .map(|(name, text)| ChartFile::new(name, text.into()))
            .collect();
        files.push(ChartFile::new("icon.png", vec![0xff, 0, 0xfe]));
        Chart::from_files(files, Profile::default(), Limits::default()).unwrap()
    }

    fn packed(chart: &Chart) -> Vec<u8> {
        let mut out = Writer::default();
        chart.pack(&mut out);
        out.finish()
    }

    fn unpacked(packed: Vec<u8>) -> Option<Chart> {
        let all = Arc::new(packed);
        let mut bytes = Reader::new(&all);
        let chart = Chart::unpack(&mut bytes, &all);
        assert!(chart.is_none() || bytes.rest().is_empty());
        chart
    }

    #[test]
    fn everything_in_a_chart_comes_back() {
        assert_eq!(unpacked(packed(&chart())), Some(chart()));
    }

    #[test]
    fn values_of_every_kind_come_back() {
        let values = serde_json::json!([null, true, false, -5, u64::MAX, 0.1, 1e300, 2.0, "é", [], {}, {"a": [{"b": 1}]}]);
        let value = Shared::from_value(&values);
        let mut out = Writer::default();
        pack_value(&value, &mut out);
        let packed = out.finish();
        assert_eq!(unpack_value(&mut Reader::new(&packed), 0), Some(value));
    }

    proptest! {
        #[test]
        fn damaged_bytes_do_no_harm(at: prop::sample::Index, byte: u8, end: prop::sample::Index) {
            let mut packed = packed(&chart());
            let at = at.index(packed.len());
            packed[at] = byte;
            packed.truncate(end.index(packed.len() * 4).min(packed.len()));
            let all = Arc::new(packed);
            let _ = Chart::unpack(&mut Reader::new(&all), &all);
        }
    }
}
