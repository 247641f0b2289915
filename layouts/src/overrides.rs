//! What flags and variables of the environment say of a layout, over what its file says.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::fault::{LayoutFault, Wrong, shown};
use crate::value::{Data, Value};

/// The longest path of a field, in bytes: several times the longest name of a client and of its fields. It
/// also bounds how deep tables are nested.
const LONGEST_PATH_BYTES: usize = 256;

/// A field of a layout that somebody set besides the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    path: Vec<String>,
    value: Value,
}

impl Override {
    /// A field at the top, set by a flag or a variable. `origin` is what it is called in errors.
    pub fn field(origin: &str, field: &str, value: &str) -> Result<Self, LayoutFault> {
        let origin: Arc<str> = origin.into();
        let value =
            Value::given(&origin, value).map_err(|wrong| wrong.below(field).fault(&origin, ""))?;
        Ok(Self { path: vec![field.into()], value })
    }

    /// Any field, as `--param` says it: its path in the file, `=`, and its value. A value is read as in
    /// the file, except that a text needs no quotes.
    pub fn param(text: &str) -> Result<Self, LayoutFault> {
        let origin = format!("--param {}", shown(text));
        let wrong = |message: &str| LayoutFault {
            origin: origin.clone(),
            message: message.into(),
            hint: Some("write `--param nodes.mix-1-1.metrics=false`".into()),
        };
        let (path, value) = text.split_once('=').ok_or_else(|| wrong("`=` is missing"))?;
        let path = path_of(path).ok_or_else(|| {
            wrong("what is before `=` is not the path of a field, such as `nodes.alice.slot`")
        })?;
        let value = Value::given(&origin.as_str().into(), value).map_err(|wrong| {
            path.iter().rev().fold(wrong, |wrong, key| wrong.below(key)).fault(&origin, "")
        })?;
        Ok(Self { path, value })
    }

    /// Sets the field. One of `width`, `layers` and `widths` changes what the others say.
    pub(crate) fn apply(&self, layout: &mut Value) -> Result<(), Wrong> {
        if let [field] = self.path.as_slice() {
            match field.as_str() {
                "widths" => {
                    layout.remove("width");
                    layout.remove("layers");
                }
                "width" => one_width(layout),
                "layers" => self.as_many_layers(layout)?,
                _ => {}
            }
        }
        layout.set(&self.path, self.value.clone())
    }

    /// As many layers, if it is clear how wide they are.
    fn as_many_layers(&self, layout: &mut Value) -> Result<(), Wrong> {
        let Some(Data::List(widths)) = layout.get("widths").map(|entry| &entry.value.data) else {
            return Ok(());
        };
        let Some(width) = widths.first().cloned() else { return Ok(()) };
        if widths.iter().any(|other| other.data != width.data) {
            return Err(Wrong::other("the layout's layers differ in width")
                .hint("`--param widths=[2,2,1]` says how wide each is")
                .at(&self.value.place)
                .below("layers"));
        }
        layout.remove("widths");
        layout.set(&["width".into()], width)
    }
}

/// In place of different widths, one; of as many layers.
fn one_width(layout: &mut Value) {
    if let Some(Value { data: Data::List(widths), place }) = layout.remove("widths") {
        let layers = i64::try_from(widths.len()).unwrap_or(i64::MAX);
        let layers = Value { place, data: Data::Integer(layers) };
        layout.set(&["layers".into()], layers).expect("a layout is a table");
    }
}

/// The keys of a dotted path, which is read as in a file.
fn path_of(text: &str) -> Option<Vec<String>> {
    if text.len() > LONGEST_PATH_BYTES || text.contains(['\n', '#']) {
        return None;
    }
    let document = format!("{text} = 0");
    let mut table = DeTable::parse(&document).ok()?.into_inner();
    let mut path = Vec::new();
    loop {
        let (key, value) = table.into_iter().next()?;
        path.push(key.into_inner().into_owned());
        match value.into_inner() {
            DeValue::Table(below) => table = below,
            _ => return Some(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_in_a_file() {
        let path = |text: &str| path_of(text).map(|path| path.join("/"));
        assert_eq!(path("nodes.mix-1-1.metrics").as_deref(), Some("nodes/mix-1-1/metrics"));
        assert_eq!(path(" nodes . \"a.b\" ").as_deref(), Some("nodes/a.b"));
        for wrong in ["", ".", "a.", "[a]", "a b", "a\nb", "a=1\nb", "#", "a #"] {
            assert_eq!(path(wrong), None, "{wrong:?}");
        }
    }
}
