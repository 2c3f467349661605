//! Colours by meaning: what a text says decides how it looks, and nothing is told by colour alone.
//!
//! One accent for what can be acted on, red for failures and loss and nothing else, dim for what is usual.
//! Three palettes: 256 colours, the terminal's own 16, and none (`NO_COLOR`), which does with bold, dim and reverse.

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// The 256-colour cube, whose greys look alike on light and dark terminals.
    Full,
    /// The terminal's own 16 colours.
    Sixteen,
    /// None: bold, dim and reverse only.
    None,
}

impl Palette {
    /// By their words in the configuration.
    pub const WORDS: [(&'static str, Self); 3] = [("256", Self::Full), ("16", Self::Sixteen), ("none", Self::None)];

    /// What the environment asks for; `var` looks a variable up.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| var(name).filter(|v| !v.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term == "dumb" || term.starts_with("vt") {
            Self::None
        } else if set("COLORTERM").is_some()
            || ["256color", "direct", "kitty", "alacritty", "ghostty", "foot"].iter().any(|t| term.contains(t))
        {
            Self::Full
        } else {
            Self::Sixteen
        }
    }
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Worth reading.
    Plain,
    /// Usual: fades into the background.
    Dim,
    /// More than the rest of its line.
    Strong,
    /// The accent: where one is, and what can be pressed.
    Accent,
    /// A failure or a loss.
    Alarm,
    /// A failure or a loss that must be seen from across the room.
    Shout,
    /// A title of a column.
    Title,
    /// A label that tells where one is: the open tab, a pause.
    Badge,
}

impl Meaning {
    /// By their words in the configuration.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("plain", Self::Plain),
        ("dim", Self::Dim),
        ("strong", Self::Strong),
        ("accent", Self::Accent),
        ("alarm", Self::Alarm),
        ("shout", Self::Shout),
        ("title", Self::Title),
        ("badge", Self::Badge),
    ];
}

/// How every meaning looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    palette: Palette,
    others: [Option<Style>; Meaning::WORDS.len()],
}

const GREY: Color = Color::Indexed(245);
const RED: Color = Color::Indexed(203);
const TEAL: Color = Color::Indexed(37);
const BAR: Color = Color::Indexed(238);
const ON_BAR: Color = Color::Indexed(255);
const DIM_ON_BAR: Color = Color::Indexed(250);
const RED_ON_BAR: Color = Color::Indexed(210);

impl Theme {
    /// The theme of a palette.
    pub const fn new(palette: Palette) -> Self {
        Self { palette, others: [None; Meaning::WORDS.len()] }
    }

    /// The same, where a meaning looks otherwise. Without colours only its manner counts: bold, dim and so on.
    #[must_use]
    pub fn with(mut self, meaning: Meaning, mut style: Style) -> Self {
        if self.palette == Palette::None {
            (style.fg, style.bg) = (None, None);
        }
        self.others[meaning as usize] = Some(style);
        self
    }

    /// The style of a meaning.
    pub const fn style(self, meaning: Meaning) -> Style {
        if let Some(style) = self.others[meaning as usize] {
            return style;
        }
        let plain = Style::new();
        match (meaning, self.palette) {
            (Meaning::Plain, _) => plain,
            (Meaning::Strong, _) | (Meaning::Accent | Meaning::Alarm, Palette::None) => {
                plain.add_modifier(Modifier::BOLD)
            }
            (Meaning::Dim | Meaning::Title, Palette::Full) => plain.fg(GREY),
            (Meaning::Dim, _) => plain.add_modifier(Modifier::DIM),
            (Meaning::Title, _) => plain.add_modifier(Modifier::UNDERLINED),
            (Meaning::Accent, Palette::Full) => plain.fg(TEAL).add_modifier(Modifier::BOLD),
            (Meaning::Accent, Palette::Sixteen) => plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            (Meaning::Alarm, Palette::Full) => plain.fg(RED),
            (Meaning::Alarm, Palette::Sixteen) => plain.fg(Color::Red),
            (Meaning::Shout, Palette::Full) => {
                plain.fg(Color::Indexed(231)).bg(Color::Indexed(160)).add_modifier(Modifier::BOLD)
            }
            (Meaning::Shout, Palette::Sixteen) => plain.fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
            (Meaning::Badge, Palette::Full) => plain.fg(Color::Indexed(16)).bg(TEAL),
            (Meaning::Badge, Palette::Sixteen) => plain.fg(Color::Black).bg(Color::Cyan),
            (Meaning::Badge, Palette::None) => plain.add_modifier(Modifier::REVERSED),
            (Meaning::Shout, Palette::None) => plain.add_modifier(Modifier::BOLD).add_modifier(Modifier::REVERSED),
        }
    }

