//! What readers find, in which order, and how much of it.

use super::{
    adding, changes, overwrite, remove,
    samples::{
        OTHER, card, card_due, codes, documents, item, of_kind, place, reversed_after_settlement,
        trans,
    },
};
use crate::{
    fixture::{Fixture, on_each_store, write},
    samples::{NOW, TENANT, serial},
};
use domain::{
    loyalty::{
        document::{Document, DocumentKind},
        rows::LoyaltyChanges,
        terminal::BatchNo,
        trans::Trans,
    },
    time::UnixMs,
};
use store::{Reader, contract::StoreFigures};

async fn documents_are_listed_by_tenant_and_key(store: impl Fixture) {
    let all = documents([
        card(TENANT, 1),
        card(TENANT, 2),
        card(TENANT, 10),
        card(OTHER, 1),
        card(OTHER, 5),
    ]);
    let others = of_kind(DocumentKind::Store);
    let mixed = all.iter().rev().cloned().chain(others).collect();
    write(&mut store.writer().await, adding(mixed))
        .await
        .unwrap();
    let mark = |tenant, n: i64| Some((tenant, format!("{n:08}")));
    let reader = store.reader();
    for (tenant, after, limit, expected) in [
        (None, None, 10, &[0, 1, 2, 3, 4][..]),
        (None, None, 2, &[0, 1]),
        (None, mark(TENANT, 2), 2, &[2, 3]),
        (None, mark(TENANT, 3), 9, &[2, 3, 4]),
        (None, mark(OTHER, 5), 9, &[]),
        (Some(TENANT), None, 9, &[0, 1, 2]),
        (Some(TENANT), mark(TENANT, 2), 9, &[2]),
        (Some(TENANT), mark(OTHER, 1), 9, &[]),
        (Some(OTHER), None, 1, &[3]),
        (Some(OTHER), mark(TENANT, 2), 9, &[3, 4]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| all[*n].clone()).collect();
        let found = reader.documents(DocumentKind::Card, tenant, after.clone(), limit);
        assert_eq!(found.await, Ok(expected), "{tenant:?} {after:?} {limit}");
    }
    let stores = reader.documents(DocumentKind::Store, None, None, 9).await;
    assert_eq!(stores, Ok(of_kind(DocumentKind::Store)));
}

async fn documents_that_are_due_longest_come_first(store: impl Fixture) {
    let at = |s| NOW.plus_s(s);
    let all = documents([
        card_due(TENANT, 1, at(30)),
        card_due(TENANT, 2, at(10)),
        // Many expire at the same moment: then the key decides.
        card_due(TENANT, 4, at(20)),
        card_due(OTHER, 3, at(20)),
        card(TENANT, 5),
    ]);
    let mut writer = store.writer().await;
    write(&mut writer, adding(all.clone())).await.unwrap();
    let reader = store.reader();
    let due = |s, limit| reader.due_documents(DocumentKind::Card, at(s), limit);
    for (s, limit, expected) in [
        (9, 9, &[][..]),
        (10, 9, &[1]),
        (29, 9, &[1, 2, 3]),
        (30, 9, &[1, 2, 3, 0]),
        (30, 2, &[1, 2]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| all[*n].clone()).collect();
        assert_eq!(due(s, limit).await, Ok(expected), "at {s}");
    }
    // What was overwritten is due when its new content says.
    let moved = documents([card_due(TENANT, 2, at(40)), card(TENANT, 1)]);
    overwrite(&mut writer, moved.clone()).await.unwrap();
    let expected = vec![all[2].clone(), all[3].clone(), moved[0].clone()];
    assert_eq!(due(99, 9).await, Ok(expected));
}

async fn verify_codes_are_due_and_other_kinds_never_are(store: impl Fixture) {
    let sent = |mobile, s| Document::VerifyCodes(Box::new(codes(TENANT, mobile, NOW.plus_s(s))));
    let all = vec![sent("13800000000", 5), sent("13900000000", 0)];
    let mut rest: Vec<Document> = [
        DocumentKind::Store,
        DocumentKind::Terminal,
        DocumentKind::WorkItem,
    ]
    .into_iter()
    .flat_map(of_kind)
    .collect();
    rest.extend(all.clone());
    let mut writer = store.writer().await;
    write(&mut writer, adding(rest)).await.unwrap();
    let reader = store.reader();
    let late = NOW.plus_s(100_000);
    for kind in DocumentKind::ALL {
        let expected = match kind {
            DocumentKind::VerifyCodes => vec![all[1].clone(), all[0].clone()],
            _ => vec![],
        };
        let due = reader.due_documents(kind, late, 9).await;
        assert_eq!(due, Ok(expected), "{kind:?}");
    }
    let useless_at = NOW.plus_s(3_600);
    let due = reader.due_documents(DocumentKind::VerifyCodes, useless_at, 9);
    assert_eq!(due.await, Ok(vec![all[1].clone()]));
    remove(&mut writer, vec![all[1].key()]).await;
    let due = reader.due_documents(DocumentKind::VerifyCodes, late, 9);
    assert_eq!(due.await, Ok(vec![all[0].clone()]));
}

