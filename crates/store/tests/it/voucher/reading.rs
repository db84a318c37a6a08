//! What readers find of spans, uses and events, in which order, and how much of it.

use super::{
    changes,
    samples::{
        carton_no, code, code_use, event, keeping, range, span, span_due, subject, with_events,
    },
};
use crate::{
    fixture::{Fixture, on_each_store, write},
    samples::NOW,
};
use domain::voucher::{
    code_use::{CodeEvent, CodeUse, EventLink},
    rows::VoucherChanges,
    span::Span,
};
use store::{StoreError, contract::SpanMark};

async fn fill(store: &impl Fixture, spans: Vec<Span>, uses: Vec<CodeUse>, events: Vec<CodeEvent>) {
    let all = VoucherChanges {
        spans,
        uses_added: uses,
        events,
        ..VoucherChanges::default()
    };
    write(&mut store.writer().await, changes(all))
        .await
        .unwrap();
}

async fn spans_of_a_range_have_pages(store: impl Fixture) {
    let all = [
        span(range(1, 0, 9)),
        span_due(range(1, 10, 19), 1),
        span(range(1, 20, u32::MAX)),
    ];
    let others = [span(range(0, 0, 99)), span(range(2, 0, 99))];
    fill(&store, [&all[..], &others].concat(), vec![], vec![]).await;
    let reader = store.reader();
    for (wanted, after, limit, expected) in [
        (range(1, 0, u32::MAX), None, 9, &all[..]),
        (range(1, 0, u32::MAX), None, 2, &all[..2]),
        (range(1, 0, u32::MAX), Some(0), 9, &all[1..]),
        (range(1, 0, u32::MAX), Some(15), 9, &all[2..]),
        (range(1, 9, 10), None, 9, &all[..2]),
        (range(1, 12, 15), None, 9, &all[1..2]),
        (range(1, 12, 15), Some(10), 9, &[]),
        (range(1, u32::MAX, u32::MAX), None, 9, &all[2..]),
        (range(3, 0, 9), None, 9, &[]),
    ] {
        let found = reader.spans(wanted, after, limit).await;
        assert_eq!(found.as_deref(), Ok(expected), "{wanted:?} {after:?}");
    }
}

async fn uses_have_pages(store: impl Fixture) {
    let uses = [3, 5, 8].map(|index| code_use(code(1, index), index, 1));
    let other = code_use(code(2, 4), 1, 0);
    let all_uses = [&uses[..], &[other]].concat();
    fill(&store, vec![], all_uses.clone(), vec![]).await;
    let reader = store.reader();
    for (wanted, limit, expected) in [
        (range(1, 0, u32::MAX), 9, &uses[..]),
        (range(1, 0, u32::MAX), 2, &uses[..2]),
        (range(1, 4, 8), 9, &uses[1..]),
        (range(1, 6, 7), 9, &[]),
    ] {
        let found = reader.code_uses(wanted, limit).await;
        assert_eq!(found.as_deref(), Ok(expected), "{wanted:?}");
    }
    let mut snapshot = reader.snapshot().await.unwrap();
    let page = snapshot.code_uses(Some(code(1, 5)), 9).await;
    assert_eq!(page.as_deref(), Ok(&all_uses[2..]));
}

/// Where the event with a number is found.
fn link(number: u32) -> Option<EventLink> {
    let subject = subject(number);
    Some(EventLink { subject, number })
}

async fn events_of_a_code_come_newest_first(store: impl Fixture) {
    let uses = [
        with_events(code_use(code(1, 4), 1, 0), 1),
        with_events(code_use(code(1, 5), 0, 0), 4),
        code_use(code(1, 6), 0, 1),
        with_events(code_use(code(2, 5), 1, 0), 1),
    ];
    let mut events: Vec<CodeEvent> = (0..4).map(|n| event(code(1, 5), n)).collect();
    let others = [event(code(1, 4), 0), event(code(2, 5), 0)];
    let all = [&events[..], &others].concat();
    fill(&store, vec![], uses.to_vec(), all).await;
    let reader = store.reader();
    events.reverse();
    for (from, limit, expected) in [
        (None, 9, &events[..]),
        (None, 2, &events[..2]),
        (None, 4, &events[..]),
        (link(3), 9, &events[..]),
        (link(1), 9, &events[2..]),
        (link(2), 2, &events[1..3]),
        (link(0), 1, &events[3..]),
        (link(3), 0, &[]),
    ] {
        let found = reader.code_events(code(1, 5), from, limit).await;
        assert_eq!(found.as_deref(), Ok(expected), "{from:?}");
    }
    assert_eq!(reader.code_events(code(1, 6), None, 9).await, Ok(vec![]));
    assert_eq!(reader.code_events(code(1, 7), None, 9).await, Ok(vec![]));
}

