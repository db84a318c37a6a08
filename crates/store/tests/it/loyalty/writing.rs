//! What is written is there, whole or not at all, and nothing is written over another's.

use super::{
    adding, changes, naming, overwrite, plan, remove,
    samples::{
        OTHER, card, card_due, documents, earned, every_trans, full_card, full_terminal, of_kind,
        store, terminal, trans,
    },
};
use crate::{
    fixture::{Fixture, in_one_batch, on_each_store, write},
    samples::{NOW, TENANT, serial},
};
use domain::{
    command::Command,
    ids::TenantId,
    loyalty::{
        card::{Card, CardNo},
        document::{Document, DocumentKey, DocumentKind},
        points::Points,
        rows::{LoyaltyChanges, LoyaltyPlan},
        trans::{Trans, TransState},
    },
    rows::{Changes, Inconsistent, Plan, Rows},
    time::UnixMs,
};
use store::{Reader, StoreError, Writer};

fn adding_trans(trans: Vec<Trans>) -> Changes {
    changes(LoyaltyChanges {
        trans_added: trans.into_iter().map(Into::into).collect(),
        ..LoyaltyChanges::default()
    })
}

async fn assert_stored(reader: &dyn Reader, documents: &[Document]) {
    for document in documents {
        let stored = reader.document(document.key()).await;
        assert_eq!(stored.as_ref(), Ok(&Some(document.clone())));
    }
    let missing = DocumentKey::card(TENANT, &CardNo::parse("77777777").unwrap());
    let keys = documents.iter().map(Document::key).chain([missing]);
    let together = reader.documents_by_key(keys.collect()).await.unwrap();
    assert_eq!(together.len(), documents.len());
    assert!(documents.iter().all(|it| together.contains(it)));
    assert_eq!(reader.documents_by_key(Vec::new()).await, Ok(Vec::new()));
}

async fn a_document_of_every_kind_is_read_again(store: impl Fixture) {
    let mut writer = store.writer().await;
    let all: Vec<Document> = DocumentKind::ALL.into_iter().flat_map(of_kind).collect();
    write(&mut writer, adding(all.clone())).await.unwrap();
    assert_stored(store.reader().as_ref(), &all).await;
    let rows = writer.load(plan(naming(&all))).await.unwrap();
    for document in &all {
        assert_eq!(rows.loyalty.document(&document.key()), Some(document));
    }
    writer.abandon().await;
    drop(writer);
    let store = store.reopen().await;
    assert_stored(store.reader().as_ref(), &all).await;
}

async fn a_document_is_overwritten_and_removed(store: impl Fixture) {
    let mut writer = store.writer().await;
    let (plain, full) = (card(TENANT, 1), full_card(TENANT, 1));
    let at = (terminal(TENANT, "T1", 1), full_terminal(TENANT, "T1", 1));
    let others = documents([full_card(TENANT, 2), card(OTHER, 1)]);
    let wrap = |card: &Card, terminal| {
        vec![
            Document::Card(Box::new(card.clone())),
            Document::Terminal(Box::new(terminal)),
        ]
    };
    let (plain, full) = (wrap(&plain, at.0), wrap(&full, at.1));
    write(&mut writer, adding(others.clone())).await.unwrap();
    write(&mut writer, adding(plain.clone())).await.unwrap();
    let reader = store.reader();
    for documents in [&full, &plain, &full] {
        overwrite(&mut writer, documents.clone()).await.unwrap();
        assert_stored(reader.as_ref(), documents).await;
    }
    // One of the keys as easily as one that is not there.
    let missing = DocumentKey::card(TENANT, &CardNo::parse("99999999").unwrap());
    remove(&mut writer, vec![full[0].key(), missing]).await;
    assert_eq!(reader.document(full[0].key()).await, Ok(None));
    assert_stored(reader.as_ref(), &full[1..]).await;
    assert_stored(reader.as_ref(), &others).await;
    // And its key is free again.
    write(&mut writer, adding(plain[..1].to_vec()))
        .await
        .unwrap();
    assert_stored(reader.as_ref(), &plain[..1]).await;
}

