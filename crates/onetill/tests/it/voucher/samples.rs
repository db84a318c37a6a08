//! Every sample request of the sources, sent as it stands, and its reply compared with the sample
//! member by member. Codes follow the field tables, as do times that are not set: some samples write
//! them with sixteen digits. What the gateway numbers and dates itself has the sample's shape.

use super::desk::{
    Desk, OTHER_TOKEN, PARTNER, Stock, TOKEN, carton, issue_as, put_partner, read, tenant,
};
use crate::support::{
    bodies::{self, PAYS, with},
    house::House,
};
use domain::{
    ids::Serial,
    voucher::{
        code::CodeRange,
        partner::{PartnerNo, PartnerSettings},
        stock::{Cards, Carton, Level, Unit},
    },
};
use onetill::admin::{
    Request,
    voucher::{self, credentials::Who},
};
use serde_json::{Value, json};
use wire::opengateway::Operation;

const PACKAGE_TREE: &str =
    include_str!("../../../../wire/tests/it/voucher/samples/package_tree.json");
const BOX_TREE: &str = include_str!("../../../../wire/tests/it/voucher/samples/box_tree.json");
const VERIFY_INFO: &str =
    include_str!("../../../../wire/tests/it/voucher/samples/verify_info.json");
const CODE_TRACE: &str = include_str!("../../../../wire/tests/it/voucher/samples/code_trace.json");

/// What the gateway makes up by itself: such a member has the sample's length and kind of characters
/// where it is a time, and is there where it is a number of its own.
const OWN: [&str; 6] = [
    "transDate",
    "createTime",
    "createDate",
    "dateTime",
    "orderNo",
    "transTime",
];

/// Where `got` is not as `sample` says, by the path of the member.
fn differences(got: &Value, sample: &Value, path: &str, found: &mut Vec<String>) {
    let name = path.rsplit('.').next().unwrap_or(path);
    match (got, sample) {
        (Value::Object(got), Value::Object(sample)) => {
            let keys = |it: &serde_json::Map<String, Value>| it.keys().cloned().collect::<Vec<_>>();
            let (mut mine, mut theirs) = (keys(got), keys(sample));
            mine.sort();
            theirs.sort();
            if mine != theirs {
                found.push(format!("{path}: members {mine:?}, not {theirs:?}"));
            }
            for (key, value) in sample {
                if let Some(got) = got.get(key) {
                    differences(got, value, &format!("{path}.{key}"), found);
                }
            }
        }
        (Value::Array(got), Value::Array(sample)) => {
            if got.len() != sample.len() {
                found.push(format!("{path}: {} items, not {}", got.len(), sample.len()));
            }
            for (at, (got, sample)) in got.iter().zip(sample).enumerate() {
                differences(got, sample, &format!("{path}[{at}]"), found);
            }
        }
        (Value::String(got), Value::String(sample)) if OWN.contains(&name) => {
            let is_number = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
            let fits = name == "orderNo" || got.len() == sample.len();
            if !(fits && is_number(got)) {
                found.push(format!("{path}: {got}, not like {sample}"));
            }
        }
        (Value::Number(_), Value::Number(_)) if OWN.contains(&name) => {}
        _ if got == sample => {}
        _ => found.push(format!("{path}: {got}, not {sample}")),
    }
}