    /// The style of a meaning on the selected row.
    pub const fn on_bar(self, meaning: Meaning) -> Style {
        if !matches!(self.palette, Palette::Full) {
            return Style::new().add_modifier(Modifier::REVERSED);
        }
        let bar = Style::new().bg(BAR);
        match meaning {
            Meaning::Alarm | Meaning::Shout => bar.fg(RED_ON_BAR),
            Meaning::Dim | Meaning::Title => bar.fg(DIM_ON_BAR),
            Meaning::Strong | Meaning::Accent | Meaning::Badge => bar.fg(ON_BAR).add_modifier(Modifier::BOLD),
            Meaning::Plain => bar.fg(ON_BAR),
        }
    }

    /// The cell of the selected row that the cursor is on.
    pub const fn cursor(self) -> Style {
        match self.palette {
            Palette::Full => Style::new().fg(Color::Indexed(16)).bg(TEAL),
            // The rest of the row is reversed; this cell is not.
            Palette::Sixteen => Style::new().fg(Color::Black).bg(Color::Cyan).remove_modifier(Modifier::REVERSED),
            Palette::None => Style::new()
                .add_modifier(Modifier::BOLD)
                .add_modifier(Modifier::UNDERLINED)
                .remove_modifier(Modifier::REVERSED),
        }
    }

    /// Text that a search found.
    pub const fn found(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED).add_modifier(Modifier::BOLD)
    }
}

/// The style of words: colours by name, number or `#rrggbb`, `on` before that of the background, and manners.
///
/// # Errors
/// The word that is neither.
pub fn parse(words: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut behind = false;
    for word in words.split_whitespace() {
        let manner = match word {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "italic" => Modifier::ITALIC,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            "on" if !behind => {
                behind = true;
                continue;
            }
            _ => {
                let colour = word.parse::<Color>().map_err(|_| {
                    format!("{word:?} is no colour (cyan, light-red, 203, #ff8700) and not bold, dim, italic, underlined or reversed")
                })?;
                style = if std::mem::take(&mut behind) { style.bg(colour) } else { style.fg(colour) };
                continue;
            }
        };
        style = style.add_modifier(manner);
    }
    if behind { Err("a colour is missing behind \"on\"".to_owned()) } else { Ok(style) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette(vars: &[(&str, &str)]) -> Palette {
        Palette::from_env(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(palette(&[("TERM", "xterm-256color")]), Palette::Full);
        assert_eq!(palette(&[("TERM", "linux")]), Palette::Sixteen);
        assert_eq!(palette(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Palette::None);
        assert_eq!(palette(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Palette::Full);
        assert_eq!(palette(&[("TERM", "dumb")]), Palette::None);
    }

    #[test]
    fn styles_are_read_as_people_write_them() {
        assert_eq!(parse("bold cyan on 238"), Ok(Style::new().fg(Color::Cyan).bg(BAR).add_modifier(Modifier::BOLD)));
        assert_eq!(parse("#ff8700"), Ok(Style::new().fg(Color::Rgb(255, 135, 0))));
        assert_eq!(parse("light-red"), Ok(Style::new().fg(Color::LightRed)));
        assert_eq!(parse("on red white"), Ok(Style::new().bg(Color::Red).fg(Color::White)));
        for wrong in ["shiny", "red on", "on on red", "256"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(Meaning::WORDS.iter().enumerate().all(|(n, (_, meaning))| *meaning as usize == n));
    }

    #[test]
    fn red_is_for_failure_and_loss_only() {
        for palette in [Palette::Full, Palette::Sixteen, Palette::None] {
            let theme = Theme::new(palette);
            for meaning in [Meaning::Plain, Meaning::Dim, Meaning::Strong, Meaning::Accent, Meaning::Title] {
                let style = theme.style(meaning);
                assert!(!matches!(style.fg, Some(Color::Red | RED)), "{meaning:?}");
                assert!(palette != Palette::None || (style.fg.is_none() && style.bg.is_none()));
            }
        }
    }
}