async fn an_event_of_every_kind_is_read_again_and_changed(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut all = every_trans();
    write(&mut writer, adding_trans(all.clone())).await.unwrap();
    for _ in 0..2 {
        let mut snapshot = store.reader().snapshot().await.unwrap();
        assert_eq!(snapshot.trans(None, 100).await.as_ref(), Ok(&all));
        for trans in &mut all {
            trans.state = TransState::GivenBack(serial(77));
            trans.content ^= 1 << 100;
        }
        let changed = LoyaltyChanges {
            trans: all.iter().cloned().map(Into::into).collect(),
            ..LoyaltyChanges::default()
        };
        write(&mut writer, changes(changed)).await.unwrap();
    }
    drop(writer);
    let store = store.reopen().await;
    let mut snapshot = store.reader().snapshot().await.unwrap();
    assert_eq!(snapshot.trans(None, 100).await, Ok(all));
}

async fn an_event_is_loaded_by_each_of_its_names(store: impl Fixture) {
    let mut writer = store.writer().await;
    let stranger = Trans {
        tenant: OTHER,
        ..trans(9)
    };
    let all = [trans(1), trans(2), trans(3), stranger.clone()];
    write(&mut writer, adding_trans(all.to_vec()))
        .await
        .unwrap();
    let (two, three, none) = (trans(2), trans(3), trans(4));
    let named = LoyaltyPlan {
        trans: vec![
            (TENANT, serial(1)),
            (TENANT, serial(3)),
            (TENANT, serial(9)),
        ],
        places: vec![
            (TENANT, two.place.unwrap()),
            (TENANT, none.place.unwrap()),
            (OTHER, two.place.unwrap()),
            (OTHER, stranger.place.unwrap()),
        ],
        numbers: vec![
            (TENANT, three.number.unwrap()),
            (TENANT, none.number.unwrap()),
            (TENANT, stranger.number.unwrap()),
        ],
        ..LoyaltyPlan::default()
    };
    let rows = writer.load(plan(named)).await.unwrap().loyalty;
    assert_eq!(rows.trans(TENANT, serial(1)), Some(&trans(1)));
    assert_eq!(rows.trans_at(TENANT, two.place.unwrap()), Some(&two));
    assert_eq!(
        rows.trans_by_number(TENANT, three.number.unwrap()),
        Some(&three)
    );
    assert_eq!(rows.trans_at(TENANT, none.place.unwrap()), None);
    assert_eq!(rows.trans_by_number(TENANT, none.number.unwrap()), None);
    // Nothing of another tenant.
    assert_eq!(rows.trans(TENANT, serial(9)), None);
    assert_eq!(rows.trans_at(OTHER, two.place.unwrap()), None);
    assert_eq!(
        rows.trans_at(OTHER, stranger.place.unwrap()),
        Some(&stranger)
    );
    assert_eq!(rows.trans_by_number(TENANT, stranger.number.unwrap()), None);
    writer.abandon().await;
}

/// Whatever cannot be added spoils its whole transaction, and the writer is good for another.
async fn assert_spoils(store: &impl Fixture, clash: Changes, refused: bool) {
    let mut writer = store.writer().await;
    let beside = trans(50);
    let mut clash = clash;
    clash.postings = vec![earned(&beside)];
    clash.loyalty.trans_added.push(beside.into());
    clash
        .loyalty
        .documents_added
        .extend(documents([card(TENANT, 50)]));
    let spoilt = write(&mut writer, clash).await;
    match spoilt {
        Err(StoreError::Refused(_)) => assert!(refused),
        Err(StoreError::Conflict(_)) => assert!(!refused),
        other => panic!("{other:?}"),
    }
    let reader = store.reader();
    assert_eq!(reader.trans(TENANT, serial(50)).await, Ok(None));
    let number = CardNo::parse("00000050").unwrap();
    let card = reader.document(DocumentKey::card(TENANT, &number)).await;
    assert_eq!(card, Ok(None));
    let mut snapshot = reader.snapshot().await.unwrap();
    assert_eq!(snapshot.postings(None, 10).await, Ok(vec![]));
}

