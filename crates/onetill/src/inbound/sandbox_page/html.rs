//! Text that is safe inside a page, and templates filled with it.

/// HTML: escaped text, or markup of our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

impl Markup {
    /// `text` as it stands, for element content and quoted attributes.
    pub(super) fn text(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
        }
        Self(escaped)
    }

    /// Markup written here, never by a user.
    pub(super) fn trusted(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }

    /// `template` with every `{{name}}` replaced by its value. Values are not looked into again,
    /// so none can name another. A name without a value leaves nothing.
    pub(super) fn fill(template: &str, values: &[(&str, Self)]) -> Self {
        let mut parts = template.split("{{");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").unwrap_or(("", part));
            let value = values.iter().find(|(known, _)| *known == name);
            debug_assert!(value.is_some(), "no value for {name}");
            filled.push_str(value.map_or("", |(_, Self(value))| value));
            filled.push_str(rest);
        }
        Self(filled)
    }

    /// The characters to send.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_text_stays_text() {
        let text = Markup::text("<a href=\"x\" id='y'>&amp;</a>");
        let escaped = "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;";
        assert_eq!(text.into_string(), escaped);
    }

    #[test]
    fn values_are_not_looked_into_again() {
        let values = [("a", Markup::text("{{b}}")), ("b", Markup::text("secret"))];
        let filled = Markup::fill("<i>{{a}}</i>{{b}}", &values);
        assert_eq!(filled.into_string(), "<i>{{b}}</i>secret");
    }
}