/// The reply is the sample, but for what is named here.
fn unless_alike(got: &Value, sample: &Value, but: &[&str]) {
    let mut found = Vec::new();
    differences(got, sample, "", &mut found);
    let is_named = |it: &String| but.iter().any(|name| it.starts_with(name));
    let unexpected: Vec<&String> = found.iter().filter(|it| !is_named(it)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?} in {got:#}");
}

/// A sample with times that are not set of fourteen digits, and this code.
fn sample(text: &str, code: &str) -> Value {
    let text = text.replace("\"0000000000000000\"", "\"00000000000000\"");
    let mut sample: Value = serde_json::from_str(&text).unwrap();
    sample["returnCode"] = json!(code);
    sample
}

/// A short reply: the samples of all changes are the same but for the message's number.
fn short(trace_no: &str, code: &str) -> Value {
    json!({
        "traceNo": trace_no,
        "orderNo": "99000009100010101732123",
        "transDate": "20161231120533",
        "returnCode": code,
        "returnDesc": "SUCCESS",
    })
}

/// A house whose partner has what the samples name.
struct Press {
    house: House,
}

impl Press {
    async fn open() -> Self {
        let house = House::open().await;
        for (number, token) in [(PARTNER, TOKEN), (PartnerNo(1505), OTHER_TOKEN)] {
            put_partner(
                &house,
                number,
                token,
                PartnerSettings::default(),
                Vec::new(),
            )
            .await;
        }
        Self { house }
    }

    fn desk(&self) -> Desk<'_> {
        Desk::new(&self.house, TOKEN)
    }

    /// A box in one package of these reels.
    async fn issue(&self, id: &'static str, package: &str, reels: &[(&str, &str, Vec<String>)]) {
        let stock = Stock {
            id,
            ..Stock::of(2, 0)
        };
        let texts: Vec<String> = reels.iter().flat_map(|it| it.2.clone()).collect();
        let (gateway, tenant) = (self.house.gateway(), tenant(&self.house).await);
        let codes = u32::try_from(texts.len()).unwrap();
        let carton = Carton {
            activity_name: "活动名称-2018年6月".to_owned(),
            ticket_name: "N券M元（连锁_门店）".to_owned(),
            sale_channel: "连锁_门店".to_owned(),
            send_channel: "发放渠道".to_owned(),
            ..carton(gateway, tenant, &stock, codes)
        };
        let units = units(&carton, package, reels);
        issue_as(gateway, carton, units, &texts).await;
    }

    /// The box of a sample's tree.
    async fn issue_tree(&self, id: &'static str, package: &Value) {
        let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
        let reels = package["voucherReel"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reel| {
                let codes = reel["codeDetail"].as_array().unwrap();
                let order = text(&codes[0], "saleChannelOrderId");
                let codes = codes.iter().map(|it| text(it, "code"));
                (text(reel, "reelId"), order, codes.collect::<Vec<_>>())
            });
        let reels: Vec<_> = reels.collect();
        let named: Vec<_> = reels
            .iter()
            .map(|(reel, order, codes)| (&**reel, &**order, codes.clone()))
            .collect();
        self.issue(id, &text(package, "pkgId"), &named).await;
        let activate =
            json!({"traceNo": "1", "qrcode": id, "totalAmount": "0", "businessType": 12});
        let active = self.desk().ask("activeVoucher", activate).await;
        active.expect("A00");
    }

    async fn ask(&self, action: &str, sample: Value) -> Value {
        self.desk().ask(action, sample).await.json
    }
}

fn units(carton: &Carton, package: &str, reels: &[(&str, &str, Vec<String>)]) -> Vec<Unit> {
    let unit = |id: &str, level, first, last, order: Option<&str>| Unit {
        tenant: carton.tenant,
        id: id.to_owned(),
        level,
        range: range(carton.serial, first, last),
        sale_channel_order_id: order.map(str::to_owned),
    };
    let last = carton.codes - 1;
    let mut units = vec![
        unit(&carton.id, Level::Carton, 0, last, None),
        unit(package, Level::Package, 0, last, None),
    ];
    let mut first = 0;
    for (reel, order, codes) in reels {
        let len = u32::try_from(codes.len()).unwrap();
        units.push(unit(reel, Level::Reel, first, first + len - 1, Some(order)));
        first += len;
    }
    units
}

fn range(carton: Serial, first: u32, last: u32) -> CodeRange {
    CodeRange {
        carton,
        first,
        last,
    }
}

const ORDER: &str = "a1c4efb107df46f0ba230de6477bd337";

