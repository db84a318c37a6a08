//! What the options become on the wire.

use super::*;
use clap::Parser;
use wire::opengateway::Document;

#[derive(Parser)]
struct TestCli {
    #[command(flatten)]
    call: CallArgs,
}

const NOW: UnixMs = UnixMs(1_795_300_000_123);

fn prepare(words: &str) -> Prepared {
    let words = std::iter::once("call").chain(words.split(' '));
    let args = TestCli::try_parse_from(words).map_err(|error| error.to_string());
    let args = args.unwrap().call;
    let url = base_url(&args.reach.url).unwrap();
    let key = args.common.key(&url).unwrap();
    let maker = Maker {
        caller: args.common.caller(&key, "1795300000123"),
        now: NOW,
    };
    match args.operation {
        OperationArgs::Merchant(operation) => operation.prepare(&maker).unwrap(),
        OperationArgs::Till(_) | OperationArgs::Voucher(_) => panic!("not a merchant's"),
    }
}

fn field(prepared: &Prepared, name: &str) -> Option<String> {
    let document = Document::decode(prepared.plaintext.as_bytes()).unwrap();
    document.fields().text(name).unwrap().map(str::to_owned)
}

#[test]
fn pay_needs_an_amount_and_a_code_only() {
    let pay = prepare("pay --amount 0.01 --code 284214903060794755");
    assert_eq!(pay.call.method, "POST");
    assert!(
        pay.call
            .target
            .starts_with("/openGateway/openService/preOrder?_type=json&sign=")
    );
    assert_eq!(field(&pay, "AMT").as_deref(), Some("0.01"));
    assert_eq!(
        field(&pay, "DYNAMIC_ID").as_deref(),
        Some("284214903060794755")
    );
    let serial = field(&pay, "CHARGE_CODE").unwrap();
    assert!(
        serial.starts_with("2026112") && serial.len() == 26,
        "{serial}"
    );
    assert_eq!(pay.generated, [("serial", serial.clone())]);
    assert!(pay.if_lost.contains(&serial));
}

#[test]
fn common_options_stand_before_or_behind_the_operation() {
    for words in [
        "--merchant M9 --key 0123456789abcdef --format xml query S1 --unsigned",
        "query S1 --unsigned --merchant M9 --key 0123456789abcdef --format xml",
    ] {
        let target = prepare(words).call.target;
        assert_eq!(
            target,
            "/openGateway/openService/query/S1/M9?_type=xml&serType=0"
        );
    }
}

#[test]
fn refund_names_its_payment_and_its_number() {
    let refund = prepare("refund --gateway-serial 20261122000000000742 --amount 1 --refund-no R1");
    assert_eq!(field(&refund, "OUT_REFUND_NO").as_deref(), Some("R1"));
    assert_eq!(field(&refund, "CHARGE_CODE"), None);
    assert!(refund.generated.is_empty() && refund.if_lost.contains("--refund-no R1"));
    let bare = prepare("refund --serial S1 --amount 1 --no-refund-no");
    assert_eq!(field(&bare, "OUT_REFUND_NO"), None);
    assert!(bare.if_lost.contains("--timestamp 1795300000123"));
    let nameless = TestCli::try_parse_from(["call", "refund", "--amount", "1"]);
    assert!(nameless.is_err());
}

#[test]
fn cancel_and_recharge_become_their_paths() {
    let cancel = prepare("cancel S1 --request").call;
    assert_eq!(cancel.method, "GET");
    assert!(cancel.target.contains("/cancelTrade/S1/0010000001?"));
    assert!(cancel.target.ends_with("&opType=ACO"));
    let recharge = prepare("recharge --phone 13800000000 --mb 100 --provincial");
    assert!(
        recharge
            .call
            .target
            .contains("/platService/flowRecharge/0010000001?")
    );
    assert_eq!(field(&recharge, "flowType").as_deref(), Some("1"));
}

#[test]
fn the_demo_key_goes_to_this_machine_only() {
    let key_for = |words: &[&str]| {
        let args = TestCli::try_parse_from(words).map_err(|error| error.to_string());
        let call = args.unwrap().call;
        call.common
            .key(&base_url(&call.reach.url).unwrap())
            .map(drop)
    };
    let to = |url| key_for(&["call", "--url", url, "query", "S1"]);
    assert!(to("http://localhost:1").is_ok() && to("http://[::1]:1").is_ok());
    let error = to("https://pay.example.com").unwrap_err().to_string();
    assert!(error.contains("ONETILL_KEY"), "{error}");
    assert!(key_for(&["call", "--merchant", "other", "query", "S1"]).is_err());
}

#[test]
fn wrong_addresses_and_channels_are_explained() {
    for wrong in ["pay.example.com", "ftp://x", "http://x/?a=1"] {
        let error = base_url(wrong).unwrap_err().to_string();
        assert!(error.contains("write it like"), "{error}");
    }
    assert!(sale::channel("4").unwrap_err().contains("2 WeChat Pay"));
}