async fn a_document_that_another_added_meanwhile_is_a_conflict(store: impl Fixture) {
    let mut writer = store.writer().await;
    write(&mut writer, adding(documents([card(TENANT, 1)])))
        .await
        .unwrap();
    drop(writer);
    let clash = adding(documents([full_card(TENANT, 1)]));
    assert_spoils(&store, clash, false).await;
    assert_stored(store.reader().as_ref(), &documents([card(TENANT, 1)])).await;
}

async fn an_event_that_another_added_meanwhile_is_a_conflict(store: impl Fixture) {
    let mut writer = store.writer().await;
    write(&mut writer, adding_trans(vec![trans(1)]))
        .await
        .unwrap();
    drop(writer);
    for clash in [
        Trans {
            serial: serial(1),
            ..trans(2)
        },
        Trans {
            place: trans(1).place,
            ..trans(2)
        },
        Trans {
            number: trans(1).number,
            ..trans(2)
        },
    ] {
        assert_spoils(&store, adding_trans(vec![clash]), false).await;
    }
    // None are no names: two events may lack them.
    let nameless = |n| Trans {
        place: None,
        number: None,
        ..trans(n)
    };
    let mut writer = store.writer().await;
    write(&mut writer, adding_trans(vec![nameless(3), nameless(4)]))
        .await
        .unwrap();
    // And those of another tenant are others.
    let other = Trans {
        tenant: OTHER,
        serial: serial(5),
        ..trans(1)
    };
    write(&mut writer, adding_trans(vec![other])).await.unwrap();
}

async fn a_store_number_or_terminal_index_of_another_is_refused(store: impl Fixture) {
    let one = |number: &str| Document::Store(Box::new(self::store(TENANT, number)));
    let at =
        |tenant, number: &str, index| Document::Terminal(Box::new(terminal(tenant, number, index)));
    let mut writer = store.writer().await;
    let first = vec![one("S1"), at(TENANT, "T1", 1), at(OTHER, "T1", 1)];
    write(&mut writer, adding(first.clone())).await.unwrap();
    drop(writer);
    let theirs = Document::Store(Box::new(self::store(OTHER, "S1")));
    assert_spoils(&store, adding(vec![theirs]), true).await;
    assert_spoils(&store, adding(vec![at(TENANT, "T2", 1)]), true).await;
    let mut writer = store.writer().await;
    write(&mut writer, adding(vec![one("S2"), at(TENANT, "T2", 2)]))
        .await
        .unwrap();
    assert_stored(store.reader().as_ref(), &first).await;
}

async fn nothing_is_left_of_an_abandoned_transaction(store: impl Fixture) {
    let mut writer = store.writer().await;
    let first = documents([card(TENANT, 1)]);
    write(&mut writer, adding(first.clone())).await.unwrap();
    let rows = writer.load(plan(naming(&first))).await.unwrap();
    let mut loyalty = rows.loyalty;
    loyalty.put_document(Document::Card(Box::new(full_card(TENANT, 1))));
    loyalty.put_trans(trans(1));
    writer.abandon().await;
    drop(loyalty);
    assert_stored(store.reader().as_ref(), &first).await;
    assert_eq!(store.reader().trans(TENANT, serial(1)).await, Ok(None));
    write(&mut writer, adding_trans(vec![trans(1)]))
        .await
        .unwrap();
}

