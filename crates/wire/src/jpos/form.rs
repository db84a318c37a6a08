//! A body of `application/x-www-form-urlencoded;charset=UTF-8` as named texts (source:
//! "请求报文结构").

use std::borrow::Cow;

use form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::name;

/// The value of a request's `Content-Type` header.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded;charset=UTF-8";
/// Most fields of a body.
pub const FIELDS_MAX: usize = 64;
/// Most bytes of a field's name.
pub const NAME_LEN_MAX: usize = 64;

/// Why a body is refused. All become status 30.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More bytes than the operation allows.
    #[error("the body is too large")]
    TooLarge,
    /// More than [`FIELDS_MAX`] fields.
    #[error("the body has more than {FIELDS_MAX} fields")]
    TooManyFields,
    /// A name with more than [`NAME_LEN_MAX`] bytes.
    #[error("a field's name is longer than {NAME_LEN_MAX} bytes")]
    LongName,
    /// A name or value that is not UTF-8.
    #[error("{field} is not UTF-8")]
    NotUtf8 {
        /// The field's name.
        field: String,
    },
    /// A field is there twice.
    #[error("{field} is given twice")]
    Duplicate {
        /// The field's name.
        field: String,
    },
}

impl FormError {
    /// The field at fault; `body` when it is the form as a whole.
    pub fn field(&self) -> &str {
        match self {
            Self::TooLarge | Self::TooManyFields | Self::LongName => "body",
            Self::NotUtf8 { field } | Self::Duplicate { field } => field,
        }
    }
}

/// The fields of a request, in the order they came. No `Debug`: they hold card tracks and codes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Form<'a> {
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// A form in the making.
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// Reads a body of at most `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// [`FormError`] when it is too large, not UTF-8, or names a field twice.
    pub fn decode(body: &'a [u8], bytes_max: usize) -> Result<Self, FormError> {
        if body.len() > bytes_max {
            return Err(FormError::TooLarge);
        }
        if body.split(|&b| b == b'&').nth(FIELDS_MAX).is_some() {
            return Err(FormError::TooManyFields);
        }
        let mut form = Self::new();
        for (name, value) in form_urlencoded::parse(body) {
            form.take(name, value)?;
        }
        Ok(form)
    }

    /// The body that holds these fields.
    pub fn encode(&self) -> String {
        encoded(self.fields.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// A field's value; `None` when it is absent or empty, which mean the same.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value).filter(|v| !v.is_empty())
    }

    /// Adds a field; the caller adds each once.
    pub fn push(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> &mut Self {
        self.fields.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Adds a field if there is a value.
    pub fn maybe(
        &mut self,
        name: &'static str,
        value: Option<impl Into<Cow<'a, str>>>,
    ) -> &mut Self {
        if let Some(value) = value {
            self.push(name, value);
        }
        self
    }

    /// The same fields with another value for one of them.
    pub(super) fn with(&self, name: &'static str, value: &'static str) -> Self {
        let mut form = self.clone();
        form.fields.retain(|(known, _)| known != name);
        form.push(name, value);
        form
    }

    /// Names and values, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (&**name, &**value))
    }

    /// What a MAC is made over: the pairs that are not empty, without `mac`, in ASCII order, as
    /// `name=value` joined by `&`.
    pub fn mac_text(&self) -> Zeroizing<String> {
        let length = self
            .fields()
            .map(|(name, value)| name.len() + value.len() + 2);
        let mut text = Zeroizing::new(String::with_capacity(length.sum()));
        for (name, value) in self.sorted_without(&[name::MAC]) {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// The pairs that are not empty, in ASCII order, percent-encoded so that no two forms with
    /// other pairs read the same.
    pub(super) fn canonical_without(&self, names: &[&str]) -> Zeroizing<String> {
        Zeroizing::new(encoded(self.sorted_without(names).into_iter()))
    }

    fn sorted_without(&self, names: &[&str]) -> Vec<(&str, &str)> {
        let kept = |(name, value): &(&str, &str)| !value.is_empty() && !names.contains(name);
        let mut pairs: Vec<_> = self.fields().filter(kept).collect();
        pairs.sort_unstable();
        pairs
    }

    fn take(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) -> Result<(), FormError> {
        if name.len() > NAME_LEN_MAX {
            return Err(FormError::LongName);
        }
        // The decoder writes this where bytes are not UTF-8; nobody means it.
        let is_damaged = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        let is_known = self.fields.iter().any(|(known, _)| *known == name);
        if is_damaged(&name) || is_damaged(&value) {
            let field = name.into_owned();
            return Err(FormError::NotUtf8 { field });
        }
        if is_known {
            let field = name.into_owned();
            return Err(FormError::Duplicate { field });
        }
        self.fields.push((name, value));
        Ok(())
    }
}

fn encoded<'t>(pairs: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}
