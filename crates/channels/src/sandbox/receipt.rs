//! What the sandbox invents: serials, payers and results that look like the real channels'.
//! Everything follows from the payment's serial, so it is the same after a restart.

use super::account::{Account, Order};
use domain::{
    channel::{ChannelNo, FundBill, FundSource, Receipt},
    ids::Serial,
    payment::Flow,
    time::UnixMs,
};
use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt::Write;

pub(super) const ALIPAY: ChannelNo = ChannelNo(1);
pub(super) const ALIPAY_MOBILE_WEB: ChannelNo = ChannelNo(34);
pub(super) const WECHAT: ChannelNo = ChannelNo(2);
const QQ: ChannelNo = ChannelNo(31);
const BAIDU: ChannelNo = ChannelNo(24);
const BESTPAY: ChannelNo = ChannelNo(27);
/// Channel times are Beijing times.
const BEIJING_S: i32 = 8 * 3600;

/// Where the money of a channel comes from when the payer pays from its balance.
const BALANCES: [(ChannelNo, FundSource); 6] = [
    (ALIPAY, FundSource(10)),
    (ALIPAY_MOBILE_WEB, FundSource(10)),
    (WECHAT, FundSource(11)),
    (QQ, FundSource(12)),
    (BAIDU, FundSource(13)),
    (BESTPAY, FundSource(14)),
];
/// UnionPay and the banks pay from a bank card.
const BANK_CARD: FundSource = FundSource(9001);

/// The application that payers are known in when the merchant names none.
pub(super) const APP_ID: &str = "wx5a4d0bf1c0de0001";

/// The channel's word that `account` was charged at `paid_at`.
pub(super) fn receipt(serial: Serial, account: &Account, paid_at: UnixMs) -> Receipt {
    let order = account.order.as_deref();
    Receipt {
        channel_serial: channel_serial(serial, account.channel),
        paid_at,
        bills: vec![FundBill {
            source: fund_source(account.channel),
            amount: account.amount,
        }],
        buyer_id: buyer_id(serial, account.channel, order),
        channel_result: order.and_then(|order| result(serial, account, order, paid_at)),
    }
}

fn fund_source(channel: ChannelNo) -> FundSource {
    let balance = BALANCES.iter().find(|(number, _)| *number == channel);
    balance.map_or(BANK_CARD, |(_, source)| *source)
}

fn is_alipay(channel: ChannelNo) -> bool {
    channel == ALIPAY || channel == ALIPAY_MOBILE_WEB
}

/// 28 digits laid out as the channel's own; they hold all of the serial, so they are unique.
fn channel_serial(serial: Serial, channel: ChannelNo) -> String {
    let filler = mix(serial, 1) % 10_000;
    let text = serial.to_string();
    let (date, rest) = text.split_at_checked(8).unwrap_or((&text, ""));
    if is_alipay(channel) {
        return format!("{date}2200{filler:04}{rest}");
    }
    let (high, low) = rest.split_at_checked(2).unwrap_or((rest, ""));
    format!("4200{filler:04}{high}{date}{low}")
}

/// The payer as the channel knows them; banks and card networks tell nothing.
fn buyer_id(serial: Serial, channel: ChannelNo, order: Option<&Order>) -> Option<String> {
    if is_alipay(channel) {
        return Some(format!("2088{:012}", mix(serial, 2) % 1_000_000_000_000));
    }
    if channel != WECHAT && channel != QQ {
        return None;
    }
    let told = order.and_then(|order| order.payer_open_id.clone());
    told.or_else(|| Some(open_id(serial)))
}

/// `o` and 27 letters and digits.
fn open_id(serial: Serial) -> String {
    let letter = |round: u64| {
        let digit = u32::try_from(mix(serial, 100 + round) % 36).unwrap_or(0);
        char::from_digit(digit, 36).unwrap_or('0')
    };
    std::iter::once('o').chain((0..27).map(letter)).collect()
}