async fn events_are_found_by_each_of_their_names_within_their_tenant(store: impl Fixture) {
    let nameless = Trans {
        place: None,
        number: None,
        ..trans(3)
    };
    let added = LoyaltyChanges {
        trans_added: vec![trans(1).into(), trans(2).into(), nameless.clone().into()],
        ..LoyaltyChanges::default()
    };
    write(&mut store.writer().await, changes(added))
        .await
        .unwrap();
    let reader = store.reader();
    let (place, number) = (trans(2).place.unwrap(), trans(2).number.unwrap());
    let two = || Ok(Some(trans(2)));
    assert_eq!(reader.trans(TENANT, serial(2)).await, two());
    assert_eq!(reader.trans_at(TENANT, place).await, two());
    assert_eq!(reader.trans_by_number(TENANT, number).await, two());
    assert_eq!(reader.trans(TENANT, serial(3)).await, Ok(Some(nameless)));
    assert_eq!(reader.trans(OTHER, serial(2)).await, Ok(None));
    assert_eq!(reader.trans_at(OTHER, place).await, Ok(None));
    assert_eq!(reader.trans_by_number(OTHER, number).await, Ok(None));
    let none = trans(4);
    assert_eq!(reader.trans(TENANT, none.serial).await, Ok(None));
    assert_eq!(reader.trans_at(TENANT, none.place.unwrap()).await, Ok(None));
    let missing = reader.trans_by_number(TENANT, none.number.unwrap()).await;
    assert_eq!(missing, Ok(None));
}

async fn a_batch_is_listed_in_the_order_of_its_traces(store: impl Fixture) {
    let at = |n, place| Trans {
        place: Some(place),
        ..trans(n)
    };
    let batch = [
        at(9, place(3, 2, 1)),
        at(1, place(3, 2, 2)),
        at(5, place(3, 2, 999_999)),
    ];
    let around = [
        at(2, place(3, 1, 999_999)),
        at(3, place(3, 3, 1)),
        at(4, place(2, 2, 7)),
        at(6, place(4, 2, 7)),
        Trans {
            tenant: OTHER,
            ..at(7, place(3, 2, 5))
        },
        Trans {
            place: None,
            ..trans(8)
        },
    ];
    let added = LoyaltyChanges {
        trans_added: batch
            .iter()
            .chain(&around)
            .cloned()
            .map(Into::into)
            .collect(),
        ..LoyaltyChanges::default()
    };
    write(&mut store.writer().await, changes(added))
        .await
        .unwrap();
    let reader = store.reader();
    for (after, limit, expected) in [
        (None, 9, &batch[..]),
        (None, 2, &batch[..2]),
        (Some(place(3, 2, 1)), 9, &batch[1..]),
        (Some(place(3, 2, 999_999)), 9, &[]),
        (Some(place(3, 1, 5)), 9, &batch),
    ] {
        let number = BatchNo::new(2).unwrap();
        let found = reader.trans_of_batch(TENANT, 3, number, after, limit);
        assert_eq!(found.await, Ok(expected.to_vec()), "{after:?} {limit}");
    }
}

async fn figures_tell_of_cards_and_work_items(store: impl Fixture) {
    let items = [1, 2].map(|n| {
        let item = item(TENANT, serial(n), reversed_after_settlement());
        Document::WorkItem(Box::new(item))
    });
    let mut all = documents([
        card_due(TENANT, 1, NOW.plus_s(9)),
        card_due(OTHER, 2, NOW.plus_s(8)),
        card(TENANT, 3),
    ]);
    all.extend(items);
    write(&mut store.writer().await, adding(all)).await.unwrap();
    let expected = StoreFigures {
        oldest_card_due_at: Some(NOW.plus_s(8)),
        work_items: 2,
        ..StoreFigures::default()
    };
    assert_eq!(store.reader().figures().await, Ok(expected));
}

async fn snapshot_of_cards(reader: &dyn Reader) -> Vec<Document> {
    let mut snapshot = reader.snapshot().await.unwrap();
    snapshot
        .documents(DocumentKind::Card, None, 9)
        .await
        .unwrap()
}

async fn a_snapshot_has_pages_and_stays_as_it_was(store: impl Fixture) {
    let mut writer = store.writer().await;
    let cards = documents([card(TENANT, 1), card(TENANT, 2), card(OTHER, 1)]);
    let mut all = adding(cards.clone());
    let mut events = [1, 2, 3].map(trans);
    events[1].tenant = OTHER;
    all.loyalty.trans_added = events.iter().cloned().map(Into::into).collect();
    write(&mut writer, all).await.unwrap();
    let reader = store.reader();
    let mut snapshot = reader.snapshot().await.unwrap();
    let first = snapshot.documents(DocumentKind::Card, None, 2).await;
    assert_eq!(first, Ok(cards[..2].to_vec()));
    let moved = documents([card_due(OTHER, 1, UnixMs(1))]);
    overwrite(&mut writer, moved.clone()).await.unwrap();
    let mark = Some((TENANT, "00000002".to_owned()));
    let rest = snapshot.documents(DocumentKind::Card, mark, 2).await;
    assert_eq!(rest, Ok(cards[2..].to_vec()));
    let mark = Some((OTHER, "00000001".to_owned()));
    let none = snapshot.documents(DocumentKind::Card, mark, 2).await;
    assert_eq!(none, Ok(vec![]));
    for (after, expected) in [
        (None, &events[..2]),
        (Some(2), &events[2..]),
        (Some(3), &[]),
    ] {
        let page = snapshot.trans(after.map(serial), 2).await;
        assert_eq!(page, Ok(expected.to_vec()));
    }
    drop(snapshot);
    let now = snapshot_of_cards(reader.as_ref()).await;
    assert_eq!(now, [&cards[..2], &moved].concat());
}

on_each_store! {
    documents_are_listed_by_tenant_and_key,
    documents_that_are_due_longest_come_first,
    verify_codes_are_due_and_other_kinds_never_are,
    events_are_found_by_each_of_their_names_within_their_tenant,
    a_batch_is_listed_in_the_order_of_its_traces,
    figures_tell_of_cards_and_work_items,
    a_snapshot_has_pages_and_stays_as_it_was,
}
