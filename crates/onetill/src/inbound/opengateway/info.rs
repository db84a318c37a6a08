//! What INFO says: what happened, whether the customer was charged, and what to do next.

use domain::{
    channel::Decline,
    money::{AmountError, Fen},
    voucher::{paying::CodeRefusal, status::CodeStatus},
};
use wire::opengateway::{Locale, State};

/// A message for the person at the till or behind the integration.
#[derive(Clone, Copy, Debug)]
pub(super) enum Info<'a> {
    Paid,
    Ordered,
    Found,
    Refunded,
    RefundInProgress,
    Cancelled,
    CancelRequested,
    CancelInProgress,
    RechargeAccepted,
    RechargeDone,
    RechargeFailed,
    Illegal(&'a str),
    Amount(&'a str, AmountError),
    OverRemainder(Fen),
    NoContract,
    StoreDown,
    OutcomeUnknown,
    Unavailable,
    NotSent,
    UnknownMerchant,
    NoMerchant,
    TwoMerchants,
    NotEncrypted,
    NoSign,
    WrongSign,
    OldSign,
    UnsignedQuery,
    SerialRepeat(State),
    RefundNumberTaken,
    Declined(Decline),
    NotPaidInTime,
    Reversing,
    Returned,
    CancelUnderWay,
    RefundNotSent,
    NothingDone,
    NotPayable(State),
    NoSuchPayment,
    AlreadyCancelled,
    NotRefundable(State),
    NotCancellable(State),
    RefundFailed,
    CancelFailed,
    UnknownPayerCode,
    OrderNeedsChannel,
    Voucher(CodeRefusal),
    Target(&'a str),
}

impl Info<'_> {
    /// The message in the merchant's language.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "`fixed` names every variant; the ones here carry something"
    )]
    pub(super) fn text(self, locale: Locale) -> String {
        match self {
            Self::Illegal(what) => match locale {
                Locale::Zh => format!("参数错误：{what}。本次请求未处理，请更正后重新提交"),
                Locale::En => {
                    format!("Illegal parameter: {what}. Nothing was done; correct it and retry")
                }
            },
            Self::Amount(field, why) => amount(field, why, locale),
            Self::OverRemainder(left) => match locale {
                Locale::Zh => format!("退款金额超过可退余额{left}元，未退款"),
                Locale::En => format!("More than the {left} yuan left to refund; nothing refunded"),
            },
            Self::SerialRepeat(state) => with_state(
                locale,
                state,
                "上行流水号已使用，原订单状态：{}。本次未扣款，请查询原订单",
                "The serial was used before; that order is: {}. Not charged now; query that order",
            ),
            Self::NotPayable(state) => with_state(
                locale,
                state,
                "订单状态：{}。未扣款",
                "The order is: {}. Not charged",
            ),
            Self::NotRefundable(state) => with_state(
                locale,
                state,
                "订单状态：{}，不能退款",
                "The order is: {}; it cannot be refunded",
            ),
            Self::NotCancellable(state) => with_state(
                locale,
                state,
                "订单状态：{}，不能撤单。如需退回款项请使用退款接口",
                "The order is: {}; it cannot be cancelled. Use refund to give money back",
            ),
            Self::Voucher(why) => voucher(why, locale).to_owned(),
            Self::Target(field) => match locale {
                Locale::Zh => format!("参数错误：{field}：该地址不允许接收通知。本次请求未处理"),
                Locale::En => {
                    format!(
                        "Illegal parameter: {field}: this address may not be notified. Nothing was done"
                    )
                }
            },
            Self::Declined(why) => declined(why, locale).to_owned(),
            fixed => fixed.fixed(locale).to_owned(),
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one line a message, and nothing else"
    )]
    const fn fixed(self, locale: Locale) -> &'static str {
        let (zh, en) = match self {
            Self::Paid => ("请求并支付成功!", "Paid"),
            Self::Ordered => ("请求成功!", "Accepted; waiting for the customer"),
            Self::Found => ("查询成功", "The query was successful"),
            Self::Refunded => ("退款成功!", "Refunded"),
            Self::RefundInProgress => (
                "退款处理中，请稍后查询",
                "The refund is under way; query it later",
            ),
            Self::Cancelled => ("撤单成功", "Cancelled"),
            Self::CancelRequested => (
                "撤单申请已提交，等待审核",
                "The cancellation waits for an operator's decision",
            ),
            Self::CancelInProgress => (
                "撤单已受理，退款处理中，请稍后查询",
                "Cancelled; the refund is under way, query it later",
            ),
            Self::RechargeAccepted => (
                "充值流量请求提交成功，请等待最终结果",
                "Accepted; wait for the final result",
            ),
            Self::RechargeDone => ("充值成功", "The top-up is done"),
            Self::RechargeFailed => (
                "充值失败，未充值",
                "The top-up failed; nothing was delivered",
            ),
            Self::NoContract => (
                "商户未签约该支付渠道或已暂停，未扣款",
                "No contract for this channel, or suspended. Not charged",
            ),
            Self::StoreDown => (
                "数据库暂不可用，交易未受理，未扣款，请稍后重试",
                "The store is unavailable. Nothing was recorded or charged; retry later",
            ),
            Self::OutcomeUnknown => (
                "处理结果未知，请勿重复收款，请用查询接口确认",
                "The outcome is not known yet. Do not charge again: query it",
            ),
            Self::Unavailable => (
                "支付渠道暂不可用，未扣款，请稍后重试或更换渠道",
                "The channel is unavailable. Not charged; retry later or use another",
            ),
            Self::NotSent => (
                "请求未能送达支付渠道，未扣款，请用新流水号重试",
                "The request did not reach the channel. Not charged; retry with a new serial",
            ),
            Self::UnknownMerchant => ("未注册的商户编号", "The merchant is not registered"),
            Self::NoMerchant => (
                "参数错误：busiCode不能为空",
                "Illegal parameter: busiCode is missing",
            ),
            Self::TwoMerchants => (
                "参数错误：busiCode与BUSI_ID不一致",
                "Illegal parameter: busiCode and BUSI_ID name different merchants",
            ),
            Self::NotEncrypted => (
                "参数错误：报文无法按3DES解密，请检查encrypt参数与商户Key",
                "Illegal parameter: the body does not decrypt with 3DES; check encrypt and the key",
            ),
            Self::NoSign => (
                "签名错误：缺少sign参数，未处理",
                "sign is missing; nothing was done",
            ),
            Self::WrongSign => (
                "签名错误，未处理。可用 onetill sign 核对签名",
                "Wrong signature; nothing was done. `onetill sign` shows the right one",
            ),
            Self::OldSign => (
                "签名已过期，未处理，请检查时钟后重新签名",
                "The signature is too old; nothing was done. Check the clock and sign again",
            ),
            Self::UnsignedQuery => (
                "签名错误：查询需要sign参数；如需允许无签名查询，请运营人员执行 onetill merchant set 商户号 --require-query-sign=false",
                "sign is missing. To allow unsigned queries the operator runs: onetill merchant set CODE --require-query-sign=false",
            ),
            Self::RefundNumberTaken => (
                "退款流水号已用于另一笔退款，未退款，请更换OUT_REFUND_NO",
                "OUT_REFUND_NO belongs to another refund; nothing refunded, use a new one",
            ),
            Self::NotPaidInTime => (
                "交易未在时限内完成支付或已撤单，未扣款",
                "Not paid in time, or cancelled. Not charged",
            ),
            Self::Reversing => (
                "交易已撤销，渠道确认中；如已扣款将自动退回，请勿按此单交货",
                "Reversed; the channel has yet to confirm. If the customer was charged, it goes back \
                 by itself. Do not hand over the goods for this order",
            ),
            Self::Returned => (
                "交易已撤销，款项已退回顾客",
                "Reversed; the customer's money went back",
            ),
            Self::CancelUnderWay => (
                "撤单已受理，渠道确认中；如已扣款将自动退回",
                "Cancelled; the channel has yet to confirm. If the customer was charged, it goes back \
                 by itself",
            ),
            Self::RefundNotSent => (
                "请求未能送达支付渠道，未退款，请用新退款流水号重试",
                "The request did not reach the channel; nothing refunded, retry with a new number",
            ),
            Self::NothingDone => (
                "数据库暂不可用，本次请求未处理，请稍后重试",
                "The store is unavailable. This request did nothing; retry later",
            ),
            Self::NoSuchPayment => ("交易记录不存在", "No such order"),
            Self::AlreadyCancelled => ("该订单已经撤销", "The order was cancelled before"),
            Self::RefundFailed => (
                "渠道拒绝退款，未退款，可稍后用新退款流水号重试",
                "The channel refused the refund; nothing refunded, retry with a new number",
            ),
            Self::CancelFailed => (
                "渠道未能退款，撤单失败，顾客仍为已付款，可用退款接口重试",
                "The channel did not refund; not cancelled, the customer stays charged. Use refund to retry",
            ),
            Self::UnknownPayerCode => (
                "参数错误：DYNAMIC_ID：无法识别的付款码，请传CHANNEL_TYPE或请顾客刷新付款码",
                "Illegal parameter: DYNAMIC_ID: no wallet is known by this code; send CHANNEL_TYPE or ask for a fresh code",
            ),
            Self::OrderNeedsChannel => (
                "参数错误：CHANNEL_TYPE：主扫下单必须指定支付渠道",
                "Illegal parameter: CHANNEL_TYPE: an order must name its channel",
            ),
            Self::Illegal(_)
            | Self::Amount(..)
            | Self::OverRemainder(_)
            | Self::SerialRepeat(_)
            | Self::NotPayable(_)
            | Self::NotRefundable(_)
            | Self::NotCancellable(_)
            | Self::Voucher(_)
            | Self::Target(_)
            | Self::Declined(_) => ("", ""),
        };
        locale.pick(zh, en)
    }
}

