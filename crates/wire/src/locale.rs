//! The language of messages for people.

/// The language of a message for people. Chinese, the dialects' own, unless a caller chose English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Locale {
    /// Chinese, the dialects' own language.
    #[default]
    Zh,
    /// English.
    En,
}

impl Locale {
    /// Chooses between the two wordings of one message.
    pub const fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}