/// 64 bits that look random and follow from `serial` and `purpose` (splitmix64).
pub(super) fn mix(serial: Serial, purpose: u64) -> u64 {
    let seed = u64::from_be_bytes(serial.0.to_be_bytes());
    let mut bits = seed.wrapping_add(purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// MD5 as 32 uppercase hex digits, as WeChat writes its signatures.
pub(super) fn md5_upper(text: &str) -> String {
    let digest = Md5::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// `yyyyMMddHHmmss` in Beijing.
pub(super) fn beijing_time(at: UnixMs) -> String {
    // A serial starts with the local date, which saves a calendar of our own.
    let mut text = Serial::floor(at, BEIJING_S).to_string();
    text.truncate(8);
    let seconds = at.plus_s(i64::from(BEIJING_S)).0.div_euclid(1000);
    let (hour, minute) = (
        seconds.div_euclid(3600).rem_euclid(24),
        seconds.div_euclid(60).rem_euclid(60),
    );
    let _ = write!(text, "{hour:02}{minute:02}{:02}", seconds.rem_euclid(60));
    text
}

/// The channel's own result, for the channels that merchants are told it of.
fn result(serial: Serial, account: &Account, order: &Order, paid_at: UnixMs) -> Option<String> {
    if is_alipay(account.channel) {
        return AliResult::text(serial, account);
    }
    if account.channel == WECHAT {
        return WeixinResult::text(serial, account, order, paid_at);
    }
    None
}

/// WeChat's result of an order query, as merchants are told it.
#[derive(Serialize)]
struct WeixinResult<'a> {
    return_code: &'a str,
    return_msg: &'a str,
    appid: &'a str,
    mch_id: &'a str,
    sub_mch_id: &'a str,
    nonce_str: String,
    sign: String,
    result_code: &'a str,
    trade_type: &'a str,
    trade_state: &'a str,
    openid: Option<String>,
    is_subscribe: &'a str,
    bank_type: &'a str,
    total_fee: i64,
    fee_type: &'a str,
    transaction_id: String,
    out_trade_no: String,
    attach: &'a str,
    time_end: String,
    cash_fee: i64,
}

impl WeixinResult<'_> {
    fn text(serial: Serial, account: &Account, order: &Order, paid_at: UnixMs) -> Option<String> {
        let result = WeixinResult {
            return_code: "SUCCESS",
            return_msg: "OK",
            appid: order.payer_app_id.as_deref().unwrap_or(APP_ID),
            mch_id: "1400000001",
            sub_mch_id: "30000001",
            nonce_str: format!("{:016x}", mix(serial, 3)),
            sign: md5_upper(&format!("result={serial}&key=sandbox")),
            result_code: "SUCCESS",
            trade_type: trade_type(order.flow),
            trade_state: "SUCCESS",
            openid: buyer_id(serial, account.channel, Some(order)),
            is_subscribe: "N",
            bank_type: "CFT",
            total_fee: account.amount.get(),
            fee_type: "CNY",
            transaction_id: channel_serial(serial, account.channel),
            out_trade_no: serial.to_string(),
            attach: "",
            time_end: beijing_time(paid_at),
            cash_fee: account.amount.get(),
        };
        serde_json::to_string(&result).ok()
    }
}

const fn trade_type(flow: Flow) -> &'static str {
    match flow {
        Flow::PayerCode => "MICROPAY",
        Flow::MerchantCode => "NATIVE",
        Flow::WalletPage => "JSAPI",
        Flow::App => "APP",
        Flow::MobileWeb => "MWEB",
    }
}

/// Alipay's result of a paid trade, as merchants are told it.
#[derive(Serialize)]
struct AliResult<'a> {
    trade_no: String,
    out_trade_no: String,
    buyer_user_id: Option<String>,
    buyer_logon_id: &'a str,
    trade_status: &'a str,
    total_fee: String,
    fund_bill_list: AliBills<'a>,
}

