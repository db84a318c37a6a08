//! Which language a payer reads.

use axum::http::{HeaderMap, header};

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// What the address asks for (`?lang=zh` or `?lang=en`), else what the browser prefers.
    /// Whoever prefers neither reads English; whoever says nothing, Chinese.
    pub(super) fn choose(query: Option<&str>, headers: &HeaderMap) -> Self {
        let header = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|it| it.to_str().ok());
        Self::asked(query)
            .or_else(|| header.map(|it| Self::preferred(it).unwrap_or(Self::English)))
            .unwrap_or(Self::Chinese)
    }

    /// What the address asks for.
    pub(super) fn asked(query: Option<&str>) -> Option<Self> {
        let mut fields = query?.split('&');
        match fields.find_map(|field| field.strip_prefix("lang="))? {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The word for it in addresses.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// The best of an `Accept-Language` header; the first of equals.
    fn preferred(header: &str) -> Option<Self> {
        let mut best = None;
        for (language, weight) in header.split(',').filter_map(read_range) {
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// One range such as `zh-CN;q=0.8` with its weight in thousandths.
fn read_range(range: &str) -> Option<(Language, u32)> {
    let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
    let language = match tag.trim().split('-').next()?.to_ascii_lowercase().as_str() {
        "zh" => Language::Chinese,
        "en" => Language::English,
        _ => return None,
    };
    Some((language, read_weight(weight.trim().strip_prefix("q=")?)?))
}

/// `0.85` as 850, without a float.
fn read_weight(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let thousandths = format!("{fraction:0<3}").get(..3)?.parse::<u32>().ok()?;
    Some(whole.parse::<u32>().ok()?.min(1) * 1000 + thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_wins() {
        use Language::{Chinese, English};
        for (header, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Chinese)),
            ("en-GB", Some(English)),
            ("fr-FR, en;q=0.5, zh;q=0.75", Some(Chinese)),
            ("EN;q=0.5,zh;q=0.5", Some(English)),
            ("zh;q=0,en;q=0.001", Some(English)),
            ("zh;q=0", None),
            ("fr", None),
            ("zh;q=é,;;,=", None),
            ("", None),
        ] {
            assert_eq!(Language::preferred(header), language, "{header}");
        }
    }

    #[test]
    fn the_address_outranks_the_browser() {
        let mut headers = HeaderMap::new();
        let choose = |query, headers: &HeaderMap| Language::choose(query, headers);
        assert_eq!(choose(None, &headers), Language::Chinese);
        headers.insert(header::ACCEPT_LANGUAGE, "fr".parse().unwrap());
        assert_eq!(choose(None, &headers), Language::English);
        assert_eq!(choose(Some("a=b&lang=zh"), &headers), Language::Chinese);
        assert_eq!(choose(Some("lang=klingon"), &headers), Language::English);
    }
}
