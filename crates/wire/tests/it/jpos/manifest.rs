//! Every row of the source's tables: which messages there are, which fields they have, and what a
//! reply says. A field that a decoder or an encoder does not know fails here.

use super::read;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use wire::jpos::{Form, Operation, Reply, TimeUnit, Version};

/// What the source demands of a field of a request, and what is made of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// `!`: without it the message is refused.
    Must,
    /// `C` or nothing: it may be absent, and is read where it is there.
    May,
    /// `!` in the source, and absent from the messages of real clients: as [`Demand::May`].
    Relaxed,
    /// `!` in the source; real clients send another field of the same original in its place, and
    /// without either the message is refused, naming `oriSerialNo`.
    Either,
    /// `!` in the source by a slip: it may be there, and says nothing.
    Slip,
}

use Demand::{Either, May, Must, Relaxed, Slip};

/// A field of a request, what is demanded of it, and a value.
type Field = (&'static str, Demand, &'static str);

/// One of the source's "接口报文".
struct Interface {
    title: &'static str,
    operation: Operation,
    uri: &'static str,
    request: Vec<Field>,
    /// What a reply holds besides `status` and `message`.
    reply: Value,
}

const SENDER: [Field; 2] = [
    ("storeNo", Must, "102100099990001"),
    ("terminalNo", Must, "20141112"),
];
const CARD: Field = ("cardNo", Must, "9999999999025288");
const NUMBER: [Field; 2] = [("traceNo", Must, "000123"), ("batchNo", Relaxed, "000001")];
const TRACKS: [Field; 2] = [
    ("track2", May, "9999999999025288=4905"),
    ("track3", May, "999999999902528849050000"),
];

fn fields(parts: &[&[Field]]) -> Vec<Field> {
    parts.concat()
}

/// Sender, card and number, which most begin with.
fn head() -> Vec<Field> {
    fields(&[&SENDER, &[CARD], &NUMBER])
}

fn with_tracks(more: &[Field]) -> Vec<Field> {
    fields(&[&head(), &TRACKS, more])
}

fn interfaces() -> Vec<Interface> {
    let groups = [looks(), sales(), returns(), members(), reversals()];
    groups.into_iter().flatten().collect()
}

type Row = (&'static str, Operation, &'static str, Vec<Field>, Value);

fn group<const N: usize>(rows: [Row; N]) -> Vec<Interface> {
    let rows = rows.into_iter();
    let interfaces = rows.map(|(title, operation, uri, request, reply)| Interface {
        title,
        operation,
        uri,
        request,
        reply,
    });
    interfaces.collect()
}

fn looks() -> Vec<Interface> {
    use Operation::{Cards, Checkin, Tickets};
    let checked_in = json!({ "batchNo": "000001", "storeName": "一店", "workingKey": "00FF" });
    let held = json!({
        "pointBalance": 1, "avaiablePointBalance": 1,
        "ticket": [{ "id": 1, "type": "01", "amount": 10, "name": "xx 团购券", "num": 5 }],
    });
    group([
        ("签到", Checkin, "terminal/checkin", checkin(), checked_in),
        ("卡查询", Cards, "cards", head(), card()),
        ("券查询", Tickets, "tickets", head(), held),
    ])
}

/// What a reply says of the points that were moved, and more.
fn moved(mut more: Value) -> Value {
    more["serialNo"] = json!("100000000231");
    more["pointBalance"] = json!(1);
    more["avaiablePointBalance"] = json!(1);
    more
}

fn sales() -> Vec<Interface> {
    use Operation::{Consume, TicketConsume};
    let line = "欢迎参加 xxx 活动";
    let bought = moved(json!({ "usePoint": 0, "persentPoint": 0, "advertisement": line }));
    let used = json!({ "serialNo": "100000000231", "advertisement": line });
    group([
        ("消费", Consume, "trans/consume", consume(), bought),
        ("券消费", TicketConsume, "tickets/consume", tickets(), used),
    ])
}

fn returns() -> Vec<Interface> {
    use Operation::{Cancel, Refund, RefundCancel};
    let undone = moved(json!({ "usePoint": 0, "persentPoint": 0 }));
    let returned = moved(json!({
        "returnPoint": 0, "returnPersentPoint": 0, "returnCash": 0, "supplyCash": 0,
    }));
    let (cancelled, taken_again) = (undone.clone(), undone);
    group([
        ("消费撤销", Cancel, "trans/cancel", cancel(), cancelled),
        ("消费退货", Refund, "refunds", refund(), returned),
        (
            "消费退货撤销",
            RefundCancel,
            "refunds/cancel",
            refund_cancel(),
            taken_again,
        ),
    ])
}