/// Each batch sees terminals as the last one that was committed left them, also those it has just seen.
async fn a_terminal_is_loaded_as_it_was_last_stored(store: impl Fixture) {
    let mut writer = store.writer().await;
    let wrap = |terminal| vec![Document::Terminal(Box::new(terminal))];
    let plain = wrap(terminal(TENANT, "T1", 1));
    let full = wrap(full_terminal(TENANT, "T1", 1));
    write(&mut writer, adding(plain.clone())).await.unwrap();
    write(&mut writer, adding_trans(vec![trans(1)]))
        .await
        .unwrap();
    for (stored, other) in [(&plain, &full), (&full, &plain)] {
        overwrite(&mut writer, stored.clone()).await.unwrap();
        let rows = writer.load(plan(naming(stored))).await.unwrap();
        assert_eq!(rows.loyalty.document(&stored[0].key()), Some(&stored[0]));
        let spoilt = changes(LoyaltyChanges {
            documents: other.clone(),
            trans_added: vec![trans(1).into()],
            ..LoyaltyChanges::default()
        });
        assert!(writer.commit(spoilt).await.is_err());
        let rows = writer.load(plan(naming(stored))).await.unwrap();
        assert_eq!(rows.loyalty.document(&stored[0].key()), Some(&stored[0]));
        writer.abandon().await;
    }
    remove(&mut writer, vec![full[0].key()]).await;
    let rows = writer.load(plan(naming(&full))).await.unwrap();
    assert_eq!(rows.loyalty.document(&full[0].key()), None);
    writer.abandon().await;
}

/// Earns a point with a card, or makes the card.
struct Earn {
    tenant: TenantId,
    n: i64,
}

impl Command for Earn {
    type Reply = i64;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let number = card(self.tenant, self.n).number;
        let key = DocumentKey::card(self.tenant, &number);
        plan.loyalty.documents.push(key);
    }

    fn decide(&self, rows: &mut Rows, _: UnixMs) -> Result<i64, Inconsistent> {
        let fresh = card_due(self.tenant, self.n, NOW);
        let card = rows.loyalty.card(self.tenant, &fresh.number).cloned();
        let card = card.map(|mut card| {
            card.lots[0].points = card.lots[0].points.plus(Points::new(1));
            card
        });
        let card = card.unwrap_or(fresh);
        let points = card.lots[0].points.get();
        rows.loyalty.put_document(Document::Card(Box::new(card)));
        Ok(points)
    }
}

async fn later_commands_of_a_batch_see_what_earlier_ones_did(store: impl Fixture) {
    let earn = |tenant, n| Earn { tenant, n };
    let commands = [
        (TENANT, 1),
        (TENANT, 2),
        (TENANT, 1),
        (OTHER, 1),
        (TENANT, 1),
    ];
    let commands = commands.map(|(tenant, n)| earn(tenant, n));
    let answers = in_one_batch(&store, commands.into()).await;
    assert_eq!(answers, [Ok(1), Ok(1), Ok(2), Ok(1), Ok(3)]);
    let mut expected =
        [(TENANT, 1, 3), (TENANT, 2, 1), (OTHER, 1, 1)].map(|(tenant, n, points)| {
            let mut card = card_due(tenant, n, NOW);
            card.lots[0].points = Points::new(points);
            card
        });
    expected.sort_by_key(|it| (it.tenant, it.number.clone()));
    let stored = store
        .reader()
        .documents(DocumentKind::Card, None, None, 9)
        .await;
    assert_eq!(stored, Ok(documents(expected)));
}

on_each_store! {
    a_document_of_every_kind_is_read_again,
    a_document_is_overwritten_and_removed,
    a_terminal_is_loaded_as_it_was_last_stored,
    an_event_of_every_kind_is_read_again_and_changed,
    an_event_is_loaded_by_each_of_its_names,
    a_document_that_another_added_meanwhile_is_a_conflict,
    an_event_that_another_added_meanwhile_is_a_conflict,
    a_store_number_or_terminal_index_of_another_is_refused,
    nothing_is_left_of_an_abandoned_transaction,
    later_commands_of_a_batch_see_what_earlier_ones_did,
}