fn codes(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|it| (*it).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn active_voucher_and_its_result() {
    let press = Press::open().await;
    let reels = [(
        "R156A001-0000491-0505",
        ORDER,
        codes(&["100140300135000060"]),
    )];
    press
        .issue("X00000-0000491-0505", "B0000-0000491-0505", &reels)
        .await;
    let trace_no = "990000009100010101732123";
    let request = json!({"traceNo": trace_no, "qrcode": "R156A001-0000491-0505",
        "totalAmount": "3000", "businessType": 12});
    let reply = press.ask("activeVoucher", request).await;
    unless_alike(&reply, &short(trace_no, "A00"), &[]);
    let trace_no = "99000009100010101732123";
    let request = json!({"traceNo": trace_no, "originalTraceNo": "990000009100010101732123",
        "businessType": 12});
    let reply = press.ask("activeResultQuery", request).await;
    // The sample shows no tree; its field table has one.
    let but = [": members", ".returnDesc"];
    unless_alike(&reply, &short(trace_no, "R00"), &but);
    let tree = &reply["voucherBox"][0]["voucherPkg"][0]["voucherReel"][0];
    assert_eq!(tree["reelId"], "R156A001-0000491-0505");
    press.house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reel_active_voucher_of_one_reel_and_of_two() {
    let press = Press::open().await;
    for (round, (box_, package, first, second, names)) in [
        (
            "X00000-0000491-0505",
            "B0000-0000491-0505",
            "R156A001-0000491-0505",
            "R156A003-0000491-0505",
            "R156A001-0000491-0505",
        ),
        (
            "X00000-0000492-0505",
            "B0000-0000492-0505",
            "R156A011-0000491-0505",
            "R156A012-0000491-0505",
            "R156A011-0000491-0505,R156A012-0000491-0505",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let text = |at: usize| codes(&[&format!("10014030013500{round}0{at}")]);
        let reels = [(first, ORDER, text(1)), (second, ORDER, text(2))];
        press.issue(box_, package, &reels).await;
        let trace_no = format!("9900000910001010173212{round}");
        let request = json!({"traceNo": trace_no, "qrcode": names, "totalAmount": "3000",
            "businessType": 12});
        let reply = press.ask("reelActiveVoucher", request).await;
        unless_alike(&reply, &short(&trace_no, "A00"), &[]);
    }
    press.house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn del_voucher_and_reel_del_voucher() {
    for action in ["delVoucher", "reelDelVoucher"] {
        let press = Press::open().await;
        let reels = [(
            "R156A001-0000491-0505",
            ORDER,
            codes(&["10014030013500006013"]),
        )];
        press
            .issue("X00000-0000491-0505", "B0000-0000491-0505", &reels)
            .await;
        let trace_no = "9900000910001010920150201";
        let request =
            json!({"traceNo": trace_no, "qrcode": "10014030013500006013", "businessType": 12});
        let reply = press.ask(action, request).await;
        unless_alike(&reply, &short(trace_no, "V00"), &[]);
        press.house.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_voucher_with_packages_on_top() {
    let press = Press::open().await;
    let sample = sample(PACKAGE_TREE, "P00");
    press
        .issue_tree("X22169-3141157-33475", &sample["voucherPkg"][0])
        .await;
    let trace_no = sample["traceNo"].as_str().unwrap();
    let request = json!({"traceNo": trace_no, "qrcode": "B1123-6430582-102F5"});
    let reply = press.ask("queryVoucher", request).await;
    unless_alike(&reply, &sample, &[]);
    press.house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_voucher_with_boxes_on_top() {
    let press = Press::open().await;
    let mut sample = sample(BOX_TREE, "P00");
    // It names one package twice, the second time with slips of the pen.
    let packages = sample["voucherBox"][0]["voucherPkg"]
        .as_array_mut()
        .unwrap();
    packages.truncate(1);
    let package = packages[0].clone();
    press.issue_tree("X22169-3141157-33475", &package).await;
    let trace_no = sample["traceNo"].as_str().unwrap();
    let request =
        json!({"traceNo": trace_no, "qrcode": "X22169-3141157-33475", "businessType": 12});
    let reply = press.ask("queryVoucher", request).await;
    unless_alike(&reply, &sample, &[]);
    press.house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_verify_info_of_one_code() {
    let press = Press::open().await;
    let sample = sample(VERIFY_INFO, "H00");
    let of_box = &sample["voucherBox"][0];
    press
        .issue_tree("X1123-6430582-102F5", &of_box["voucherPkg"][0])
        .await;
    let trace_no = sample["traceNo"].as_str().unwrap();
    let code = "1001901070000000258-M4DEDSfV";
    let request = json!({"traceNo": trace_no, "qrcode": code, "businessType": 12});
    let reply = press.ask("queryVerifyInfo", request).await;
    unless_alike(&reply, &sample, &[]);
    // The request of the sample is about another code, which nobody knows.
    let request = json!({"traceNo": "9900000910001010720150201",
        "qrcode": "10085748356738476396436", "businessType": 12});
    let reply = press.ask("queryVerifyInfo", request).await;
    assert_eq!(reply["returnCode"], "H01");
    assert_eq!(reply["traceNo"], "9900000910001010720150201");
    press.house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_code_trace_of_a_code_that_was_used_twice() {
    let press = Press::open().await;
    let sample = sample(CODE_TRACE, "00");
    let code = "1006250730320020870=gHN3981K";
    let reels = [(
        "R156A001-0000491-0505",
        ORDER,
        codes(&[code, "1006250730320020871=gHN3981K"]),
    )];
    press
        .issue("X00000-0000491-0505", "B0000-0000491-0505", &reels)
        .await;
    let request = json!({"traceNo": "1", "qrcode": code, "totalAmount": "3000"});
    press
        .desk()
        .ask("activeVoucher", request)
        .await
        .expect("A00");
    let till = press.house.till();
    for number in ["0", "1"] {
        let body = with(bodies::pre_order(number, PAYS), "DEV_ID", "54022101");
        let body = with(with(body, "REGISTER_ID", "1490"), "verifyCodes", code);
        till.post(Operation::PreOrder, &body)
            .await
            .expect("SUCCESS");
    }
    let request = json!({"requestId": "1754016596841", "qrcode": code});
    let reply = press.ask("queryCodeTrace", request).await;
    // The merchant is the demo's, and its uses have no remarks.
    let but = [
        ".returnData[1].mid",
        ".returnData[1].shopName",
        ".returnData[2].mid",
        ".returnData[2].shopName",
        ".returnData[2].swift",
        ".returnData[2]: members",
    ];
    unless_alike(&reply, &sample, &but);
    // Remarks of an activation are shown as the sample shows a use's.
    let remarks = &sample["returnData"][2]["extendData"];
    let other = "1006250730320020871=gHN3981K";
    let request = json!({"traceNo": "2", "qrcode": other, "totalAmount": "3000",
        "extendData": remarks});
    press
        .desk()
        .ask("activeVoucher", request)
        .await
        .expect("A00");
    let trace = press.desk().trace(other).await;
    assert_eq!(trace.json["returnData"][0]["extendData"], *remarks);
    press.house.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn active_by_part_no() {
    let press = Press::open().await;
    let stock = Stock {
        cards: Some(Cards {
            bin: "7020".to_owned(),
            first: 41,
        }),
        ..Stock::of(1, 2_000)
    };
    let (gateway, tenant) = (press.house.gateway(), tenant(&press.house).await);
    super::desk::issue(gateway, tenant, &stock).await;
    let settings = PartnerSettings {
        skip_signature: true,
        ..PartnerSettings::default()
    };
    put_partner(&press.house, PARTNER, TOKEN, settings, Vec::new()).await;
    let who = Who {
        number: PARTNER.0,
        by: "test".to_owned(),
    };
    let key = Request::Voucher(voucher::Request::MakeReplyKey(who));
    press.house.admin(key).await.unwrap();
    let request = json!({"ver": 2, "partnerId": 1504, "sign": "skip", "merchantId": 10001,
        "partnerOrderId": "2040132213w9181w0q77awwwd8", "type": 2, "bin": "7020",
        "startCardSe": "0000041", "endCardSe": "0000045", "sellingPrice": "10000",
        "costPrice": "8888", "number": 14});
    let path = "/b2b/code/activeByPartNo";
    let reply = press
        .desk()
        .send(path, request.to_string().as_bytes())
        .await;
    let reply = read(&reply).json;
    let sample = json!({"createTime": "20200212100234", "message": "…", "sign": "…",
        "statusCode": 100, "ver": 2});
    unless_alike(&reply, &sample, &[".sign", ".message"]);
    let sign = reply["sign"].as_str().unwrap();
    assert_eq!(sign.len(), 344, "256 bytes as the sample's, in Base64");
    assert!(!reply["message"].as_str().unwrap().is_empty());
    press.house.end().await;
}

#[test]
fn a_reply_that_is_not_its_sample_is_seen() {
    let sample = json!({"a": [{"orderNo": "1", "b": 2}], "transDate": "20161231120533"});
    let doctored = [
        json!({"a": [{"orderNo": "x", "b": 2}], "transDate": "20161231120533"}),
        json!({"a": [{"orderNo": "1", "b": "2"}], "transDate": "20161231120533"}),
        json!({"a": [{"orderNo": "1", "b": 2, "c": 1}], "transDate": "20161231120533"}),
        json!({"a": [], "transDate": "20161231120533"}),
        json!({"a": [{"orderNo": "1", "b": 2}], "transDate": "2016123112053"}),
        json!({"a": [{"orderNo": "1", "b": 2}]}),
    ];
    for got in doctored {
        let mut found = Vec::new();
        differences(&got, &sample, "", &mut found);
        assert!(!found.is_empty(), "{got}");
    }
}
