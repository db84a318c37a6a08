//! What readers find of spans, uses and events, in which order, and how much of it.

use super::{
    changes,
    samples::{carton_no, code, code_use, event, range, span, span_due},
};
use crate::{
    fixture::{Fixture, on_each_store, write},
    samples::NOW,
};
use domain::voucher::{
    code_use::{CodeEvent, CodeUse},
    rows::VoucherChanges,
    span::Span,
};
use store::contract::SpanMark;

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

async fn uses_and_events_have_pages(store: impl Fixture) {
    let uses = [3, 5, 8].map(|index| code_use(code(1, index), index, 1));
    let other = code_use(code(2, 4), 1, 0);
    let events: Vec<CodeEvent> = (0..4).map(|n| event(code(1, 5), n)).collect();
    let others = vec![event(code(1, 4), 0), event(code(2, 5), 0)];
    let all_uses = [&uses[..], &[other]].concat();
    let all_events = [events.clone(), others].concat();
    fill(&store, vec![], all_uses.clone(), all_events).await;
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
    for (from, limit, expected) in [
        (0, 9, &events[..]),
        (0, 2, &events[..2]),
        (3, 9, &events[3..]),
        (4, 9, &[]),
    ] {
        let found = reader.code_events(code(1, 5), from, limit).await;
        assert_eq!(found.as_deref(), Ok(expected), "{from}");
    }
    let mut snapshot = reader.snapshot().await.unwrap();
    let page = snapshot.code_uses(Some(code(1, 5)), 9).await;
    assert_eq!(page.as_deref(), Ok(&all_uses[2..]));
    let page = snapshot.code_events(Some((code(1, 5), 2)), 9).await;
    assert_eq!(page, Ok(vec![events[3].clone(), event(code(2, 5), 0)]));
    let page = snapshot.code_events(None, 2).await;
    assert_eq!(page, Ok(vec![event(code(1, 4), 0), events[0].clone()]));
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
    uses_and_events_have_pages,
    spans_that_are_due_longest_come_first,
    a_snapshot_has_pages_and_stays_as_it_was,
}