#[derive(Serialize)]
struct AliBills<'a> {
    #[serde(rename = "tradeFundBill")]
    bills: [AliBill<'a>; 1],
}

#[derive(Serialize)]
struct AliBill<'a> {
    fund_channel: &'a str,
    /// Yuan as a JSON number; written as text, so that no float touches it.
    amount: Box<RawValue>,
}

impl AliResult<'_> {
    fn text(serial: Serial, account: &Account) -> Option<String> {
        let bill = AliBill {
            fund_channel: "ALIPAYACCOUNT",
            amount: RawValue::from_string(account.amount.to_string()).ok()?,
        };
        let result = AliResult {
            trade_no: channel_serial(serial, account.channel),
            out_trade_no: serial.to_string(),
            buyer_user_id: buyer_id(serial, account.channel, None),
            buyer_logon_id: "san***@example.com",
            trade_status: "TRADE_SUCCESS",
            total_fee: account.amount.to_string(),
            fund_bill_list: AliBills { bills: [bill] },
        };
        serde_json::to_string(&result).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::account::State;
    use domain::money::Fen;

    const AT: UnixMs = UnixMs(1_500_019_170_000);

    fn paid(channel: u8, flow: Option<Flow>) -> Receipt {
        let serial = Serial::compose(AT, BEIJING_S, 1, 98);
        let mut account = Account::new(ChannelNo(channel), Fen::new(1), State::Paid(AT));
        account.order = flow.map(|flow| {
            Box::new(Order {
                flow,
                subject: "tea".into(),
                created_at: AT,
                expires_at: AT.plus_s(60),
                payer_open_id: Some("o\"quoted".into()),
                payer_app_id: None,
            })
        });
        receipt(serial, &account, AT)
    }

    #[test]
    fn every_channel_has_its_fund_source_and_a_28_digit_serial() {
        for (channel, source) in [
            (1, 10),
            (34, 10),
            (2, 11),
            (31, 12),
            (24, 13),
            (27, 14),
            (32, 9001),
            (3, 9001),
            (10, 9001),
        ] {
            let receipt = paid(channel, None);
            assert_eq!(receipt.bills[0].source, FundSource(source), "{channel}");
            assert_eq!(receipt.bills[0].amount, Fen::new(1));
            let digits = receipt.channel_serial;
            assert_eq!(digits.len(), 28, "{digits}");
            assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{digits}");
            assert!(digits.contains("20170714"), "{digits}");
            assert_eq!(receipt.channel_result, None);
        }
    }

    #[test]
    fn payers_look_like_the_channels() {
        let alipay = paid(1, None).buyer_id.unwrap();
        assert!(alipay.len() == 16 && alipay.starts_with("2088"));
        let wechat = paid(2, None).buyer_id.unwrap();
        assert!(wechat.len() == 28 && wechat.starts_with('o'));
        let told = paid(2, Some(Flow::WalletPage)).buyer_id.unwrap();
        assert_eq!(told, "o\"quoted");
        assert_eq!(paid(32, None).buyer_id, None);
    }

    #[test]
    fn orders_carry_the_result_of_their_channel() {
        let read = |channel, flow| -> serde_json::Value {
            let text = paid(channel, Some(flow)).channel_result.unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let weixin = read(2, Flow::WalletPage);
        assert_eq!(weixin["trade_type"], "JSAPI");
        assert_eq!(weixin["time_end"], "20170714155930");
        assert_eq!(weixin["openid"], "o\"quoted");
        assert_eq!(weixin["total_fee"], 1);
        let ali = read(34, Flow::MobileWeb);
        assert_eq!(ali["total_fee"], "0.01");
        let bill = &ali["fund_bill_list"]["tradeFundBill"][0];
        assert_eq!(bill["amount"].to_string(), "0.01");
        assert_eq!(paid(32, Some(Flow::MerchantCode)).channel_result, None);
    }
}
