//! What typing does: the filter live, the search on Enter, the path of an export with its completion.
//!
//! It does not know what the line looks like.

use crossterm::event::KeyEvent;

use super::app::{App, Request};
use super::export;
use super::overlay::{Overlay, Prompt, Purpose};

impl App {
    pub(super) fn prompt(&mut self, purpose: Purpose) {
        let text = match &purpose {
            Purpose::Filter(before) => before.clone(),
            Purpose::Search => self.search.clone().unwrap_or_default(),
            Purpose::Export => self.export_name(),
        };
        self.overlay = Overlay::Prompt(Prompt::new(purpose, &text));
    }

    pub(super) fn type_key(&mut self, key: KeyEvent) {
        if let Overlay::Prompt(prompt) = &mut self.overlay
            && prompt.line.press(key)
        {
            prompt.choices.clear();
            self.typed();
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if let Overlay::Prompt(prompt) = &mut self.overlay {
            prompt.line.insert(text);
            self.typed();
        }
    }

    /// A filter takes effect with every key.
    fn typed(&mut self) {
        if let Overlay::Prompt(Prompt { purpose: Purpose::Filter(_), line, .. }) = &self.overlay {
            let text = line.text().to_owned();
            self.filtering.set(&text);
        }
    }

    pub(super) fn recall(&mut self, older: bool) {
        let history = self.filtering.history.clone();
        if let Overlay::Prompt(prompt) = &mut self.overlay
            && matches!(prompt.purpose, Purpose::Filter(_))
        {
            prompt.recall(&history, older);
            self.typed();
        }
    }

    pub(super) fn complete(&mut self) {
        if let Overlay::Prompt(prompt) = &mut self.overlay
            && prompt.purpose == Purpose::Export
        {
            let (line, choices) = export::complete(prompt.line.text());
            prompt.line = super::prompt::Line::new(line);
            prompt.choices = choices;
        }
    }

    pub(super) fn accept_prompt(&mut self, prompt: Prompt) {
        let text = prompt.line.text().trim().to_owned();
        match prompt.purpose {
            Purpose::Filter(_) if self.filtering.error.is_some() => self.overlay = Overlay::Prompt(prompt),
            Purpose::Filter(_) => self.filtering.keep(),
            Purpose::Search if text.is_empty() => self.search = None,
            Purpose::Search => {
                self.search = Some(text);
                let down = !self.calls.follow;
                self.search_on(down);
            }
            Purpose::Export if text.is_empty() => {}
            Purpose::Export => {
                self.say(format!("writing {text} ..."));
                self.requests.push(Request::Export(text.into()));
            }
        }
    }
}
