//! The payer's page in a real browser.

use super::{devtools::Browser, receiver::Receiver, sale};
use crate::support::process::{Client, Merchant, Process, Recipe};
use serde_json::json;
use std::time::{Duration, Instant};
use wire::opengateway::Operation;

const STATE: &str = "document.getElementById('state').getAttribute('data-state')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_pays_and_another_declines_on_the_page_in_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    let receiver = Receiver::start().await;
    let mut client = gateway.client();
    let mut browser = Browser::start(&dir.path().join("profile")).await;

    let link = order(&mut client, "B-1", &receiver.url()).await;
    browser.open(&link).await;
    assert_eq!(browser.eval(STATE).await, json!("unpaid"));
    browser.click("#pay").await;
    browser.until(&format!("{STATE} === 'paid'")).await;
    assert!(hidden(&mut browser, "#pay").await, "nothing left to press");
    notified(&receiver, "B-1").await;
    assert_eq!(state(&mut client, "B-1").await, "1");

    let link = order(&mut client, "B-2", &receiver.url()).await;
    browser.open(&link).await;
    assert_eq!(browser.eval(STATE).await, json!("unpaid"));
    browser.click("#decline").await;
    browser.until(&format!("{STATE} === 'declined'")).await;
    becomes(&mut client, "B-2", "6").await;
    assert_eq!(receiver.acknowledged("B-2"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_page_shows_what_happens_elsewhere_without_a_reload_and_fits_a_phone() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    let receiver = Receiver::start().await;
    let mut client = gateway.client();
    let mut browser = Browser::start(&dir.path().join("profile")).await;
    browser.be_a_phone().await;

    let link = order(&mut client, "B-3", &receiver.url()).await;
    browser.open(&link).await;
    let overflow = "document.documentElement.scrollWidth - window.innerWidth";
    assert_eq!(
        browser.eval(overflow).await,
        json!(0),
        "it scrolls sideways"
    );
    browser.eval("window.sameDocument = true").await;

    // The customer pays with another device.
    let path = link.find("/sandbox").expect("a link to the page");
    let reply = client.post_form(&link[path..], "action=pay").await.unwrap();
    assert_eq!(reply.status, 200);
    browser.until(&format!("{STATE} === 'paid'")).await;
    let same = browser.eval("window.sameDocument === true").await;
    assert_eq!(same, json!(true), "the page was loaded again");
    assert_eq!(
        browser.eval(overflow).await,
        json!(0),
        "it scrolls sideways"
    );
    notified(&receiver, "B-3").await;
}

/// Opens an order; answers the link to pay it.
async fn order(client: &mut Client, number: &str, notify: &str) -> String {
    let body = sale::order(number, 1_250, Some(notify.to_owned()));
    let call = Merchant::demo().post(Operation::Order, &body);
    let reply = client.call(&call).await.unwrap();
    assert_eq!(reply.code(), "SUCCESS", "{}", reply.text());
    reply.field("BAR_CODE")
}

async fn state(client: &mut Client, number: &str) -> String {
    let reply = client.call(&Merchant::demo().query(number)).await.unwrap();
    reply.field("STATE")
}

async fn becomes(client: &mut Client, number: &str, wanted: &str) {
    let started = Instant::now();
    while state(client, number).await != wanted {
        assert!(started.elapsed() < Duration::from_secs(10), "{number}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn notified(receiver: &Receiver, number: &str) {
    let started = Instant::now();
    while receiver.acknowledged(number) == 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "{number}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn hidden(browser: &mut Browser, selector: &str) -> bool {
    let script = format!("document.querySelector('{selector}').offsetParent === null");
    browser.eval(&script).await == json!(true)
}
