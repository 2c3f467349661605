//! TOML as lines that mean something: a table, a name, words, and where it stands.
//!
//! It knows which tables there are, not which names.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Setting;

/// The tables, those of `keys` included.
const SECTIONS: [&str; 12] = [
    "log",
    "who",
    "report",
    "replay",
    "screen",
    "columns",
    "theme",
    "keys",
    "keys.detail",
    "keys.list",
    "keys.prompt",
    "keys.question",
];

/// The settings of a file.
///
/// # Errors
/// What is no TOML, or no table of ours, and in which line.
pub fn settings(path: &Path, text: &str) -> Result<Vec<Setting>, String> {
    let reader = Reader { path, text };
    let root = DeTable::parse(text).map_err(|e| {
        let line = reader.line(e.span().map_or(0, |span| span.start));
        format!("{}:{line}: {}", path.display(), e.message())
    })?;
    let mut settings = Vec::new();
    reader.table("", root.get_ref(), &mut settings)?;
    settings.sort_by_key(|setting| setting.line);
    Ok(settings)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        memchr::memchr_iter(b'\n', &self.text.as_bytes()[..at.min(self.text.len())]).count() + 1
    }

    fn table(&self, section: &str, table: &DeTable<'_>, settings: &mut Vec<Setting>) -> Result<(), String> {
        for (key, value) in table {
            let (name, line) = (key.get_ref(), self.line(key.span().start));
            let wrong = |why: String| Err(format!("{}:{line}: {why}", self.path.display()));
            if let DeValue::Table(inner) = value.get_ref() {
                let dot = if section.is_empty() { "" } else { "." };
                let inner_name = format!("{section}{dot}{name}");
                if !SECTIONS.contains(&&*inner_name) {
                    return wrong(format!("no table is called [{inner_name}]; there are {}", SECTIONS.join(", ")));
                }
                self.table(&inner_name, inner, settings)?;
                continue;
            }
            let Some((words, is_list)) = words(value) else {
                return wrong(format!("{name}: text, a whole number, true, false or a list of these is expected"));
            };
            let (section, name, file) = (section.to_owned(), name.to_string(), self.path.to_owned());
            settings.push(Setting { section, name, words, is_list, file, line });
        }
        Ok(())
    }
}

/// A value as the words of a command line.
fn words(value: &Spanned<DeValue<'_>>) -> Option<(Vec<String>, bool)> {
    let word = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        _ => None,
    };
    match value.get_ref() {
        DeValue::Array(list) => Some((list.iter().map(|v| word(v.get_ref())).collect::<Option<_>>()?, true)),
        one => Some((vec![word(one)?], false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Setting>, String> {
        settings(Path::new("c.toml"), text)
    }

    #[test]
    fn settings_know_their_lines() {
        let read = read("# mine\nbuffer = \"64M\"\nkeep = 7\n\n[keys.detail]\ncopy-text = ['c', \"F2\"]\n").unwrap();
        let told: Vec<_> =
            read.iter().map(|s| (s.section.as_str(), s.name.as_str(), s.words.join(","), s.line)).collect();
        let expected = [("", "buffer", "64M", 2), ("", "keep", "7", 3), ("keys.detail", "copy-text", "c,F2", 6)];
        assert_eq!(told, expected.map(|(section, name, words, line)| (section, name, words.to_owned(), line)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            ("a = 1\nb = ", "c.toml:2: "),
            ("a = 1\na = 2", "c.toml:2: "),
            ("\n[colour]\nx = 1", "c.toml:2: no table is called [colour]; there are log, who"),
            ("[keys.calls]", "c.toml:1: no table is called [keys.calls]"),
            ("x = 1\ny = 2026-11-24", "c.toml:2: y: text, a whole number"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
