//! Codes that cards hold and tickets used.

use super::*;
use domain::{
    loyalty::{
        card::{
            Balance, Card, CardNo, CardStatus, DayUse, HeldCode, Holder, TicketCode, TicketKind,
        },
        document::Document,
        points::Points,
        postings::postings,
        rows::LoyaltyChanges,
        trans::{Effect, TicketUse, Trans, TransKind, TransState},
    },
    voucher::{
        code_use::{CodeAct, CodeEvent, CodeUse, Scene},
        rows::VoucherChanges,
    },
};

/// The event that used a code.
const TICKET: i64 = 7_001;
/// A code that nothing else touches.
const CODE: CodeNo = code(CASH_BOX, 20);

fn backing() -> TicketCode {
    TicketCode {
        code: CODE,
        ticket: CASH,
        uses: terms(CASH).uses,
    }
}

fn line() -> TicketUse {
    TicketUse {
        id: i64::from(CASH.0),
        kind: TicketKind::Cash,
        name: "cash".to_owned(),
        face: terms(CASH).face_value,
        pieces: 1,
        expires_at: None,
        code: Some(backing()),
        written_off: false,
    }
}

fn event_of(line: TicketUse) -> Trans {
    Trans {
        tenant: TENANT,
        serial: Serial(TICKET),
        place: None,
        number: None,
        kind: TransKind::TicketsConsume,
        state: TransState::Approved,
        store: None,
        store_account: 1,
        card: CardNo::parse("00000001"),
        card_account: Some(Serial(TICKET + 1)),
        at: NOW,
        content: 0,
        register_trace: None,
        entry_mode: None,
        advertisement: String::new(),
        original: None,
        undoes: None,
        effect: Effect {
            tickets: vec![line],
            ..Effect::default()
        },
        balance: Balance::default(),
        settlement: None,
    }
}

fn holder(backing: TicketCode) -> Card {
    Card {
        tenant: TENANT,
        number: CardNo::parse("00000001").unwrap(),
        account: Serial(TICKET + 1),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: None,
        lots: vec![],
        owed: Points::ZERO,
        tickets: vec![],
        codes: vec![HeldCode {
            backing,
            kind: TicketKind::Cash,
            name: "cash".to_owned(),
            face: terms(CASH).face_value,
        }],
        today: DayUse::default(),
        spending: vec![],
    }
}

/// A ticket that used a code, with all that goes with it.
fn used(trans: Trans, held: TicketCode) -> Changes {
    let posted = postings(&trans);
    let mut of_code = CodeUse {
        used: 1,
        ..CodeUse::untouched(TENANT, CODE)
    };
    let trace = of_code.note(CodeAct::Used, NOW, trans.serial, Scene::default());
    Changes {
        loyalty: LoyaltyChanges {
            documents_added: vec![Document::Card(Box::new(holder(held)))],
            trans_added: vec![trans.into()],
            ..LoyaltyChanges::default()
        },
        voucher: VoucherChanges {
            uses_added: vec![of_code],
            events: trace.collect(),
            ..VoucherChanges::default()
        },
        postings: posted,
        ..Changes::default()
    }
}

async fn broken_by(changes: Changes) -> Vec<Rule> {
    let mut store = history().await;
    store.load(Plan::default()).await.unwrap();
    store.commit(changes).await.unwrap();
    let report = report(&store).await;
    let mut rules: Vec<Rule> = report.violations.iter().map(|it| it.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[tokio::test]
async fn a_ticket_that_used_a_code_is_in_order() {
    let changes = used(event_of(line()), backing());
    assert_eq!(broken_by(changes).await, []);
}

#[tokio::test]
async fn a_use_that_no_ticket_made_is_found() {
    let mut changes = used(event_of(line()), backing());
    changes.loyalty.trans_added.clear();
    changes.postings.clear();
    let broken = broken_by(changes).await;
    assert_eq!(
        broken,
        [Rule::CodeUses, Rule::TicketUses, Rule::VoucherLiability]
    );
}

#[tokio::test]
async fn a_ticket_whose_use_is_not_gone_is_found() {
    let mut changes = used(event_of(line()), backing());
    changes.voucher = VoucherChanges::default();
    let broken = broken_by(changes).await;
    assert_eq!(
        broken,
        [Rule::CodeUses, Rule::TicketUses, Rule::VoucherLiability]
    );
}

/// As many events of the code as there have to be, and not the right ones.
#[tokio::test]
async fn an_event_of_a_code_that_is_not_its_tickets_is_found() {
    let doctored: [fn(&mut CodeEvent); 6] = [
        |it| it.subject = Serial(USES),
        |it| it.act = CodeAct::GivenBack,
        |it| it.tenant = TenantId(2),
        |it| it.number = 1,
        |it| it.before = Some(Serial(USES)),
        |it| it.scene = None,
    ];
    for doctor in doctored {
        let mut changes = used(event_of(line()), backing());
        doctor(&mut changes.voucher.events[0]);
        assert_eq!(broken_by(changes).await, [Rule::CodeUses]);
    }
}

#[tokio::test]
async fn a_ticket_that_is_not_posted_is_found() {
    let mut changes = used(event_of(line()), backing());
    changes.postings.clear();
    let broken = broken_by(changes).await;
    let rules = [Rule::TransPosting, Rule::TicketUses, Rule::VoucherLiability];
    assert_eq!(broken, rules);
}

#[tokio::test]
async fn a_ticket_that_is_not_as_its_codes_box_says_is_found() {
    let doctored: [fn(&mut TicketUse); 3] = [
        |it| it.face = Fen::new(1),
        |it| it.code = it.code.map(|code| TicketCode { uses: 9, ..code }),
        |it| it.written_off = true,
    ];
    for doctor in doctored {
        let mut line = line();
        doctor(&mut line);
        let broken = broken_by(used(event_of(line), backing())).await;
        assert!(broken.contains(&Rule::VoucherUse), "{broken:?}");
    }
}

#[tokio::test]
async fn a_card_that_holds_a_code_on_other_terms_is_found() {
    let other = TicketCode {
        uses: 9,
        ..backing()
    };
    let changes = used(event_of(line()), other);
    assert_eq!(broken_by(changes).await, [Rule::VoucherUse]);
}
