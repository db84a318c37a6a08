//! Which of two faults is told: a table of all refusals of a preOrder by descending precedence, and
//! each pair of them.

use crate::support::{
    bodies,
    house::House,
    http::{self, Reply},
    till::Answer,
};
use onetill::admin::{
    Request, demo,
    merchants::{MerchantChange, NewMerchant},
};
use serde_json::{Value, json};
use wire::opengateway::{MerchantKey, call::Call, query::percent_encode, seal, sign};

/// A fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    UnknownPath,
    WrongMethod,
    Oversize,
    UnknownMerchant,
    BadType,
    NotEncrypted,
    NoSign,
    WrongSign,
    UppercaseSign,
    Trailing,
    Duplicate,
    ControlCharacter,
    NameWithSpace,
    Missing,
    TwoMerchants,
    Amount,
    PayerCode,
    NoContract,
    Repeat,
    Voucher,
}

use Fault::*;

/// By descending precedence: the fault, the HTTP status or CODE, what INFO says.
const REFUSALS: [(Fault, &str, &str); 20] = [
    (UnknownPath, "404", ""),
    (WrongMethod, "405", ""),
    (Oversize, "413", ""),
    (UnknownMerchant, "UNREGISTERED_BUSI", "未注册的商户编号"),
    (BadType, "ILLEGAL_PARAMETER", "_type"),
    (NotEncrypted, "ILLEGAL_PARAMETER", "encrypt"),
    (NoSign, "INVALID_SIGN", "缺少sign"),
    (WrongSign, "INVALID_SIGN", "签名错误"),
    (UppercaseSign, "INVALID_SIGN", "签名错误"),
    (Trailing, "ILLEGAL_PARAMETER", "body"),
    (Duplicate, "ILLEGAL_PARAMETER", "重复出现"),
    (ControlCharacter, "ILLEGAL_PARAMETER", "控制字符"),
    (NameWithSpace, "ILLEGAL_PARAMETER", "空白字符"),
    (Missing, "ILLEGAL_PARAMETER", "OPER_ID"),
    (TwoMerchants, "ILLEGAL_PARAMETER", "BUSI_ID"),
    (Amount, "AMT_ERROR", "AMT"),
    (PayerCode, "ILLEGAL_PARAMETER", "DYNAMIC_ID"),
    (NoContract, "INVALID_CONTRACT", "未扣款"),
    (Repeat, "SERIAL_REPEAT", "未扣款"),
    (Voucher, "ILLEGAL_PARAMETER", "verifyCodes"),
];

/// The three faults of a signature are one: the later of two cannot be there with the earlier.
const OF_THE_SIGNATURE: [Fault; 3] = [NoSign, WrongSign, UppercaseSign];
/// Faults of the document as a whole are met in the order of its text, which is fixed here.
const SUSPENDED: &str = "0010000007";

#[test]
fn the_table_is_in_order() {
    assert!(REFUSALS.is_sorted_by(|a, b| a.0 < b.0));
}

/// A preOrder with these faults.
fn faulty(house: &House, code: &str, faults: &[Fault]) -> Vec<u8> {
    let has = |fault: Fault| faults.contains(&fault);
    let busi_code = match () {
        () if has(UnknownMerchant) => "0010000009",
        () if has(NoContract) => SUSPENDED,
        () => demo::MERCHANT,
    };
    let key = MerchantKey::new(demo::KEY);
    let body = text(code, busi_code, faults);
    let timestamp = house.now().0.to_string();
    let mut sign = sign::sign(&key, &timestamp, body.as_bytes());
    if has(WrongSign) {
        sign = sign::sign(&key, &timestamp, b"another text");
    }
    if has(UppercaseSign) {
        sign = sign.to_ascii_uppercase();
    }
    let path = if has(UnknownPath) {
        "preOrders"
    } else {
        "preOrder"
    };
    let format = if has(BadType) { "yaml" } else { "json" };
    let mut target = format!("/openGateway/openService/{path}?_type={format}&busiCode={busi_code}");
    if !has(NoSign) {
        target.push_str(&format!("&sign={}", percent_encode(&sign)));
    }
    if has(NotEncrypted) {
        target.push_str("&encrypt=3DES");
    }
    let call = Call {
        method: if has(WrongMethod) { "PUT" } else { "POST" },
        target,
        body: body.into_bytes(),
    };
    http::request(&call, "")
}