async fn the_newest_event_may_be_kept_by_its_code(store: impl Fixture) {
    let uses = [
        keeping(code_use(code(1, 4), 1, 0), 1),
        keeping(code_use(code(1, 5), 0, 0), 3),
    ];
    let rows = (0..2).map(|n| event(code(1, 5), n)).collect();
    fill(&store, vec![], uses.to_vec(), rows).await;
    let reader = store.reader();
    let events: Vec<CodeEvent> = (0..3).rev().map(|n| event(code(1, 5), n)).collect();
    for (from, limit, expected) in [
        (None, 9, &events[..]),
        (None, 2, &events[..2]),
        (None, 1, &events[..1]),
        (None, 0, &[]),
        (link(2), 3, &events[..]),
        (link(1), 9, &events[1..]),
    ] {
        let found = reader.code_events(code(1, 5), from, limit).await;
        assert_eq!(found.as_deref(), Ok(expected), "{from:?}");
    }
    let alone = reader.code_events(code(1, 4), None, 9).await;
    assert_eq!(alone, Ok(vec![event(code(1, 4), 0)]));
    let mut snapshot = reader.snapshot().await.unwrap();
    let stored = snapshot.code_uses(None, 9).await;
    assert_eq!(stored.as_deref(), Ok(&uses[..]));
}

/// By number: those of the code that were stored, and how many its row counts.
async fn a_chain_of_events_that_is_broken_is_noticed(store: impl Fixture) {
    for (index, (there, count)) in (0..).zip([
        (&[0, 1, 3][..], 4),
        (&[0, 1, 2][..], 4),
        (&[1, 2, 3][..], 4),
        (&[][..], 1),
    ]) {
        let code = code(1, index);
        let events = there.iter().map(|n| event(code, *n)).collect();
        let code_use = with_events(code_use(code, 0, 0), count);
        fill(&store, vec![], vec![code_use], events).await;
        let found = store.reader().code_events(code, None, 9).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
    }
    // An event that names none before it, and is not the first.
    let code = code(1, 9);
    let cut = CodeEvent {
        before: None,
        ..event(code, 1)
    };
    let events = vec![event(code, 0), cut];
    let code_use = with_events(code_use(code, 0, 0), 2);
    fill(&store, vec![], vec![code_use], events).await;
    let found = store.reader().code_events(code, None, 9).await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
}

async fn a_snapshot_has_events_by_subject(store: impl Fixture) {
    let of_two: Vec<CodeEvent> = (0..4)
        .flat_map(|n| [event(code(2, 5), n), event(code(1, 7), n)])
        .collect();
    fill(&store, vec![], vec![], of_two.clone()).await;
    let key = |it: &CodeEvent| (it.subject, it.code, it.number);
    let mut expected = of_two;
    expected.sort_by_key(key);
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = snapshot.code_events(after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(key(last));
        found.extend(page);
    }
    assert_eq!(found, expected);
}

async fn spans_that_are_due_longest_come_first(store: impl Fixture) {
    let all = [
        span_due(range(2, 0, 9), 30),
        span_due(range(2, 10, 19), 10),
        span_due(range(1, 10, 19), 20),
        span_due(range(1, 0, 9), 20),
        span_due(range(3, 0, 9), 20),
        span(range(4, 0, 9)),
    ];
    fill(&store, all.to_vec(), vec![], vec![]).await;
    let reader = store.reader();
    let mark = |s, n, first| -> Option<SpanMark> { Some((NOW.plus_s(s), code(n, first))) };
    for (s, after, limit, expected) in [
        (9, None, 9, &[][..]),
        (10, None, 9, &[1]),
        (20, None, 9, &[1, 3, 2, 4]),
        (99, None, 9, &[1, 3, 2, 4, 0]),
        (99, None, 2, &[1, 3]),
        (99, mark(20, 1, 0), 2, &[2, 4]),
        (99, mark(20, 3, 0), 9, &[0]),
        (20, mark(20, 3, 0), 9, &[]),
    ] {
        let expected: Vec<Span> = expected.iter().map(|n| all[*n].clone()).collect();
        let found = reader.due_spans(NOW.plus_s(s), after, limit).await;
        assert_eq!(found, Ok(expected), "{s} {after:?}");
    }
    // One that was written over is due when its new content says.
    fill(&store, vec![span(range(2, 10, 19))], vec![], vec![]).await;
    let found = reader.due_spans(NOW.plus_s(10), None, 9).await;
    assert_eq!(found, Ok(vec![]));
}

async fn a_snapshot_has_pages_and_stays_as_it_was(store: impl Fixture) {
    let all = [
        span(range(1, 0, 9)),
        span(range(1, 10, 19)),
        span(range(2, 0, 9)),
    ];
    fill(&store, all.to_vec(), vec![], vec![]).await;
    let mut snapshot = store.reader().snapshot().await.unwrap();
    assert_eq!(snapshot.spans(None, 2).await.as_deref(), Ok(&all[..2]));
    fill(&store, vec![span_due(range(2, 0, 9), 1)], vec![], vec![]).await;
    let rest = snapshot.spans(Some(code(1, 10)), 2).await;
    assert_eq!(rest.as_deref(), Ok(&all[2..]));
    let none = snapshot.spans(Some(code(2, 0)), 2).await;
    assert_eq!(none, Ok(vec![]));
    let counts = snapshot.stored_counts(carton_no(1)).await.unwrap();
    assert_eq!(counts, store::contract::StoredCounts::default());
}

on_each_store! {
    spans_of_a_range_have_pages,
    uses_have_pages,
    events_of_a_code_come_newest_first,
    the_newest_event_may_be_kept_by_its_code,
    a_chain_of_events_that_is_broken_is_noticed,
    a_snapshot_has_events_by_subject,
    spans_that_are_due_longest_come_first,
    a_snapshot_has_pages_and_stays_as_it_was,
}
