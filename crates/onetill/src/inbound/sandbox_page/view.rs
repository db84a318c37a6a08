//! An order as its payer sees it.

use super::{
    html::Markup,
    language::Language,
    qr,
    texts::{MISSING, Texts},
};
use channels::sandbox::{SandboxOrder, SandboxState};
use domain::{money::Fen, time::UnixMs};
use serde::Serialize;

/// The style of all pages, as the policy knows it.
pub(super) const STYLE: &str = include_str!("assets/style.css");
/// The script of the order's page, as the policy knows it.
pub(super) const SCRIPT: &str = include_str!("assets/script.js");
const PAGE: &str = include_str!("assets/page.html");
const QR: &str = include_str!("assets/qr.html");
const MISSING_PAGE: &str = include_str!("assets/missing.html");
/// Without scripts, a waiting page asks again by loading itself.
const RELOAD: &str = r#"<noscript><meta http-equiv="refresh" content="5"></noscript>"#;

/// Everything the page shows.
pub(super) struct OrderView {
    /// The order at the sandbox.
    pub(super) order: SandboxOrder,
    /// The merchant's name.
    pub(super) merchant: Option<String>,
    /// The merchant's number of the order.
    pub(super) merchant_serial: Option<String>,
    /// When the order closes, as the gateway writes times.
    pub(super) expires: String,
    /// Where the page itself is.
    pub(super) address: Option<String>,
    /// The present.
    pub(super) now: UnixMs,
}

impl OrderView {
    /// The page in `language`.
    pub(super) fn page(&self, language: Language) -> String {
        let texts = Texts::of(language);
        let mut values = self.facts(texts);
        values.extend(self.state(texts));
        values.extend(labels(texts, language));
        Markup::fill(PAGE, &values).into_string()
    }

    fn facts(&self, texts: &Texts) -> Vec<(&'static str, Markup)> {
        let merchant = self.merchant.as_deref().unwrap_or(texts.no_merchant);
        let merchant_serial = self.merchant_serial.as_deref().unwrap_or("—");
        vec![
            ("merchant", Markup::text(merchant)),
            ("amount", Markup::text(&yuan(self.order.amount))),
            ("subject", Markup::text(&self.order.subject)),
            ("merchant_serial", Markup::text(merchant_serial)),
            (
                "gateway_serial",
                Markup::text(&self.order.serial.to_string()),
            ),
            ("expires", Markup::text(&self.expires)),
            (
                "left_s",
                Markup::text(&left_s(&self.order, self.now).to_string()),
            ),
            ("qr", self.qr(texts)),
        ]
    }

    fn state(&self, texts: &Texts) -> [(&'static str, Markup); 5] {
        let state = texts.state(self.order.state);
        [
            ("state", Markup::text(word(self.order.state))),
            ("state_name", Markup::text(state.name)),
            ("state_meaning", Markup::text(state.meaning)),
            ("hidden_unless_unpaid", self.hidden_unless_unpaid()),
            (
                "reload",
                Markup::trusted(if self.is_unpaid() { RELOAD } else { "" }),
            ),
        ]
    }

    fn is_unpaid(&self) -> bool {
        self.order.state == SandboxState::Unpaid
    }

    fn hidden_unless_unpaid(&self) -> Markup {
        Markup::trusted(if self.is_unpaid() { "" } else { " hidden" })
    }

    /// The QR code, twice: beside the card on a wide screen, folded below it on a phone.
    fn qr(&self, texts: &Texts) -> Markup {
        let Some(symbol) = self.address.as_deref().and_then(qr::symbol) else {
            return Markup::default();
        };
        let values = [
            ("symbol", symbol),
            ("label", Markup::text(texts.qr_label)),
            ("hint", Markup::text(texts.qr_hint)),
            ("unfold", Markup::text(texts.qr_unfold)),
            ("hidden_unless_unpaid", self.hidden_unless_unpaid()),
        ];
        Markup::fill(QR, &values)
    }
}

fn labels(texts: &Texts, language: Language) -> Vec<(&'static str, Markup)> {
    let other = match language {
        Language::Chinese => Language::English,
        Language::English => Language::Chinese,
    };
    vec![
        ("style", Markup::trusted(STYLE)),
        ("script", Markup::trusted(SCRIPT)),
        ("html_lang", Markup::text(texts.html_lang)),
        ("banner", Markup::text(texts.banner)),
        ("other_code", Markup::text(other.code())),
        ("other_html_lang", Markup::text(Texts::of(other).html_lang)),
        ("other_language", Markup::text(texts.other_language)),
        ("amount_label", Markup::text(texts.amount)),
        ("merchant_serial_label", Markup::text(texts.merchant_serial)),
        ("gateway_serial_label", Markup::text(texts.gateway_serial)),
        ("expires_label", Markup::text(texts.expires)),
        ("left_label", Markup::text(texts.left)),
        ("pay", Markup::text(texts.pay)),
        ("decline", Markup::text(texts.decline)),
        ("offline", Markup::text(texts.offline)),
    ]
}

/// The page for an address that names no order.
pub(super) fn missing_page() -> String {
    let [zh, en] = MISSING;
    let values = [
        ("style", Markup::trusted(STYLE)),
        ("zh_lang", Markup::text(zh.0)),
        ("zh_title", Markup::text(zh.1)),
        ("zh_advice", Markup::text(zh.2)),
        ("en_lang", Markup::text(en.0)),
        ("en_title", Markup::text(en.1)),
        ("en_advice", Markup::text(en.2)),
    ];
    Markup::fill(MISSING_PAGE, &values).into_string()
}

/// Where an order stands, for scripts and for the page's own.
#[derive(Serialize)]
pub(super) struct Told {
    serial: String,
    state: &'static str,
    state_text_zh: &'static str,
    state_text_en: &'static str,
    meaning_zh: &'static str,
    meaning_en: &'static str,
    amount_fen: i64,
    expires_at_ms: i64,
    left_s: i64,
}

impl Told {
    /// What there is to tell about `order`.
    pub(super) fn new(order: &SandboxOrder, now: UnixMs) -> Self {
        let zh = Texts::of(Language::Chinese).state(order.state);
        let en = Texts::of(Language::English).state(order.state);
        Self {
            serial: order.serial.to_string(),
            state: word(order.state),
            state_text_zh: zh.name,
            state_text_en: en.name,
            meaning_zh: zh.meaning,
            meaning_en: en.meaning,
            amount_fen: order.amount.get(),
            expires_at_ms: order.expires_at.0,
            left_s: left_s(order, now),
        }
    }

    /// One line of JSON.
    pub(super) fn to_json(&self) -> String {
        // Plain fields always have a JSON form.
        let mut json = serde_json::to_string(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

/// The word for a state in `data-state` and in JSON.
const fn word(state: SandboxState) -> &'static str {
    match state {
        SandboxState::Unpaid => "unpaid",
        SandboxState::Paid => "paid",
        SandboxState::Declined => "declined",
        SandboxState::Closed => "closed",
        SandboxState::Returned => "returned",
    }
}

/// Whole seconds until the order closes, rounded up: 0 means closed.
fn left_s(order: &SandboxOrder, now: UnixMs) -> i64 {
    order.expires_at.since_ms(now).max(0).saturating_add(999) / 1000
}

/// Yuan with thousands apart: `12,345.60`.
fn yuan(amount: Fen) -> String {
    let plain = amount.to_string();
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped() {
        for (fen, text) in [
            (1, "0.01"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (9_999_999_999, "99,999,999.99"),
        ] {
            assert_eq!(yuan(Fen::new(fen)), text);
        }
    }
}
