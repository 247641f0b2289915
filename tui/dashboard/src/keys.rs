//! Keys as data: what the action list binds, and how a key is written.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::symbols::Symbols;

/// A key with its modifiers. Shift is part of a character, not of a chord: `X`, not `shift-x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

impl Key {
    /// A character.
    pub(crate) const fn of(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: false, alt: false }
    }

    /// A character with Ctrl.
    pub(crate) const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false }
    }

    /// A key that is no character.
    pub(crate) const fn code(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A key that is no character, with Ctrl.
    pub(crate) const fn ctrl_code(code: KeyCode) -> Self {
        Self { code, ctrl: true, alt: false }
    }

    /// A key with Alt.
    pub(crate) const fn alt(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: true }
    }

    /// The key of a terminal event; none for chords that nothing is bound to.
    pub(crate) fn from_event(event: KeyEvent) -> Option<Self> {
        if event.modifiers.contains(KeyModifiers::SUPER) {
            return None;
        }
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            // Ctrl-C arrives as `C` where caps lock is on.
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        Some(Self { code, ctrl, alt })
    }

    /// The character that typing this key inserts into a text.
    pub(crate) fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt && !c.is_control() => Some(c),
            _ => None,
        }
    }

    /// How the key is written in documents and in ASCII: `ctrl-c`, `shift-tab`, `X`.
    pub(crate) fn word(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".into(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "shift-tab".into(),
            KeyCode::PageUp => "pgup".into(),
            KeyCode::PageDown => "pgdn".into(),
            KeyCode::F(number) => format!("f{number}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let ctrl = if self.ctrl { "ctrl-" } else { "" };
        let alt = if self.alt { "alt-" } else { "" };
        format!("{ctrl}{alt}{name}")
    }

    /// The key that is written like this, as [`Self::word`] writes it.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        if let Some(rest) = word.strip_prefix("alt-") {
            let key = Self::parse(rest).filter(|key| !key.ctrl && !key.alt)?;
            return Some(Self { alt: true, ..key });
        }
        if let Some(rest) = word.strip_prefix("ctrl-") {
            let key = Self::parse(rest).filter(|key| !key.ctrl && !key.alt)?;
            // Of other characters terminals do not tell whether Ctrl was held.
            let is_told = match key.code {
                KeyCode::Char(letter) => letter.is_ascii_lowercase(),
                _ => true,
            };
            return is_told.then_some(Self { ctrl: true, ..key });
        }
        let mut letters = word.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            // A space would be hard to see.
            return (!letter.is_control() && letter != ' ').then_some(Self::of(letter));
        }
        let code = match word {
            "space" => return Some(Self::of(' ')),
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "shift-tab" => KeyCode::BackTab,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "insert" => KeyCode::Insert,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            _ => {
                let number = word.strip_prefix('f')?.parse().ok()?;
                let known = (1..=12).contains(&number);
                return known.then_some(Self::code(KeyCode::F(number)));
            }
        };
        Some(Self::code(code))
    }

    /// How the key is written on the screen: shorter where there is a glyph for it.
    pub(crate) fn label(self, symbols: &Symbols) -> String {
        let [left, right, up, down] = symbols.arrows;
        if self.ctrl || self.alt {
            return self.word();
        }
        match self.code {
            KeyCode::Enter => symbols.enter.into(),
            KeyCode::Left => left.into(),
            KeyCode::Right => right.into(),
            KeyCode::Up => up.into(),
            KeyCode::Down => down.into(),
            _ => self.word(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_recognised_however_the_terminal_reports_them() {
        let key = |code, modifiers| Key::from_event(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('X'), KeyModifiers::SHIFT), Some(Key::of('X')));
        assert_eq!(key(KeyCode::Char('C'), KeyModifiers::CONTROL), Some(Key::ctrl('c')));
        assert_eq!(key(KeyCode::Tab, KeyModifiers::SHIFT), Some(Key::code(KeyCode::BackTab)));
        assert_eq!(key(KeyCode::Char('x'), KeyModifiers::SUPER), None);
        assert_eq!(key(KeyCode::Enter, KeyModifiers::ALT), Some(Key::alt(KeyCode::Enter)));
        assert_eq!(Key::alt(KeyCode::Char('x')).typed(), None);
        assert_eq!(Key::alt(KeyCode::Enter).word(), "alt-enter");
        assert_eq!(Key::ctrl('c').typed(), None);
        assert_eq!(Key::of('é').typed(), Some('é'));
    }
}
