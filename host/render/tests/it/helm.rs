//! The embedded plugin `helm` as tests call it.

use weir_plugin::Grants;
use weir_testing::plugin::{Plugin, host};

pub(crate) fn helm() -> Plugin {
    let plugins = weir_render::builtin::load_named(host(), &["helm"]).unwrap();
    Plugin::of(plugins["helm"].plugin.clone())
}

/// What a chart needs: its files, and to make Secrets.
pub(crate) fn grants() -> Grants {
    Grants {
        files: vec!["**".to_owned()],
        documents: vec!["Secret".to_owned()],
        ..Grants::default()
    }
}