fn with_state(locale: Locale, state: State, zh: &str, en: &str) -> String {
    locale.pick(zh, en).replace("{}", state.name(locale))
}

fn amount(field: &str, why: AmountError, locale: Locale) -> String {
    let why = match why {
        AmountError::NotANumber => locale.pick("不是数字", "is not a number"),
        AmountError::TooPrecise => locale.pick("超过两位小数", "has more than 2 decimals"),
        AmountError::TooSmall => locale.pick("小于0.01元", "is below 0.01"),
        AmountError::TooLarge => locale.pick("超过99999999.99元", "is above 99999999.99"),
    };
    match locale {
        Locale::Zh => format!("金额错误：{field}{why}，未处理"),
        Locale::En => format!("Wrong amount: {field} {why}; nothing was done"),
    }
}

const fn declined(why: Decline, locale: Locale) -> &'static str {
    let (zh, en) = match why {
        Decline::InsufficientFunds => (
            "顾客余额不足，未扣款，请更换支付方式",
            "Insufficient funds. Not charged; ask for another way to pay",
        ),
        Decline::CodeExpired => (
            "付款码已失效，未扣款，请顾客刷新付款码后用新流水号重试",
            "The payment code has expired. Not charged; ask for a fresh code, use a new serial",
        ),
        Decline::ByPayer => ("顾客取消支付，未扣款", "The customer declined. Not charged"),
        Decline::ByChannel => (
            "支付渠道拒绝交易，未扣款",
            "The channel refused the payment. Not charged",
        ),
    };
    locale.pick(zh, en)
}

