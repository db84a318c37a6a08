//! Trees written piece by piece.

use std::borrow::Cow;

use wire::Locale;
use wire::voucher::reply::{CodeDetail, CodesReply, Place, Reply};
use wire::voucher::{Action, CivilTime, CodeStatus, ReplyWriter, ReturnCode, TreeShape};

fn reply() -> CodesReply {
    let at = CivilTime::new((2026, 11, 22), (10, 0, 0)).unwrap();
    let code = ReturnCode::VoucherFound;
    let mut reply = CodesReply::new(code, code.name(Locale::Zh).to_owned(), at);
    reply.trace_no = Some("1".into());
    reply
}

fn detail(code: &str) -> CodeDetail<'_> {
    CodeDetail {
        create_time: CivilTime::new((2026, 11, 22), (9, 0, 0)).unwrap(),
        sale_channel_order_id: Cow::Borrowed("a1c4efb107df46f0ba230de6477bd337"),
        remain_times: 1,
        status: CodeStatus::InStock,
        status_desc: CodeDetail::status_desc(CodeStatus::InStock, Locale::En),
        code: Cow::Borrowed(code),
        activity_id: 500_706,
        activity_name: Cow::Borrowed("a \"name\""),
        sale_channel_name: Cow::Borrowed(""),
        send_channel_name: Cow::Borrowed(""),
        ticket_id: 500_812,
        ticket_name: Cow::Borrowed("t"),
        face_value_fen: 2_000,
        valid_start: CivilTime::new((2026, 1, 1), (0, 0, 0)),
        valid_end: None,
    }
}

const fn place<'a>(box_id: &'a str, pkg_id: &'a str, reel_id: &'a str) -> Place<'a> {
    Place {
        box_id,
        pkg_id,
        reel_id,
    }
}

