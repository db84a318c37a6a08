//! What is written is there, whole or not at all, and nothing is written over another's.

use super::{
    changes, plan,
    samples::{code, code_use, event, every_span, range, span, span_due, with_events},
};
use crate::{
    fixture::{Fixture, on_each_store, write},
    samples::serial,
};
use domain::voucher::{
    code_use::{CodeEvent, CodeUse},
    rows::{VoucherChanges, VoucherPlan},
    span::Span,
};
use store::{StoreError, Writer};

fn adding_spans(spans: Vec<Span>) -> VoucherChanges {
    VoucherChanges {
        spans,
        ..VoucherChanges::default()
    }
}

fn adding_uses(uses: Vec<CodeUse>) -> VoucherChanges {
    VoucherChanges {
        uses_added: uses,
        ..VoucherChanges::default()
    }
}

fn adding_events(events: Vec<CodeEvent>) -> VoucherChanges {
    VoucherChanges {
        events,
        ..VoucherChanges::default()
    }
}

async fn spans_stored(store: &impl Fixture) -> Vec<Span> {
    let mut snapshot = store.reader().snapshot().await.unwrap();
    snapshot.spans(None, 1_000).await.unwrap()
}

async fn a_span_of_every_stage_is_read_again(store: impl Fixture) {
    let mut writer = store.writer().await;
    let all = every_span(1);
    write(&mut writer, changes(adding_spans(all.clone())))
        .await
        .unwrap();
    assert_eq!(spans_stored(&store).await, all);
    // Each is overwritten by what another was, in its own place.
    let mut turned = all.clone();
    for (to, from) in turned.iter_mut().zip(all.iter().rev()) {
        to.stage = from.stage.clone();
        to.frozen = from.frozen;
    }
    write(&mut writer, changes(adding_spans(turned.clone())))
        .await
        .unwrap();
    drop(writer);
    let store = store.reopen().await;
    assert_eq!(spans_stored(&store).await, turned);
}

async fn spans_are_cut_and_joined(store: impl Fixture) {
    let mut writer = store.writer().await;
    let whole = span(range(1, 0, 99));
    let other = span(range(2, 0, 9));
    let first = adding_spans(vec![whole.clone(), other.clone()]);
    write(&mut writer, changes(first)).await.unwrap();
    let parts = vec![
        span(range(1, 0, 9)),
        span_due(range(1, 10, 19), 5),
        span(range(1, 20, 99)),
    ];
    write(&mut writer, changes(adding_spans(parts.clone())))
        .await
        .unwrap();
    let all = [parts, vec![other.clone()]].concat();
    assert_eq!(spans_stored(&store).await, all);
    let joined = VoucherChanges {
        spans_removed: vec![code(1, 10), code(1, 20), code(3, 0)],
        spans: vec![whole.clone()],
        ..VoucherChanges::default()
    };
    write(&mut writer, changes(joined)).await.unwrap();
    assert_eq!(spans_stored(&store).await, [whole, other]);
}

async fn uses_and_events_are_read_again(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut uses = vec![
        code_use(code(1, 0), 0, 0),
        CodeUse {
            newest: Some(serial(5)),
            ..with_events(code_use(code(1, 7), 999, 0), u32::MAX)
        },
        code_use(code(1, u32::MAX), 0, 1),
        code_use(code(2, 7), 3, 2),
    ];
    let events: Vec<CodeEvent> = (0..12).map(|n| event(code(1, 7), n)).collect();
    let both = VoucherChanges {
        events: events.clone(),
        ..adding_uses(uses.clone())
    };
    write(&mut writer, changes(both)).await.unwrap();
    for _ in 0..2 {
        let mut snapshot = store.reader().snapshot().await.unwrap();
        assert_eq!(snapshot.code_uses(None, 99).await.as_ref(), Ok(&uses));
        assert_eq!(snapshot.code_events(None, 99).await.as_ref(), Ok(&events));
        for it in &mut uses {
            it.used ^= 3;
            it.newest = it.newest.map_or(Some(serial(8)), |_| None);
        }
        let put = VoucherChanges {
            uses: uses.clone(),
            ..VoucherChanges::default()
        };
        write(&mut writer, changes(put)).await.unwrap();
    }
    drop(writer);
    let store = store.reopen().await;
    let mut snapshot = store.reader().snapshot().await.unwrap();
    assert_eq!(snapshot.code_uses(None, 99).await, Ok(uses));
}

async fn what_another_added_meanwhile_is_a_conflict(store: impl Fixture) {
    let mut writer = store.writer().await;
    let taken = VoucherChanges {
        events: vec![event(code(1, 7), 0)],
        ..adding_uses(vec![code_use(code(1, 7), 0, 1)])
    };
    write(&mut writer, changes(taken)).await.unwrap();
    for clash in [
        adding_uses(vec![code_use(code(1, 6), 0, 1), code_use(code(1, 7), 1, 0)]),
        adding_events(vec![event(code(1, 6), 0), event(code(1, 7), 0)]),
    ] {
        let clash = VoucherChanges {
            spans: vec![span(range(1, 0, 9))],
            ..clash
        };
        let spoilt = write(&mut writer, changes(clash)).await;
        assert!(matches!(spoilt, Err(StoreError::Conflict(_))), "{spoilt:?}");
    }
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let uses = snapshot.code_uses(None, 9).await;
    assert_eq!(uses, Ok(vec![code_use(code(1, 7), 0, 1)]));
    let events = snapshot.code_events(None, 9).await;
    assert_eq!(events, Ok(vec![event(code(1, 7), 0)]));
    assert_eq!(snapshot.spans(None, 9).await, Ok(vec![]));
    // And the writer is good for another.
    write(
        &mut writer,
        changes(adding_uses(vec![code_use(code(1, 6), 0, 1)])),
    )
    .await
    .unwrap();
}

async fn nothing_is_left_of_an_abandoned_transaction(store: impl Fixture) {
    let mut writer = store.writer().await;
    let whole = span(range(1, 0, 9));
    write(&mut writer, changes(adding_spans(vec![whole.clone()])))
        .await
        .unwrap();
    let named = VoucherPlan {
        ranges: vec![range(1, 2, 3)],
        codes: vec![code(1, 5)],
        ..VoucherPlan::default()
    };
    let mut rows = writer.load(plan(named)).await.unwrap();
    rows.voucher.put_use(code_use(code(1, 5), 0, 1));
    writer.abandon().await;
    drop(rows);
    assert_eq!(spans_stored(&store).await, [whole]);
    let mut snapshot = store.reader().snapshot().await.unwrap();
    assert_eq!(snapshot.code_uses(None, 9).await, Ok(vec![]));
}

on_each_store! {
    a_span_of_every_stage_is_read_again,
    spans_are_cut_and_joined,
    uses_and_events_are_read_again,
    what_another_added_meanwhile_is_a_conflict,
    nothing_is_left_of_an_abandoned_transaction,
}
