//! Every text of the page, in both languages.

use super::language::Language;
use channels::sandbox::SandboxState;

/// The texts of one language.
pub(super) struct Texts {
    /// For `<html lang>`.
    pub(super) html_lang: &'static str,
    /// That nothing here is real.
    pub(super) banner: &'static str,
    /// The switch to the other language, in that language.
    pub(super) other_language: &'static str,
    /// Above the amount, when the merchant's name is not known.
    pub(super) no_merchant: &'static str,
    /// Before the amount, for those who listen.
    pub(super) amount: &'static str,
    /// Before the merchant's number.
    pub(super) merchant_serial: &'static str,
    /// Before the gateway's number.
    pub(super) gateway_serial: &'static str,
    /// Before the time the order closes.
    pub(super) expires: &'static str,
    /// Before the time that is left.
    pub(super) left: &'static str,
    /// The button that pays.
    pub(super) pay: &'static str,
    /// The button that declines.
    pub(super) decline: &'static str,
    /// What the QR code is, for those who cannot see it.
    pub(super) qr_label: &'static str,
    /// What to do with the QR code.
    pub(super) qr_hint: &'static str,
    /// Unfolds the QR code on a phone.
    pub(super) qr_unfold: &'static str,
    /// When the state cannot be asked for.
    pub(super) offline: &'static str,
    /// A state and what it means, in the order of [`SandboxState`].
    states: [StateText; 5],
}

/// A state in words.
#[derive(Clone, Copy)]
pub(super) struct StateText {
    /// The state.
    pub(super) name: &'static str,
    /// What it means for the payer.
    pub(super) meaning: &'static str,
}

const fn state(name: &'static str, meaning: &'static str) -> StateText {
    StateText { name, meaning }
}

static CHINESE: Texts = Texts {
    html_lang: "zh-CN",
    banner: "沙箱：不会真实扣款",
    other_language: "English",
    no_merchant: "商户",
    amount: "付款金额",
    merchant_serial: "商户订单号",
    gateway_serial: "平台流水号",
    expires: "付款截止",
    left: "剩余时间",
    pay: "确认付款",
    decline: "拒绝付款",
    qr_label: "本页地址的二维码",
    qr_hint: "用手机扫码，在手机上付款",
    qr_unfold: "在另一台设备上打开",
    offline: "连接中断，正在重试…",
    states: [
        state("等待付款", "请核对金额后确认"),
        state("支付成功", "可以关闭此页面"),
        state("已拒绝付款", "没有扣款"),
        state("订单已关闭", "已过期或被商户撤销，没有扣款"),
        state("款项已退回", "商户已撤销这笔交易"),
    ],
};

static ENGLISH: Texts = Texts {
    html_lang: "en",
    banner: "Sandbox: no real money moves",
    other_language: "中文",
    no_merchant: "Merchant",
    amount: "Amount",
    merchant_serial: "Order no.",
    gateway_serial: "Gateway no.",
    expires: "Pay by",
    left: "Time left",
    pay: "Pay",
    decline: "Decline",
    qr_label: "QR code of this page's address",
    qr_hint: "Scan with a phone to pay there",
    qr_unfold: "Open on another device",
    offline: "Connection lost, trying again…",
    states: [
        state("Waiting for payment", "Check the amount, then confirm"),
        state("Paid", "You can close this page"),
        state("Declined", "Nothing was charged"),
        state(
            "Order closed",
            "It expired or the merchant cancelled it; nothing was charged",
        ),
        state("Money returned", "The merchant cancelled this payment"),
    ],
};

/// What a form with another action is answered.
pub(super) const BAD_ACTION: &str = "\
action must be pay or decline, as in: curl -d action=pay URL\n\
action 只能是 pay 或 decline，例如：curl -d action=pay URL\n";

/// What a script that names no order is answered.
pub(super) const UNKNOWN_JSON: &str =
    "{\"error\":\"unknown order\",\"error_zh\":\"没有这个订单\"}\n";

/// The page for an address that names no order: for each language its tag, title and advice.
pub(super) const MISSING: [(&str, &str, &str); 2] = [
    (
        "zh-CN",
        "没有这个订单",
        "地址可能不完整，或沙箱已不再保留这笔订单。请让商户重新出示二维码。",
    ),
    (
        "en",
        "No such order",
        "The address may be incomplete, or the sandbox no longer keeps this order. Ask the merchant to show the code again.",
    ),
];

impl Texts {
    /// The texts of `language`.
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::Chinese => &CHINESE,
            Language::English => &ENGLISH,
        }
    }

    /// `state` in words.
    pub(super) const fn state(&self, state: SandboxState) -> StateText {
        let [unpaid, paid, declined, closed, returned] = self.states;
        match state {
            SandboxState::Unpaid => unpaid,
            SandboxState::Paid => paid,
            SandboxState::Declined => declined,
            SandboxState::Closed => closed,
            SandboxState::Returned => returned,
        }
    }
}
