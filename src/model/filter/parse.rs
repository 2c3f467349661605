//! Text to tree, one character at a time, with the column of what is wrong.

use super::Expr;
use super::error::FilterError;
use super::pattern::Raw;
use super::term::{Comparison, Term};

/// Brackets and "not" within one another.
const DEPTH: usize = 64;

pub(super) fn parse(text: &str) -> Result<Option<Expr>, FilterError> {
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Parser { chars: &chars, at: 0 };
    parser.space();
    if parser.peek().is_none() {
        return Ok(None);
    }
    let expr = parser.or(0)?;
    match parser.peek() {
        None => Ok(Some(expr)),
        Some(_) => Err(parser.expected("and, or, or the end: there is no ( for this )")),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    const fn column(&self) -> usize {
        self.at + 1
    }

    fn expected(&self, what: &str) -> FilterError {
        FilterError::new(self.column(), format!("expected {what}"))
    }

    /// True if a keyword stands here by itself.
    fn sees(&self, word: &str) -> bool {
        let rest = &self.chars[self.at..];
        rest.len() >= word.len()
            && word.chars().zip(rest).all(|(a, b)| a == b.to_ascii_lowercase())
            && rest.get(word.len()).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
    }

    fn take(&mut self, word: &str) -> bool {
        let seen = self.sees(word);
        if seen {
            self.at += word.len();
            self.space();
        }
        seen
    }

    fn or(&mut self, depth: usize) -> Result<Expr, FilterError> {
        let mut parts = vec![self.and(depth)?];
        while self.take("or") {
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self, depth: usize) -> Result<Expr, FilterError> {
        let mut parts = vec![self.not(depth)?];
        loop {
            if self.take("and") || !(matches!(self.peek(), None | Some(')')) || self.sees("or")) {
                parts.push(self.not(depth)?);
            } else {
                return Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) });
            }
        }
    }

    fn not(&mut self, depth: usize) -> Result<Expr, FilterError> {
        if depth > DEPTH {
            return Err(FilterError::new(self.column(), "too many brackets within one another"));
        }
        if self.take("not") {
            return self.not(depth + 1).map(|e| Expr::Not(Box::new(e)));
        }
        match self.peek() {
            None => Err(self.expected("a word or a comparison such as op=add")),
            Some(')') => Err(self.expected("a word or a comparison before )")),
            Some('!') => {
                self.at += 1;
                self.space();
                self.not(depth + 1).map(|e| Expr::Not(Box::new(e)))
            }
            Some('(') => {
                self.at += 1;
                self.space();
                let inner = self.or(depth + 1)?;
                if self.peek() != Some(')') {
                    return Err(self.expected(")"));
                }
                self.at += 1;
                self.space();
                Ok(inner)
            }
            Some(_) if self.sees("and") || self.sees("or") => {
                Err(self.expected("a word or a comparison; quote \"and\" and \"or\" to look for them"))
            }
            Some(_) => self.term(),
        }
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        let term = if let Some(comparison) = self.comparison() {
            if name.is_empty() {
                return Err(FilterError::new(start + 1, "expected a field's name right before this, as in op=add"));
            }
            let values = self.values(comparison)?;
            Term::compare((&name, start + 1), comparison, values)?
        } else {
            self.at = start;
            let raw = self.raw(|_| false)?;
            if raw.text.is_empty() {
                return Err(FilterError::new(start + 1, "expected a word"));
            }
            Term::word(raw)
        };
        if self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | ')')) {
            return Err(self.expected("a space after the closing quote"));
        }
        self.space();
        Ok(Expr::Term(term))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let rest = &self.chars[self.at..];
        let (text, comparison) =
            Comparison::ALL.iter().find(|(text, _)| text.chars().enumerate().all(|(i, c)| rest.get(i) == Some(&c)))?;
        self.at += text.len();
        Some(*comparison)
    }

    fn values(&mut self, comparison: Comparison) -> Result<Vec<(Raw, usize)>, FilterError> {
        let list = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let mut values = Vec::new();
        loop {
            let column = self.column();
            let raw = self.raw(|c| list && c == ',')?;
            if raw.text.is_empty() && !raw.quoted {
                return Err(FilterError::new(column, "expected a value; \"\" stands for none"));
            }
            values.push((raw, column));
            if !list || self.peek() != Some(',') {
                return Ok(values);
            }
            self.at += 1;
        }
    }

    /// A text in quotes, or one up to a space, the bracket that closes an outer one, or an `end`.
    fn raw(&mut self, end: impl Fn(char) -> bool) -> Result<Raw, FilterError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let (start, mut open) = (self.at, 0_usize);
        while let Some(c) = self.peek() {
            match c {
                '(' => open += 1,
                ')' if open == 0 => break,
                ')' => open -= 1,
                '"' => return Err(self.expected("quotes around the whole value, or none")),
                c if c.is_whitespace() || end(c) => break,
                _ => {}
            }
            self.at += 1;
        }
        Ok(Raw { text: self.chars[start..self.at].iter().collect(), quoted: false })
    }

    fn quoted(&mut self) -> Result<Raw, FilterError> {
        let start = self.column();
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => return Ok(Raw { text, quoted: true }),
                '\\' if matches!(self.peek(), Some('"' | '\\')) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                c => text.push(c),
            }
        }
        Err(FilterError::new(start, "this quote is not closed"))
    }
}
