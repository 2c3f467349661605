//! Columns, colours, the mouse and keys, as a file wants them. What they may be is the screen's own business.

use super::Setting;
use crate::ui::app::View;
use crate::ui::custom::Custom;
use crate::ui::keymap::Place;
use crate::ui::theme::{Meaning, Palette};

/// Takes a line of `[screen]`, `[columns]` or `[theme]`.
pub fn put(custom: &mut Custom, setting: &Setting) -> Result<(), String> {
    match (setting.section.as_str(), setting.name.as_str()) {
        ("screen", "mouse") => custom.mouse = Some(setting.switch()?),
        ("columns", name) => {
            let view = View::ALL.into_iter().find(|view| view.name().eq_ignore_ascii_case(name));
            let view = view.ok_or_else(|| unknown(setting, &View::ALL.map(View::name).join(", ").to_lowercase()))?;
            custom.show(view, &setting.words).map_err(|e| setting.wrong(e))?;
        }
        ("theme", "palette") => {
            let word = setting.word()?;
            let palette = Palette::WORDS.iter().find(|(name, _)| *name == word);
            custom.palette = Some(palette.ok_or_else(|| setting.wrong("256, 16 or none is expected"))?.1);
        }
        ("theme", name) => {
            let known = || format!("palette, {}", Meaning::WORDS.map(|(word, _)| word).join(", "));
            let meaning = Meaning::WORDS.iter().find(|(word, _)| *word == name);
            let (_, meaning) = meaning.ok_or_else(|| unknown(setting, &known()))?;
            custom.look(*meaning, setting.word()?).map_err(|e| setting.wrong(e))?;
        }
        _ => return Err(unknown(setting, "mouse")),
    }
    Ok(())
}

fn unknown(setting: &Setting, known: &str) -> String {
    format!("{}: no key is called {} in [{}]; there are {known}", setting.place(), setting.name, setting.section)
}

/// The place of a table of keys.
fn place(setting: &Setting) -> Option<Place> {
    let word = setting.section.strip_prefix("keys")?.trim_start_matches('.');
    Place::ALL.into_iter().find(|place| place.word() == word)
}

/// Takes a line of `[keys]`.
pub fn bind(custom: &mut Custom, setting: &Setting) -> Result<(), String> {
    let Some(place) = place(setting) else { return Ok(()) };
    custom.keymap.bind(place, &setting.name, &setting.words).map_err(|e| setting.wrong(e))
}

/// Whether the keys of a line do something else too, once all lines are taken.
pub fn check_key(custom: &Custom, setting: &Setting) -> Result<(), String> {
    let Some(place) = place(setting) else { return Ok(()) };
    custom.keymap.check(place, &setting.name).map_err(|e| setting.wrong(e))
}
