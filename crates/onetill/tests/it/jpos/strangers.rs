//! Whoever speaks from an address that no store is bound to, or with a wrong MAC, reaches nothing:
//! no row changes, whatever is asked.

use super::{
    admission::{set_networks, strict},
    pos::{Pos, totals},
};
use crate::support::{
    house::House,
    http::{self, Reply},
};
use domain::loyalty::{document::DocumentKind, terminal::BatchNo};
use onetill::admin::loyalty::demo::{CARD, MAC_TERMINAL, STOCKED_CARD, STORE, TERMINAL};
use serde_json::Value;
use wire::jpos::{Form, Operation, Version, name};

const KINDS: [DocumentKind; 5] = [
    DocumentKind::Store,
    DocumentKind::Terminal,
    DocumentKind::Card,
    DocumentKind::VerifyCodes,
    DocumentKind::WorkItem,
];

/// Every row that anything of this dialect could change, as text.
async fn rows(house: &House) -> Vec<String> {
    let mut snapshot = house.gateway().reader.snapshot().await.unwrap();
    let mut rows = Vec::new();
    for kind in KINDS {
        let documents = snapshot.documents(kind, None, 1_000).await.unwrap();
        rows.extend(documents.iter().map(|it| format!("{it:?}")));
    }
    let events = snapshot.trans(None, 1_000).await.unwrap();
    rows.extend(events.iter().map(|it| format!("{it:?}")));
    let postings = snapshot.postings(None, 1_000).await.unwrap();
    rows.extend(postings.iter().map(|it| format!("{it:?}")));
    let values = house.gateway().reader.values(String::new(), 1_000).await;
    rows.extend(values.unwrap().iter().map(|it| format!("{it:?}")));
    rows
}

/// A form with something for every function.
fn fields<'f>(batch: &'f str, serial: &'f str, card: &'f str) -> Vec<(&'static str, &'f str)> {
    let mut fields = totals("000901", batch, &[]);
    fields.extend([
        ("operatorNo", "001"),
        ("cardNo", card),
        ("consumeType", "012"),
        ("pointAmount", "1"),
        ("cashAmount", "1"),
        ("vaucher", r#"[{"id":1,"num":1}]"#),
        ("ticket", r#"[{"id":1,"num":1,"type":"01"}]"#),
        ("oriSerialNo", serial),
        ("mobileNo", "13812345678"),
        ("verifyCode", "123456"),
        ("idType", "01"),
        ("idNo", "110101199003077777"),
        ("details", "[]"),
    ]);
    fields
}

/// Sends a form to every function of every version, and one that is not served; gives the
/// statuses of those that are.
async fn ask_everything(house: &House, form: &Form<'_>) -> Vec<(Operation, String)> {
    let mut answers = Vec::new();
    for operation in Operation::ALL {
        for version in Version::ALL {
            let reply = send(house, &operation.path(version), form).await;
            let json: Value = serde_json::from_str(&reply.text()).unwrap();
            let status = json["status"].as_str().unwrap();
            answers.push((*operation, status.to_owned()));
        }
        let unknown = format!("/v9/jpos/{}", operation.function());
        assert_eq!(send(house, &unknown, form).await.status, 404);
    }
    answers
}

async fn send(house: &House, path: &str, form: &Form<'_>) -> Reply {
    http::send(house.address, &http::post(path, form.encode())).await
}

/// A form of a terminal with a MAC as it is.
fn form<'f>(
    terminal: &'f str,
    fields: &[(&'static str, &'f str)],
    mac: Option<&'f str>,
) -> Form<'f> {
    let mut form = Form::new();
    form.push(name::STORE_NO, STORE);
    form.push(name::TERMINAL_NO, terminal);
    for (name, value) in fields {
        form.push(name, *value);
    }
    if let Some(mac) = mac {
        form.push(name::MAC, mac);
    }
    form
}

/// A house with a batch in which something can be taken back, and the number of that.
async fn with_a_sale() -> (House, String) {
    let house = strict().await;
    set_networks(&house, &["127.0.0.1"]).await;
    let (pos, signing) = (Pos::open(&house).await, Pos::with_mac(&house));
    signing.check_in().await;
    signing.buy("1", "1").await.expect("00");
    let sold = pos.buy("1", "1").await.expect("00");
    (house, sold.text_of("serialNo"))
}

#[tokio::test]
async fn from_an_address_of_no_store_nothing_is_reached() {
    let (house, serial) = with_a_sale().await;
    set_networks(&house, &["10.0.0.0/8"]).await;
    let before = rows(&house).await;
    let batch = BatchNo::FIRST.to_string();
    for terminal in [TERMINAL, MAC_TERMINAL, "99999999"] {
        for card in [CARD, STOCKED_CARD] {
            for mac in [None, Some("0123ABCD"), Some("no MAC")] {
                let fields = fields(&batch, &serial, card);
                let form = form(terminal, &fields, mac);
                for (operation, status) in ask_everything(&house, &form).await {
                    let refused = ["58", "97", "92"].contains(&&*status);
                    assert!(refused, "{operation:?} {status}");
                }
            }
        }
    }
    assert_eq!(rows(&house).await, before);
    house.end().await;
}

/// The check-in carries none; and after three in a row the terminal has to do that again, which is
/// all that a wrong MAC changes.
#[tokio::test]
async fn with_a_wrong_mac_nothing_is_reached() {
    let (house, serial) = with_a_sale().await;
    let is_terminal = |it: &String| it.starts_with("Terminal(");
    let without_terminals = async || {
        let mut rows = rows(&house).await;
        rows.retain(|it| !is_terminal(it));
        rows
    };
    let before = without_terminals().await;
    let batch = BatchNo::FIRST.to_string();
    for mac in [None, Some("0123ABCD"), Some("no MAC")] {
        let fields = fields(&batch, &serial, CARD);
        let form = form(MAC_TERMINAL, &fields, mac);
        for (operation, status) in ask_everything(&house, &form).await {
            let refused = ["A0", "77"].contains(&&*status);
            assert!(
                refused || operation == Operation::Checkin,
                "{operation:?} {status}"
            );
        }
    }
    assert_eq!(without_terminals().await, before);
    house.end().await;
}