/// The reply over these places, a code at each, without the members of the codes.
fn outline(shape: TreeShape, places: &[Place<'_>]) -> String {
    let mut writer = ReplyWriter::new(&reply(), shape);
    for place in places {
        writer.code(*place, &detail("00000000"));
    }
    let mut code = String::new();
    let text = writer.finish();
    if let (Some(start), Some(end)) = (text.find("{\"createTime"), text.find("\"in stock\"}")) {
        code.push_str(&text[start..end + "\"in stock\"}".len()]);
    }
    if code.is_empty() {
        text
    } else {
        text.replace(&code, "C")
    }
}

#[test]
fn a_code_is_written_member_by_member() {
    let mut writer = ReplyWriter::new(&reply(), TreeShape::Packages);
    writer.code(place("", "P", "R"), &detail("1001901070000000258-M4DEDSfV"));
    assert_eq!(
        writer.finish(),
        concat!(
            r#"{"transDate":"20261122100000","returnDesc":"success","#,
            r#""voucherPkg":[{"pkgId":"P","voucherReel":[{"reelId":"R","codeDetail":["#,
            r#"{"createTime":"20261122090000","saleChannelOrderId":"a1c4efb107df46f0ba230de6477bd337","#,
            r#""remainTimes":1,"status":"01","ticketName":"t","code":"1001901070000000258-M4DEDSfV","#,
            r#""activityId":500706,"validEnd":"00000000000000","sendChannelName":"","ticketId":500812,"#,
            r#""saleChannelName":"","validStart":"20260101000000","faceValue":"20.0","#,
            r#""createDate":"20261122","activityName":"a \"name\"","statusDesc":"in stock"}"#,
            r#"]}]}],"returnCode":"P00","traceNo":"1"}"#,
        )
    );
}

#[test]
fn levels_begin_and_end_where_the_place_changes() {
    const HEAD: &str = r#"{"transDate":"20261122100000","returnDesc":"success""#;
    const TAIL: &str = r#""returnCode":"P00","traceNo":"1"}"#;
    let places = [
        place("X1", "P1", "R1"),
        place("X1", "P1", "R1"),
        place("X1", "P1", "R2"),
        place("X1", "P2", "R2"),
        place("X2", "P2", "R2"),
    ];
    let reel = |id: &str, codes: &str| format!(r#"{{"reelId":"{id}","codeDetail":[{codes}]}}"#);
    let pkg = |id: &str, reels: &str| format!(r#"{{"pkgId":"{id}","voucherReel":[{reels}]}}"#);
    let boxed = |id: &str, pkgs: &str| format!(r#"{{"boxId":"{id}","voucherPkg":[{pkgs}]}}"#);
    let first = pkg("P1", &format!("{},{}", reel("R1", "C,C"), reel("R2", "C")));
    let (second, third) = (pkg("P2", &reel("R2", "C")), pkg("P2", &reel("R2", "C")));
    let boxes = format!(
        "{},{}",
        boxed("X1", &format!("{first},{second}")),
        boxed("X2", &third)
    );
    assert_eq!(
        outline(TreeShape::Boxes, &places),
        format!(r#"{HEAD},"voucherBox":[{boxes}],{TAIL}"#)
    );
    assert_eq!(
        outline(TreeShape::Packages, &places),
        format!(r#"{HEAD},"voucherPkg":[{first},{second},{third}],{TAIL}"#)
    );
    for shape in [TreeShape::Boxes, TreeShape::Packages] {
        assert_eq!(outline(shape, &[]), format!("{HEAD},{TAIL}"));
    }
}

#[test]
fn ids_cannot_break_the_document() {
    let text = outline(TreeShape::Boxes, &[place("\"x\"", "\\", "\n")]);
    assert!(text.contains(
        r#"{"boxId":"\"x\"","voucherPkg":[{"pkgId":"\\","voucherReel":[{"reelId":"\u000a""#
    ));
    assert!(serde_json::from_str::<serde_json::Value>(&text.replace("[C]", "[]")).is_ok());
}

#[test]
fn pieces_make_the_whole_and_none_grows() {
    const CODES: usize = 10_000;
    let codes: Vec<String> = (0..CODES).map(|number| format!("{number:08}")).collect();
    let mut writer = ReplyWriter::new(&reply(), TreeShape::Boxes);
    let mut pieces = String::new();
    let mut longest = 0;
    for (number, code) in codes.iter().enumerate() {
        let reel = format!("R{}", number / 100);
        let pkg = format!("P{}", number / 1_000);
        writer.code(place("X", &pkg, &reel), &detail(code));
        longest = longest.max(writer.len());
        pieces.push_str(&writer.take());
        assert!(writer.is_empty());
    }
    pieces.push_str(&writer.finish());
    assert!(longest < 1_000, "{longest}");
    let Ok(Reply::Codes { reply: read, tree }) =
        Reply::decode(Action::QueryVoucher, pieces.as_bytes())
    else {
        panic!("no reply");
    };
    assert_eq!(read, reply());
    let tree = tree.unwrap();
    let found: Vec<_> = tree
        .codes()
        .iter()
        .map(|(_, code)| code.code.to_string())
        .collect();
    assert_eq!(found, codes);
    assert_eq!(read.encode(Some(&tree)), pieces);
}

#[test]
fn a_change_has_its_tree_at_the_end() {
    let at = CivilTime::new((2026, 11, 22), (10, 0, 0)).unwrap();
    let code = ReturnCode::AllActive;
    let reply = CodesReply::new(code, code.name(Locale::Zh).to_owned(), at);
    let mut writer = ReplyWriter::new(&reply, TreeShape::Packages);
    writer.code(place("X", "P", "R"), &detail("00000000"));
    let text = writer.finish();
    assert!(text.starts_with(
        r#"{"transDate":"20261122100000","returnCode":"R00","returnDesc":"SUCCESS","voucherPkg":["#
    ));
    assert!(text.ends_with(r#""statusDesc":"in stock"}]}]}]}"#));
    assert!(Reply::decode(Action::ActiveResultQuery, text.as_bytes()).is_ok());
}
