//! The demo data, loaded by a gateway that is killed on the way and started again.

use onetill::{
    admin::{
        self, Request, demo,
        loyalty::{self, listing::CardPage},
    },
    app::{
        Gateway,
        compose::{Composed, compose, system_clock},
    },
    config::Options,
};
use serde_json::Value;
use std::{future::poll_fn, path::Path, pin::pin, sync::Arc, task::Poll};

async fn open(data: &Path) -> Composed {
    let options = Options {
        demo: true,
        data: Some(data.to_owned()),
        ..Options::default()
    };
    let config = options.check().unwrap();
    compose(&config, system_clock()).await.unwrap()
}

/// Goes on with `work` only so often; `None` if it was not done by then.
async fn broken_off<F: Future>(work: F, polls: usize) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

async fn ask(gateway: &Arc<Gateway>, request: loyalty::Request) -> Value {
    admin::handle(gateway, Request::Loyalty(request))
        .await
        .unwrap()
}

/// What the demo is made of, as an operator sees it.
async fn seen(gateway: &Arc<Gateway>) -> Vec<String> {
    let merchants = gateway.reader.merchants().await.unwrap();
    let mut seen: Vec<String> = merchants.iter().map(|it| it.code.clone()).collect();
    let tenant = || "demo".to_owned();
    let cards = loyalty::Request::ListCards(CardPage {
        tenant: tenant(),
        after: None,
        limit: 100,
    });
    let cards = ask(gateway, cards).await;
    for card in cards["cards"].as_array().unwrap() {
        seen.push(format!(
            "{} {} {}",
            card["card"], card["points"], card["has_pin"]
        ));
    }
    let stores = ask(gateway, loyalty::Request::ListStores).await;
    seen.push(stores.to_string());
    let terminals = ask(gateway, loyalty::Request::ListTerminals { store: None }).await;
    for terminal in terminals.as_array().unwrap() {
        seen.push(format!(
            "{} {}",
            terminal["terminal"], terminal["master_key_check"]
        ));
    }
    let program = ask(gateway, loyalty::Request::ShowProgram { tenant: tenant() }).await;
    seen.push(format!(
        "{} versions",
        program["versions"].as_array().unwrap().len()
    ));
    seen
}

/// Whatever step of the load was the last one: the next start makes the demo whole, once.
#[tokio::test]
async fn a_load_that_was_broken_off_is_finished_at_the_next_start() {
    let whole = tempfile::tempdir().unwrap();
    let composed = open(whole.path()).await;
    assert!(demo::load(&composed.gateway).await.unwrap());
    let expected = seen(&composed.gateway).await;
    assert_eq!(expected.len(), 2 + 5 + 1 + 2 + 1, "{expected:?}");
    composed.close().await;

    for polls in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let composed = open(dir.path()).await;
        let loaded = broken_off(demo::load(&composed.gateway), polls).await;
        composed.close().await;
        let composed = open(dir.path()).await;
        let went_on = demo::load(&composed.gateway).await.unwrap();
        // What had come to its end is not begun again.
        assert!(loaded.is_none() || !went_on, "after {polls} polls");
        assert_eq!(
            seen(&composed.gateway).await,
            expected,
            "after {polls} polls"
        );
        assert!(!demo::load(&composed.gateway).await.unwrap());
        composed.close().await;
        if loaded.is_some() {
            assert!(polls > 10, "the load has steps");
            return;
        }
    }
}

/// What an operator set up is left alone.
#[tokio::test]
async fn the_demo_is_loaded_into_nothing_but_emptiness() {
    let dir = tempfile::tempdir().unwrap();
    let composed = open(dir.path()).await;
    let store = loyalty::stores::NewStore {
        number: "1".to_owned(),
        tenant: "acme".to_owned(),
        name: "one".to_owned(),
        networks: Vec::new(),
        certificates: Vec::new(),
    };
    ask(&composed.gateway, loyalty::Request::AddStore(store)).await;
    demo::load(&composed.gateway).await.unwrap();
    let stores = ask(&composed.gateway, loyalty::Request::ListStores).await;
    assert_eq!(stores.as_array().unwrap().len(), 1, "{stores}");
    composed.close().await;
}
