use super::*;
use crate::audit::tests::loyalty;
use domain::{
    ids::Serial,
    loyalty::{
        card::{CardStatus, TicketCode, TicketKind},
        terminal::BatchNo,
        totals::Totals,
    },
    money::Fen,
    voucher::{code::CodeNo, ticket::VoucherTicketNo},
};
use std::sync::Arc;

fn terminal() -> Terminal {
    loyalty::terminal(Totals::default())
}

fn card() -> Card {
    loyalty::card(1, 100, 0)
}

fn sold(mut terminal: Terminal) -> Document {
    terminal.mac_failures = 1;
    terminal.batch = Some(Batch {
        number: BatchNo::FIRST,
        opened_at: UnixMs(5),
        closed_at: None,
        totals: Totals::default(),
        entries: 3,
    });
    terminal.trans_count = 12;
    terminal.today = DayUse {
        day: 4,
        count: 2,
        points: Points::new(100),
    };
    terminal.codes_sent_at = vec![UnixMs(6)];
    Document::Terminal(Box::new(terminal))
}

fn spent(mut card: Card) -> Document {
    card.grade = 2;
    card.lots = vec![Lot {
        points: Points::new(5),
        available_at: UnixMs(0),
        expires_at: None,
    }];
    card.owed = Points::new(1);
    card.tickets = vec![Holding {
        id: 1,
        kind: TicketKind::Cash,
        name: "票".to_owned(),
        face: Fen::new(100),
        pieces: -1,
        expires_at: None,
    }];
    card.codes = vec![HeldCode {
        backing: TicketCode {
            code: CodeNo {
                carton: Serial(3),
                index: 4,
            },
            ticket: VoucherTicketNo(5),
            uses: 6,
        },
        kind: TicketKind::Exchange,
        name: "券".to_owned(),
        face: Fen::new(2_000),
    }];
    card.today.count = 3;
    card.spending = vec![MonthSpending {
        month: 24_000,
        spent: Fen::new(7),
    }];
    Document::Card(Box::new(card))
}

#[test]
fn what_messages_change_is_entered_again() {
    let till = Document::Terminal(Box::new(terminal()));
    let member = Document::Card(Box::new(card()));
    for (before, after) in [(till, sold(terminal())), (member, spent(card()))] {
        for (from, to) in [(&before, &after), (&after, &before)] {
            let text = running_part(from, to).unwrap().unwrap();
            let mut entered = from.clone();
            enter_running(&mut entered, &text).unwrap();
            assert_eq!(&entered, to);
        }
    }
}

#[test]
fn what_lasts_is_not_left_out() {
    let before = Document::Terminal(Box::new(terminal()));
    let mut blocked = terminal();
    blocked.blocked = true;
    let mut renewed = terminal();
    renewed.key_count = 1;
    for after in [blocked, renewed] {
        assert_eq!(running_part(&before, &sold(after)), Ok(None));
    }
    let before = Document::Card(Box::new(card()));
    let mut lost = card();
    lost.status = CardStatus::Lost;
    let mut renamed = card();
    Arc::make_mut(&mut renamed.holder).name = "李".to_owned();
    for after in [lost, renamed] {
        assert_eq!(running_part(&before, &spent(after)), Ok(None));
    }
    assert_eq!(running_part(&before, &sold(terminal())), Ok(None));
}

#[test]
fn a_running_part_that_cannot_be_read_is_corrupt_and_not_told() {
    let mut document = Document::Card(Box::new(card()));
    let told = enter_running(&mut document, r#"{"grade":"secret"}"#);
    let Err(StoreError::Corrupt(text)) = told else {
        panic!("{told:?}");
    };
    let is_named = text.contains("the running part of cards 00000001 of tenant 1");
    assert!(is_named && !text.contains("secret"), "{text}");
}

/// Former versions wrote long names, and what was nothing as well.
#[test]
fn parts_with_long_names_are_read() {
    let Document::Terminal(terminal) = sold(terminal()) else {
        panic!("a terminal");
    };
    let text = r#"{"mac_failures":1,"batch":{"number":1,"opened_at":5,"closed_at":null,"totals":{},"entries":3},
        "trans_count":12,"today":{"day":4,"count":2,"points":100},"codes_sent_at":[6]}"#;
    let mut read = Document::Terminal(Box::new(self::terminal()));
    enter_running(&mut read, text).unwrap();
    assert_eq!(read, Document::Terminal(terminal));
    let lots = r#"{"grade":2,"lots":[{"points":5,"available_at":0}],"owed":1,
        "today":{"day":0,"count":0,"points":0},"spending":[{"month":24313,"spent":9}]}"#;
    let mut read = Document::Card(Box::new(card()));
    enter_running(&mut read, lots).unwrap();
    let wanted = Card {
        grade: 2,
        lots: vec![Lot {
            points: Points::new(5),
            available_at: UnixMs(0),
            expires_at: None,
        }],
        owed: Points::new(1),
        tickets: Vec::new(),
        codes: Vec::new(),
        today: DayUse::default(),
        spending: vec![MonthSpending {
            month: 24_313,
            spent: Fen::new(9),
        }],
        ..card()
    };
    assert_eq!(read, Document::Card(Box::new(wanted)));
}