fn members() -> Vec<Interface> {
    use Operation::{CardActive, SendVerifyCode, Settle};
    let given = json!({ "serialNo": "100000000231" });
    let settled = json!({ "settleFlag": "ss" });
    group([
        (
            "发送验证码",
            SendVerifyCode,
            "mobile/sendVerifyCode",
            code(),
            json!({}),
        ),
        ("卡激活", CardActive, "card/active", active(), given),
        ("结算", Settle, "trans/settle", settle(), settled),
    ])
}

/// "冲正交易": 请求和原报文一致.
fn reversals() -> Vec<Interface> {
    use Operation::{CancelReversal, ConsumeReversal, TicketConsumeReversal};
    let nothing = || json!({});
    group([
        (
            "消费冲正",
            ConsumeReversal,
            "trans/consumeReversal",
            consume(),
            nothing(),
        ),
        (
            "消费撤销冲正",
            CancelReversal,
            "trans/cancelReversal",
            cancel(),
            nothing(),
        ),
        (
            "券消费冲正",
            TicketConsumeReversal,
            "tickets/consumeReversal",
            tickets(),
            nothing(),
        ),
    ])
}

fn checkin() -> Vec<Field> {
    fields(&[&SENDER, &[("operatorNo", Must, "01")]])
}

fn consume() -> Vec<Field> {
    with_tracks(&[
        ("password", May, "061253DFFEDCBA98"),
        ("consumeType", Must, "021"),
        ("pointAmount", Must, "1.5"),
        ("cashAmount", Must, "100"),
        ("vaucher", May, r#"[{"id":1,"num":2}]"#),
        ("registerTraceNo", May, "R1"),
    ])
}

fn cancel() -> Vec<Field> {
    with_tracks(&[
        ("oriBatchNo", Relaxed, "000001"),
        ("oriTraceNo", Either, "000122"),
        ("oriTransTime", Relaxed, "1415125804"),
        ("oriRegisterTraceNo", May, "R1"),
    ])
}

fn refund() -> Vec<Field> {
    with_tracks(&[
        ("oriSerialNo", Either, "100000000231"),
        ("oriTransDate", Relaxed, "20141111"),
        ("oriRegisterTraceNo", Relaxed, "R1"),
    ])
}

fn refund_cancel() -> Vec<Field> {
    with_tracks(&[
        ("oriSerialNo", Relaxed, "100000000231"),
        ("oriBatchNo", Relaxed, "000001"),
        ("oriTraceNo", Relaxed, "000122"),
        ("oriTransTime", Relaxed, "1415125804"),
        ("oriRegisterTraceNo", Relaxed, "R1"),
    ])
}

fn tickets() -> Vec<Field> {
    with_tracks(&[("ticket", Must, r#"[{"id":7,"num":1,"type":"01"}]"#)])
}

fn code() -> Vec<Field> {
    let number = [("traceNo", May, "000123"), ("batchNo", May, "000001")];
    fields(&[&SENDER, &[("mobileNo", Must, "13800000000")], &number])
}

fn active() -> Vec<Field> {
    with_tracks(&[
        ("mobileNo", Must, "13800000000"),
        ("verifyCode", Must, "123456"),
        ("idType", Must, "01"),
        ("idNo", May, "0123456789"),
    ])
}

fn settle() -> Vec<Field> {
    let totals = [
        ("pointDebitCount", Must, "3"),
        ("pointDebitAmount", Must, "4.5"),
        ("pointCeditCount", Must, "1"),
        ("pointCreditAmount", Must, "1.5"),
        ("ticketDebitCount", Must, "2"),
        ("ticketDebitAmount", Must, "20"),
        ("ticketCreditCount", Must, "4"),
        ("ticketCreditAmount", Must, "40"),
        ("totalTransCount", Must, "5"),
        ("cancelCount", Must, "1"),
        ("refundCount", Must, "6"),
        ("cardActiveCount", Must, "7"),
    ];
    let slip = ("cardNo", Slip, "9999999999025288");
    fields(&[&SENDER, &[slip], &NUMBER, &totals])
}

fn card() -> Value {
    json!({
        "pointBalance": 1, "avaiablePointBalance": 0,
        "vaucher": [{ "id": 1, "amount": 1, "num": 2, "name": "vv1" }],
        "idType": "01", "idNo": "0123456789012345678", "name": "张三", "gender": "01",
        "mobileNo": "13800000000", "grade": "0", "address": "", "email": "zhangsan@gmail.com",
    })
}

fn body(fields: &[Field]) -> String {
    let mut form = Form::new();
    for (name, _, value) in fields {
        form.push(name, *value);
    }
    form.encode()
}

#[test]
fn every_interface_has_its_path() {
    for it in interfaces() {
        let path = format!("/v1/jpos/{}", it.uri);
        assert_eq!(it.operation.path(Version::V1), path, "{}", it.title);
        assert_eq!(
            Operation::parse_path(&path),
            Ok((Version::V1, it.operation))
        );
    }
}

#[test]
fn every_field_of_a_request_is_known() {
    for it in interfaces() {
        let request = read(it.operation, &body(&it.request));
        let request = request.unwrap_or_else(|error| panic!("{}: {error}", it.title));
        let form = request.to_form();
        for (name, demand, value) in &it.request {
            // What a reversal's original only was read by says nothing of which one it was.
            let is_told = *demand != Slip && it.operation.reverses().is_none();
            if is_told {
                assert_eq!(form.get(name), Some(*value), "{} {name}", it.title);
            }
        }
    }
}

#[test]
fn every_field_is_demanded_as_the_source_says() {
    for it in interfaces() {
        for (missing, demand, _) in &it.request {
            let rest: Vec<Field> = it
                .request
                .iter()
                .copied()
                .filter(|(name, ..)| name != missing)
                .collect();
            let found = read(it.operation, &body(&rest)).map_err(|error| error.field());
            let demand = match it.operation.reverses() {
                Some(_) if !REVERSAL_DEMANDS.contains(missing) => May,
                Some(_) | None => *demand,
            };
            let expected = match demand {
                Must => Some(*missing),
                Either => Some("oriSerialNo"),
                May | Relaxed | Slip => None,
            };
            assert_eq!(found.err().as_deref(), expected, "{} {missing}", it.title);
        }
    }
}

/// A reversal is refused for nothing but these: it is repeated until it is through.
const REVERSAL_DEMANDS: [&str; 3] = ["storeNo", "terminalNo", "traceNo"];

#[test]
fn every_member_of_a_reply_is_known() {
    for it in interfaces() {
        let mut text = Map::new();
        text.insert("status".to_owned(), json!("00"));
        text.insert("message".to_owned(), json!("交易成功"));
        // Not in every table of the source, and in every reply all the same.
        text.insert("transTime".to_owned(), json!(1_415_125_804));
        text.extend(it.reply.as_object().unwrap().clone());
        let bytes = Value::Object(text.clone()).to_string();
        let reply = Reply::decode(it.operation, TimeUnit::Seconds, bytes.as_bytes());
        let reply = reply.unwrap_or_else(|error| panic!("{}: {error}", it.title));
        let written: Value = serde_json::from_str(&reply.encode(TimeUnit::Seconds)).unwrap();
        for (name, value) in &text {
            assert_eq!(&written[name], value, "{} {name}", it.title);
        }
    }
}

/// "名称字典": each name stands in some message, but for one that no table of the source uses.
#[test]
fn every_name_of_the_dictionary_is_used() {
    let dictionary = "traceNo oriTraceNo batchNo oriBatchNo serialNo oriSerialNo terminalNo storeNo \
        storeName operatorNo workingKey status message cardNo track2 track3 password mobileNo \
        verifyCode name gender grade address email idType idNo pointBalance avaiablePointBalance \
        usePoint persentPoint advertisement cashAmount pointAmount registerTraceNo \
        oriRegisterTraceNo vaucher amount num id consumeType transTime oriTransTime oriTransDate \
        cancelAmount returnPoint returnCash returnPersentPoint supplyCash ticket type \
        pointDebitCount pointDebitAmount pointCeditCount pointCreditAmount ticketDebitCount \
        ticketDebitAmount ticketCreditCount ticketCreditAmount totalTransCount cancelCount \
        refundCount cardActiveCount";
    let mut used: BTreeSet<String> = ["status", "message", "transTime"].map(str::to_owned).into();
    for it in interfaces() {
        used.extend(it.request.iter().map(|(name, ..)| (*name).to_owned()));
        names(&it.reply, &mut used);
    }
    let unused: Vec<&str> = dictionary
        .split_whitespace()
        .filter(|it| !used.contains(*it))
        .collect();
    assert_eq!(unused, ["cancelAmount"]);
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                found.insert(name.clone());
                names(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| names(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
