//! Messages of terminals against the events of a history.

use super::*;
use crate::audit::tests::loyalty::{
    BOUGHT, CANCELLED, DECLINED, INDEX, REVERSED, TOMBSTONE, history,
};
use domain::loyalty::{
    card::CardNo,
    points::Points,
    terminal::BatchNo,
    trans::{Place, TraceNo, Trans, TransState},
};

/// All events that messages of the terminal made.
async fn events(store: &Memory) -> Vec<Trans> {
    let mut events = Vec::new();
    for batch in [1, 2] {
        let batch = BatchNo::new(batch).unwrap();
        let page = store.trans_of_batch(TENANT, INDEX, batch, None, 100).await;
        events.extend(page.unwrap());
    }
    events
}

/// What the terminal was told of an event, in truth.
fn in_truth(event: &Trans) -> Message {
    let is_on_card = event.settlement.is_none();
    Message {
        kind: event.kind,
        card: event.card.clone(),
        moves: is_on_card.then(|| Moves::of(&event.effect)),
        heard: match event.state {
            TransState::Approved | TransState::GivenBack(_) => Heard::Approved {
                number: event.number,
                points: is_on_card.then(|| (event.effect.points_used(), event.effect.earned)),
            },
            TransState::Declined(_) => Heard::Refused,
            TransState::Reversed(_) | TransState::Tombstone => Heard::Undone,
        },
    }
}

/// The promises that are broken where one message is another than in truth, or none.
async fn broken(
    serial: i64,
    moment: Moment,
    change: impl Fn(Message) -> Option<Message>,
) -> Vec<Promise> {
    let store = history().await;
    let mut told = Acknowledged::new();
    for event in events(&store).await {
        let place = event.place.unwrap();
        let message = in_truth(&event);
        let message = if event.serial == Serial(serial) {
            change(message)
        } else {
            Some(message)
        };
        if let Some(message) = message {
            told.note_message(TENANT, place, message);
        }
    }
    let mut snapshot = store.snapshot().await.unwrap();
    let report = gate(snapshot.as_mut(), &told, moment).await.unwrap();
    let of_messages = report.broken.iter();
    let of_messages = of_messages.filter(|it| it.subject.starts_with("message "));
    of_messages.map(|it| it.promise).collect()
}

#[tokio::test]
async fn what_terminals_were_told_in_truth_is_kept() {
    let store = history().await;
    assert!(
        events(&store).await.len() > 8,
        "there are messages to judge"
    );
    assert_eq!(broken(BOUGHT, Moment::Running, Some).await, []);
}

/// A message told something else than what is recorded.
async fn told(serial: i64, heard: Heard) -> Vec<Promise> {
    let retold = |it| Some(Message { heard, ..it });
    broken(serial, Moment::Running, retold).await
}

#[tokio::test]
async fn an_answer_that_is_not_what_is_recorded_is_found() {
    let approved = Heard::Approved {
        number: None,
        points: None,
    };
    assert_eq!(told(DECLINED, approved).await, [Promise::Recorded]);
    assert_eq!(told(REVERSED, approved).await, [Promise::Recorded]);
    assert_eq!(told(TOMBSTONE, approved).await, [Promise::Recorded]);
    assert_eq!(told(BOUGHT, Heard::Refused).await, [Promise::Asked]);
    assert_eq!(told(BOUGHT, Heard::Undone).await, [Promise::Undone]);
    assert_eq!(told(CANCELLED, Heard::Nothing).await, []);
}

#[tokio::test]
async fn other_figures_than_were_told_are_found() {
    let other_points = |it: Message| {
        let Heard::Approved { number, .. } = it.heard else {
            panic!("{it:?} is approved");
        };
        let points = Some((Points::new(1), Points::ZERO));
        let heard = Heard::Approved { number, points };
        Some(Message { heard, ..it })
    };
    let found = broken(BOUGHT, Moment::Running, other_points).await;
    assert_eq!(found, [Promise::Recorded]);
    let other_cash = |it: Message| {
        let mut moves = it.moves.clone().unwrap();
        moves.cash = Fen::new(1);
        let moves = Some(moves);
        Some(Message { moves, ..it })
    };
    let found = broken(BOUGHT, Moment::Running, other_cash).await;
    assert_eq!(found, [Promise::Asked]);
    let other_card = |it: Message| {
        let card = CardNo::parse("77777777");
        Some(Message { card, ..it })
    };
    let found = broken(BOUGHT, Moment::Running, other_card).await;
    assert_eq!(found, [Promise::Asked]);
}

#[tokio::test]
async fn what_nobody_sent_is_found() {
    for serial in [BOUGHT, TOMBSTONE, DECLINED] {
        let found = broken(serial, Moment::Running, |_| None).await;
        assert_eq!(found, [Promise::Asked]);
    }
}

#[tokio::test]
async fn at_rest_each_message_has_an_end() {
    let open = |it| {
        Some(Message {
            heard: Heard::Nothing,
            ..it
        })
    };
    let found = broken(BOUGHT, Moment::AtRest, open).await;
    assert_eq!(found, [Promise::AtRest]);
}

#[tokio::test]
async fn what_was_acknowledged_and_is_not_there_is_found() {
    let store = history().await;
    let mut acknowledged = Acknowledged::new();
    let bought = events(&store).await;
    let bought = bought.iter().find(|it| it.serial == Serial(BOUGHT));
    let bought = in_truth(bought.unwrap());
    for trace in [901, 902] {
        let trace = TraceNo::new(trace).unwrap();
        // Of another terminal, so that nothing else is judged.
        let place = Place::new(INDEX + 1, BatchNo::FIRST, trace);
        acknowledged.note_message(TENANT, place, bought.clone());
    }
    let mut snapshot = store.snapshot().await.unwrap();
    let report = gate(snapshot.as_mut(), &acknowledged, Moment::Running);
    let broken = report.await.unwrap().broken;
    let count = |promise| broken.iter().filter(|it| it.promise == promise).count();
    assert_eq!(
        (count(Promise::Recorded), count(Promise::SerialOnce)),
        (2, 1),
        "{broken:?}"
    );
}