/// The body's text; its own faults stand in it in the order of the table.
fn text(code: &str, busi_code: &str, faults: &[Fault]) -> String {
    let has = |fault: Fault| faults.contains(&fault);
    let code = if has(Repeat) { "USED" } else { code };
    let mut body = bodies::pre_order(code, bodies::PAYS);
    body["BUSI_ID"] = json!(busi_code);
    if has(Missing) {
        body["OPER_ID"] = Value::Null;
    }
    if has(TwoMerchants) {
        body["BUSI_ID"] = json!(demo::OTHER_MERCHANT);
    }
    if has(Amount) {
        body["AMT"] = json!("0.001");
    }
    if has(Voucher) {
        body["verifyCodes"] = json!("915346596237");
    }
    if has(PayerCode) {
        body["DYNAMIC_ID"] = json!("994214903060794755");
    }
    let mut head = String::new();
    if has(Duplicate) {
        head.push_str(r#""X":1,"X":1,"#);
    }
    if has(ControlCharacter) {
        head.push_str(r#""Y":"\u0007","#);
    }
    if has(NameWithSpace) {
        head.push_str(r#""Z Z":1,"#);
    }
    let mut text = body.to_string().replacen('{', &format!("{{{head}"), 1);
    if has(Trailing) {
        text.push_str("{}");
    }
    if has(Oversize) {
        text.push_str(&" ".repeat(256 * 1024));
    }
    text
}

fn told(reply: &Reply) -> (String, String) {
    if reply.status == 200 {
        let answer = Answer::read(&opened(reply));
        (answer.code(), answer.info())
    } else {
        (reply.status.to_string(), String::new())
    }
}

/// A reply as it is read by whoever has the key.
fn opened(reply: &Reply) -> Vec<u8> {
    match reply.body.first() {
        Some(b'{' | b'<') => reply.body.clone(),
        _ => seal::open(&MerchantKey::new(demo::KEY), &reply.body).unwrap(),
    }
}

/// A gateway where `USED` is used, and a suspended merchant with the demo merchant's key.
async fn prepared() -> House {
    let house = House::setup()
        .options(|it| it.failures_max = Some(100_000))
        .open()
        .await;
    let new = NewMerchant {
        code: SUSPENDED.to_owned(),
        tenant: "demo".to_owned(),
        name: "停业".to_owned(),
        key: demo::KEY.to_owned(),
        channels: None,
        settings: domain::merchant::MerchantSettings::default(),
    };
    house.admin(Request::AddMerchant(new)).await.unwrap();
    let change = MerchantChange {
        code: SUSPENDED.to_owned(),
        suspended: Some(true),
        ..MerchantChange::default()
    };
    house.admin(Request::SetMerchant(change)).await.unwrap();
    house
        .till()
        .pay("USED", bodies::PAYS)
        .await
        .expect("SUCCESS");
    house
}

async fn assert_refused(house: &House, faults: &[Fault], code: &str, info: &str) {
    let reply = http::exchange(house.address, &faulty(house, "NEW", faults)).await;
    let (told_code, told_info) = told(&reply);
    assert_eq!(told_code, code, "{faults:?}: {told_info}");
    assert!(told_info.contains(info), "{faults:?}: {told_info}");
}

#[tokio::test]
async fn each_fault_alone_is_told_and_leaves_no_trace() {
    let house = prepared().await;
    let before = house.counts().await;
    for (fault, code, info) in REFUSALS {
        assert_refused(&house, &[fault], code, info).await;
    }
    assert_eq!(house.counts().await, before);
    let reply = http::exchange(house.address, &faulty(&house, "NEW", &[])).await;
    assert_eq!(told(&reply).0, "SUCCESS", "without a fault it pays");
    house.end().await;
}

#[tokio::test]
async fn of_two_faults_the_higher_in_the_table_is_told() {
    let house = prepared().await;
    let before = house.counts().await;
    for (rank, (first, code, info)) in REFUSALS.into_iter().enumerate() {
        for (second, ..) in REFUSALS.into_iter().skip(rank + 1) {
            let one = OF_THE_SIGNATURE;
            if !(one.contains(&first) && one.contains(&second)) {
                assert_refused(&house, &[first, second], code, info).await;
            }
        }
    }
    assert_eq!(house.counts().await, before);
    house.end().await;
}

#[tokio::test]
async fn with_all_faults_present_curing_one_after_the_other_tells_each() {
    let house = prepared().await;
    for (rank, (_, code, info)) in REFUSALS.into_iter().enumerate() {
        let left: Vec<Fault> = REFUSALS.iter().skip(rank).map(|it| it.0).collect();
        assert_refused(&house, &left, code, info).await;
    }
    house.end().await;
}
