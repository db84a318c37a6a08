//! What the options mean, and what a terminal's file holds.

use super::{memory::Memory, options::*, reply};
use crate::cli::call::base_url;
use clap::Parser;
use std::{fs, os::unix::fs::PermissionsExt};
use wire::jpos::Operation;

#[derive(Parser)]
struct TestCli {
    #[command(flatten)]
    call: crate::cli::call::CallArgs,
}

#[derive(Parser)]
struct TestTill {
    #[command(flatten)]
    till: TillArgs,
}

fn parse(words: &str) -> Result<(), String> {
    let words = std::iter::once("call").chain(words.split(' '));
    let parsed = TestCli::try_parse_from(words);
    parsed.map(drop).map_err(|error| error.to_string())
}

#[test]
fn the_printed_calls_are_understood() {
    for words in [
        "checkin",
        "checkin --terminal 20141112 --tmk-file tmk.key",
        "card 9999999999025288 --json",
        "consume --card 9999999999025288 --cash 12.50 --points 1.00",
        "consume --card 9999999999025288 --voucher 1:2 --voucher 2",
        "consume --card 9999999999025320 --points 5 --ask-pin",
        "redeem --card 9999999999025288 --ticket 1:2",
        "void",
        "void 3",
        "return 000003 --batch 41",
        "return --serial 000010000012 --card 9999999999025288",
        "return-void",
        "reverse --url http://127.0.0.1:8081",
        "repeat",
        "code 13900000000",
        "activate --card 9999999999025296 --mobile 13900000000 --code 123456",
        "settle --details",
        "journal",
    ] {
        // --json is the program's.
        assert_eq!(parse(&words.replace(" --json", "")), Ok(()), "{words}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_word_of_help() {
    for (words, help) in [
        ("consume --card 1", "required"),
        ("consume --card 1 --cash 1.005", "at most two decimals"),
        ("consume --card 1 --voucher 1:0", "ID:PIECES"),
        ("redeem --card 1", "--ticket"),
        ("void 0", "1 to 999999"),
        ("return --batch 1", "TRACE"),
        (
            "activate --card 1 --mobile 1 --code 1 --id-type 9",
            "01 to 07",
        ),
    ] {
        let error = parse(words).unwrap_err();
        assert!(error.contains(help), "{words}: {error}");
    }
}

#[test]
fn a_terminals_file_is_its_own_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/till.json");
    let args = |terminal: &str| {
        let words = [
            "till",
            "--terminal",
            terminal,
            "--state",
            path.to_str().unwrap(),
        ];
        TestTill::try_parse_from(words).ok().unwrap().till
    };
    let url = base_url("http://127.0.0.1:8080").unwrap();
    let one = args("7");
    let memory = Memory::take(&one, &url).ok().unwrap();
    let till = memory.load(&one).unwrap();
    memory.save(&till).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let error = Memory::take(&one, &url).err().unwrap().to_string();
    assert!(error.contains("another call of this terminal"), "{error}");
    drop(memory);
    let other = args("8");
    let memory = Memory::take(&other, &url).ok().unwrap();
    let error = memory.load(&other).unwrap_err().to_string();
    assert!(error.contains("the memory of terminal 7"), "{error}");
    drop(memory);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let memory = Memory::take(&one, &url).ok().unwrap();
    let error = memory.load(&one).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn answers_are_shown_with_what_they_mean() {
    let shown = |operation, text: &str| {
        let reply = crate::till::reply::read(operation, text.as_bytes()).unwrap();
        reply::text(&reply)
    };
    let sold = shown(
        Operation::Consume,
        r#"{"status":"00","message":"交易成功","transTime":1415125804,"serialNo":"000010000012",
        "pointBalance":912.5,"avaiablePointBalance":912.5,"usePoint":100,"persentPoint":12.5,
        "advertisement":"欢迎"}"#,
    );
    let expected = "\
00  交易成功  (done)
serialNo              000010000012
pointBalance          912.5  (points)
avaiablePointBalance  912.5  (to be spent now)
usePoint              100
persentPoint          12.5  (earned)
advertisement         欢迎";
    assert_eq!(sold, expected);
    let unbalanced = shown(
        Operation::Settle,
        r#"{"status":"00","message":"","transTime":1,"settleFlag":"ns",
        "differences":[{"field":"pointDebitCount","host":2,"terminal":1}]}"#,
    );
    assert!(
        unbalanced.ends_with("pointDebitCount     2         1"),
        "{unbalanced}"
    );
    let compared = shown(
        Operation::SettleDetails,
        r#"{"status":"00","message":"","transTime":1,"details":[
        {"function":"trans/consume","traceNo":"000001","result":"matched"},
        {"function":"trans/consume","traceNo":"000002","serialNo":"000010000002",
         "result":"hostOnly"}]}"#,
    );
    assert!(compared.contains("1 of 2 messages agree"), "{compared}");
    assert!(compared.ends_with("000002   trans/consume  000010000002  only at the host"));
    let failed = shown(
        Operation::Cards,
        r#"{"status":"14","message":"无效卡号, 请联系发卡行","transTime":1,"vaucher":[]}"#,
    );
    assert_eq!(
        failed,
        "14  无效卡号, 请联系发卡行  (no such card, or not the original's)"
    );
}
