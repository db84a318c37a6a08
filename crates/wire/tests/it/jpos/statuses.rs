//! The appendix of status codes, row by row.

use wire::jpos::{Outcome, Status};

/// The appendix as it stands.
const APPENDIX: &str = "\
00 交易成功
01 请联系发卡行
02 请联系发卡行
03 商户未登记
04 没收卡, 请联系收单行
05 请联系发卡行
06 请联系发卡行
07 没收卡, 请联系收单行
09 请重试
12 请重试
13 交易金额超限 请重试
14 无效卡号, 请联系发卡行
15 此卡不能受理
19 请联系发卡行
20 请联系发卡行
21 请联系发卡行
22 操作有误, 请重试
23 请联系发卡行
25 请联系发卡行
30 请重试
31 此卡不能受理
33 过期卡, 请联系发卡行
34 没收卡, 请联系收单行
35 没收卡, 请联系收单行
36 此卡有误, 请换卡重试
37 没收卡, 请联系收单行
38 密码错误次数超限
39 请联系发卡行
40 请联系发卡行
41 没收卡, 请联系收单行
42 请联系发卡方
43 没收卡, 请联系收单行
44 请联系发卡行
51 余额不足, 请查询
52 请联系发卡行
53 请联系发卡行
54 过期卡, 请联系发卡行
55 密码错, 请重试
56 请联系发卡行
57 请联系发卡行
58 终端无效, 请联系收单行或银联
59 请联系发卡行
60 请联系发卡行
61 金额太大
62 请联系发卡行
63 请联系发卡行
64 请联系发卡行
65 超出取款次数限制
66 请联系收单行或银联
67 没收卡
68 交易超时, 请重试
75 密码错误次数超限
77 请向网络中心签到
79 POS 终端重传脱机数据
90 请稍后重试
91 请稍后重试
92 请稍后重试
93 请联系发卡行
94 请稍后重试
95 请稍后重试
96 请稍后重试
97 终端未登记, 请联系收单行或银联
98 交易超时, 请重试
99 校验错, 请重新签到
A0 校验错, 请重新签到";

#[test]
fn every_code_has_the_appendixs_text() {
    let rows: Vec<_> = APPENDIX
        .lines()
        .map(|row| row.split_once(' ').unwrap())
        .collect();
    let ours: Vec<_> = Status::ALL
        .iter()
        .map(|it| (it.code(), it.text()))
        .collect();
    assert_eq!(ours, rows);
    for status in Status::ALL {
        assert_eq!(Status::from_code(status.code()), Some(*status));
    }
}

#[test]
fn other_codes_do_not_exist() {
    for code in ["", "08", "0", "000", "a0", "A1", "--", "100"] {
        assert_eq!(Status::from_code(code), None, "{code}");
    }
}

#[test]
fn conditions_have_the_codes_that_terminals_expect() {
    for (status, code) in [
        (Status::UnknownStore, "03"),
        (Status::WrongIdentity, "05"),
        (Status::NotAllowed, "12"),
        (Status::BadAmount, "13"),
        (Status::UnknownCard, "14"),
        (Status::CardNotActive, "21"),
        (Status::Conflict, "22"),
        (Status::OriginalMissing, "25"),
        (Status::BadField, "30"),
        (Status::UnknownFunction, "40"),
        (Status::CardBlocked, "41"),
        (Status::TooLittle, "51"),
        (Status::CardExpired, "54"),
        (Status::WrongPin, "55"),
        (Status::CardRestricted, "57"),
        (Status::TerminalBlocked, "58"),
        (Status::OverLimit, "61"),
        (Status::AmountDiffers, "64"),
        (Status::TooMany, "65"),
        (Status::PinLocked, "75"),
        (Status::CheckinNeeded, "77"),
        (Status::DuplicateTrace, "94"),
        (Status::Internal, "96"),
        (Status::UnknownTerminal, "97"),
        (Status::PinFormat, "99"),
        (Status::MacFailed, "A0"),
    ] {
        assert_eq!(status.code(), code);
    }
}

#[test]
fn three_answers_end_a_reversal() {
    let ending: Vec<_> = Status::ALL.iter().filter(|it| it.ends_reversal()).collect();
    let codes: Vec<_> = ending.iter().map(|it| it.code()).collect();
    assert_eq!(codes, ["00", "12", "25"]);
}

#[test]
fn only_two_statuses_name_a_field() {
    let message = |status| Outcome::naming(status, "cardNo").message().to_owned();
    assert_eq!(message(Status::BadField), "请重试：cardNo");
    assert_eq!(message(Status::BadAmount), "交易金额超限 请重试：cardNo");
    assert_eq!(message(Status::PinFormat), "校验错, 请重新签到");
    assert_eq!(Outcome::new(Status::BadField).message(), "请重试");
}