const fn voucher(why: CodeRefusal, locale: Locale) -> &'static str {
    let (zh, en) = match why {
        CodeRefusal::Unknown => (
            "参数错误：verifyCodes：核销码不存在。未扣款，请核对后重试",
            "Illegal parameter: verifyCodes: there is no such code. Not charged; check it and retry",
        ),
        CodeRefusal::PaysAll => (
            "参数错误：verifyCodes：券面值不小于订单金额，不能用于扫码下单。未扣款，请使用条码支付接口",
            "Illegal parameter: verifyCodes: the code pays all of the order. Not charged; use preOrder",
        ),
        CodeRefusal::Status(status) => match status {
            CodeStatus::InStock => (
                "参数错误：verifyCodes：核销码尚未激活。未扣款",
                "Illegal parameter: verifyCodes: the code is not active yet. Not charged",
            ),
            CodeStatus::UsedUp => (
                "参数错误：verifyCodes：核销码已使用完。未扣款",
                "Illegal parameter: verifyCodes: the code is used up. Not charged",
            ),
            CodeStatus::Void => (
                "参数错误：verifyCodes：核销码已作废。未扣款",
                "Illegal parameter: verifyCodes: the code is void. Not charged",
            ),
            CodeStatus::Expired => (
                "参数错误：verifyCodes：核销码不在有效期内。未扣款",
                "Illegal parameter: verifyCodes: the code is not valid now. Not charged",
            ),
            CodeStatus::Reserved | CodeStatus::Active => (
                "参数错误：verifyCodes：核销码正被另一笔支付占用。未扣款，请等待该笔支付结束",
                "Illegal parameter: verifyCodes: another payment holds the code. Not charged; wait for its end",
            ),
            CodeStatus::Frozen => (
                "参数错误：verifyCodes：核销码已冻结。未扣款，请联系发券方",
                "Illegal parameter: verifyCodes: the code is frozen. Not charged; ask who issued it",
            ),
        },
    };
    match locale {
        Locale::Zh => zh,
        Locale::En => en,
    }
}
