//! `{{NAME}}` in strings of a layout file: variables of the environment.
//!
//! They are put in after the file was read, so a value can hold quotes, line breaks or brackets and
//! never becomes anything but a part of that string.

use std::env::VarError;

use crate::fault::{Place, Wrong, shown};
use crate::value::{Data, Entry, Value};

/// How much a layout may grow by what variables hold. One value can have 128 KiB on Linux, and a file
/// can name it ten thousand times.
const MAX_GROWTH_BYTES: usize = 256 * 1024;

/// Where variables come from: [`std::env::var`], or something else in a test.
pub type Variables<'a> = &'a dyn Fn(&str) -> Result<String, VarError>;

/// Puts variables into every string of a file. `text` is the file.
pub(crate) fn fill(value: &mut Value, text: &str, variables: Variables<'_>) -> Result<(), Wrong> {
    Filling { text, variables, grown: 0 }.value(value)
}

struct Filling<'a> {
    text: &'a str,
    variables: Variables<'a>,
    grown: usize,
}

impl Filling<'_> {
    fn value(&mut self, value: &mut Value) -> Result<(), Wrong> {
        match &mut value.data {
            Data::Text(found) if found.contains("{{") => {
                let filled = self.string(found, &value.place)?;
                // What is nothing but a variable may be a number or a truth value, too.
                let is_whole = whole(found).is_some();
                value.data = if is_whole { Data::Loose(filled) } else { Data::Text(filled) };
                Ok(())
            }
            Data::List(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    self.value(value).map_err(|wrong| wrong.below(&format!("[{index}]")))?;
                }
                Ok(())
            }
            Data::Table(entries) => {
                for Entry { key, value, .. } in entries {
                    self.value(value).map_err(|wrong| wrong.below(key))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn string(&mut self, found: &str, place: &Place) -> Result<String, Wrong> {
        let mut filled = String::with_capacity(found.len());
        let mut rest = found;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            // Four braces are two that stand for themselves.
            if let Some(after) = after.strip_prefix("{{") {
                filled.push_str("{{");
                rest = after;
                continue;
            }
            let Some((name, after)) = after.split_once("}}").filter(|(name, _)| is_name(name))
            else {
                let rest = shown(&rest[before.len()..]);
                let message = format!("`{rest}` is no variable such as `{{{{NAME}}}}`");
                return Err(Wrong::other(message)
                    .hint("`{{{{` stands for two braces")
                    .at(&self.place(place, "{{")));
            };
            let value = (self.variables)(name.trim());
            let value = value.map_err(|error| self.unusable(name, &error, place))?;
            self.grown += value.len();
            if self.grown > MAX_GROWTH_BYTES {
                let message = format!("variables fill in more than {MAX_GROWTH_BYTES} bytes");
                return Err(Wrong::other(message).at(&self.place(place, name)));
            }
            filled.push_str(&value);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn unusable(&self, name: &str, error: &VarError, place: &Place) -> Wrong {
        let place = self.place(place, name);
        let name = shown(name.trim());
        let (problem, hint) = match error {
            VarError::NotPresent => ("is not set", format!("`export {name}=…` sets it")),
            VarError::NotUnicode(_) => ("is not UTF-8", format!("`export {name}=…` replaces it")),
        };
        Wrong::other(format!("the variable `{name}` {problem}")).hint(hint).at(&place)
    }

    /// Where this stands in the file: a string may have many lines.
    fn place(&self, string: &Place, part: &str) -> Place {
        match string {
            Place::File(at) => {
                let found = self.text.get(*at..).and_then(|text| text.find(part));
                Place::File(at + found.unwrap_or_default())
            }
            Place::Given(_) => string.clone(),
        }
    }
}

/// The name of the variable that is all of this string.
fn whole(text: &str) -> Option<&str> {
    text.strip_prefix("{{")?.strip_suffix("}}").filter(|name| is_name(name))
}

/// Whether this can name a variable. There may be spaces around it.
fn is_name(text: &str) -> bool {
    let name = text.trim_matches(' ');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Result<String, VarError> {
        match name {
            "N" => Ok("3".into()),
            "QUOTED" => Ok("a\"\n[nodes.bob]\nx = \"{{N}}".into()),
            "BROKEN" => Err(VarError::NotUnicode("\u{fffd}".into())),
            "LONG" => Ok("x".repeat(MAX_GROWTH_BYTES / 2 + 1)),
            _ => Err(VarError::NotPresent),
        }
    }

    fn filled(text: &str) -> Result<Data, String> {
        let file = format!("x = \"\"\"{text}\"\"\"");
        let mut value = Value::of_file(&file).expect("TOML");
        let done = fill(&mut value, &file, &variables);
        done.map_err(|wrong| wrong.fault("f.toml", &file).to_string())?;
        Ok(value.get("x").expect("there").value.data.clone())
    }

    #[test]
    fn a_value_stays_in_its_string_whatever_it_holds() {
        let text = |text: &str| Ok(Data::Text(text.into()));
        assert_eq!(filled("{host}"), text("{host}"));
        assert_eq!(filled("-{{N}}-{{ N }}"), text("-3-3"));
        assert_eq!(filled("<{{QUOTED}}>"), text("<a\"\n[nodes.bob]\nx = \"{{N}}>"));
        assert_eq!(filled("{{{{N}} {{N}}"), text("{{N}} 3"));
        assert_eq!(filled("{{N}}"), Ok(Data::Loose("3".into())), "the whole of it");
    }

    #[test]
    fn what_cannot_be_filled_in_is_named_with_its_line() {
        let wrong = |text: &str| filled(text).expect_err(text);
        assert_eq!(
            wrong("a\n {{ NOT_SET }}"),
            "f.toml:2:4: `x`: the variable `NOT_SET` is not set"
        );
        assert_eq!(wrong("{{BROKEN}}"), "f.toml:1:10: `x`: the variable `BROKEN` is not UTF-8");
        for (text, shown) in [("a{{", "{{"), ("{{}}", "{{}}"), ("{{a-b}}", "{{a-b}}")] {
            let wrong = wrong(text);
            assert!(wrong.ends_with(&format!("`{shown}` is no variable such as `{{{{NAME}}}}`")));
        }
        assert!(filled("{{LONG}}").is_ok());
        assert!(wrong("{{LONG}}{{LONG}}").contains("more than 262144 bytes"));
    }
}
