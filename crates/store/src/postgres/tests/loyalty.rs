//! Cards, terminals and events under several writers at once, and what their rows cost.

use super::fixture::{NOW, TENANT, clock, store, store_at};
use crate::{
    audit::audit,
    contract::{Reader, StoreError, Writer},
    engine::{Engine, EngineError},
    postgres::{
        PostgresStore,
        link::Link,
        loyalty::{changing, locking},
    },
    testing,
};
use domain::{
    command::Command,
    ids::{Serial, TenantId},
    loyalty::{
        card::{Balance, Card, CardNo, CardStatus, DayUse, Holder, Lot},
        document::{Document, DocumentKey, DocumentKind},
        points::Points,
        postings::postings,
        rows::{LoyaltyChanges, LoyaltyPlan},
        store::StoreNo,
        terminal::{BatchNo, Profile, Terminal, TerminalNo},
        trans::{Effect, Place, TraceNo, Trans, TransKind, TransNo, TransState},
    },
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

fn card(n: i64) -> Card {
    Card {
        tenant: TENANT,
        number: CardNo::parse(&format!("{n:08}")).unwrap(),
        account: Serial(900 + n),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: None,
        lots: vec![Lot {
            points: Points::ZERO,
            available_at: NOW,
            expires_at: Some(NOW.plus_s(9)),
        }],
        owed: Points::ZERO,
        tickets: Vec::new(),
        today: DayUse::default(),
        codes: Vec::new(),
        spending: Vec::new(),
    }
}

fn terminal() -> Terminal {
    Terminal {
        tenant: TENANT,
        store: StoreNo::parse("S1").unwrap(),
        number: TerminalNo::parse("T1").unwrap(),
        index: 3,
        blocked: false,
        profile: Profile::default(),
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: None,
        trans_count: 0,
        today: DayUse::default(),
        codes_sent_at: Vec::new(),
        updated_at: NOW,
    }
}

/// A message that grants a card one point, and makes card and terminal when they are missing. It
/// is answered with the number that it, or its first copy, was given.
struct Grant {
    card: i64,
    trace: u32,
    serial: i64,
}

impl Grant {
    fn place(&self) -> Place {
        Place::new(3, BatchNo::FIRST, TraceNo::new(self.trace).unwrap())
    }

    fn event(&self, card: &Card, count: i64) -> Trans {
        Trans {
            tenant: TENANT,
            serial: Serial(self.serial),
            place: Some(self.place()),
            number: Some(TransNo::new(3, count)),
            kind: TransKind::Opening,
            state: TransState::Approved,
            store: None,
            store_account: 0,
            card: Some(card.number.clone()),
            card_account: Some(card.account),
            at: NOW,
            content: u128::MAX,
            register_trace: None,
            entry_mode: None,
            advertisement: String::new(),
            original: None,
            undoes: None,
            effect: Effect {
                earned: Points::new(1),
                ..Effect::default()
            },
            balance: Balance::default(),
            settlement: None,
        }
    }
}

impl Command for Grant {
    type Reply = TransNo;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        let (at, of) = (terminal(), card(self.card));
        let documents = &mut plan.loyalty.documents;
        documents.push(DocumentKey::card(TENANT, &of.number));
        documents.push(DocumentKey::terminal(TENANT, &at.store, &at.number));
        plan.loyalty.places.push((TENANT, self.place()));
    }

    fn decide(&self, rows: &mut Rows, _: UnixMs) -> Result<TransNo, Inconsistent> {
        if let Some(earlier) = rows.loyalty.trans_at(TENANT, self.place()) {
            return earlier.number.ok_or(Inconsistent(earlier.serial));
        }
        let (at, of) = (terminal(), card(self.card));
        let found = rows.loyalty.terminal(TENANT, &at.store, &at.number);
        let mut at = found.cloned().unwrap_or(at);
        let found = rows.loyalty.card(TENANT, &of.number);
        let mut of = found.cloned().unwrap_or(of);
        at.trans_count += 1;
        of.lots[0].points = of.lots[0].points.plus(Points::new(1));
        let event = self.event(&of, at.trans_count);
        let number = TransNo::new(3, at.trans_count);
        postings(&event).into_iter().for_each(|it| rows.post(it));
        rows.loyalty.put_trans(event);
        rows.loyalty.put_document(Document::Card(Box::new(of)));
        rows.loyalty.put_document(Document::Terminal(Box::new(at)));
        Ok(number)
    }
}

/// An engine over several writers.
async fn engine(store: &PostgresStore, writers: usize) -> Engine {
    let (engine, queue) = Engine::new(clock());
    for _ in 0..writers {
        let writer = store.writer().await.unwrap();
        tokio::spawn(queue.clone().serve(writer));
    }
    engine
}

/// Three copies of each of 60 messages on 4 cards at one terminal, over three writers, on rows that
/// are not there at first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_writers_lose_no_update_and_make_no_event_twice() {
    let store = store().await;
    let engine = engine(&store, 3).await;
    let mut running = JoinSet::new();
    for n in 0..180 {
        let trace = 1 + u32::try_from(n % 60).unwrap();
        let grant = Grant {
            card: n % 4,
            trace,
            serial: 1_000 + n,
        };
        let engine = engine.clone();
        running.spawn(async move { (trace, engine.run(grant).await) });
    }
    let mut numbers: BTreeMap<u32, BTreeSet<TransNo>> = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        let (trace, number) = done.unwrap();
        numbers.entry(trace).or_default().insert(number.unwrap());
    }
    assert!(numbers.values().all(|copies| copies.len() == 1));
    let all: BTreeSet<TransNo> = numbers.into_values().flatten().collect();
    assert!(
        all.into_iter()
            .eq((1..=60).map(|count| TransNo::new(3, count)))
    );
    let reader = store.reader();
    let cards = reader
        .documents(DocumentKind::Card, None, None, 9)
        .await
        .unwrap();
    let mut expected = [0, 1, 2, 3].map(card);
    for card in &mut expected {
        card.lots[0].points = Points::new(15);
    }
    assert_eq!(cards, expected.map(|it| Document::Card(Box::new(it))));
    let mut snapshot = reader.snapshot().await.unwrap();
    let report = audit(snapshot.as_mut(), &mut |_| {}).await.unwrap();
    assert_eq!(report.violations, []);
    assert_eq!((report.counts.trans, report.counts.cards), (60, 4));
}

/// The event is looked for once the terminal is locked, so it is seen and not made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_writer_waits_for_the_first_and_sees_what_it_did() {
    let store = store().await;
    let (mut one, mut two) = (store.writer().await.unwrap(), store.writer().await.unwrap());
    let granted = run(
        &mut one,
        Grant {
            card: 1,
            trace: 1,
            serial: 1,
        },
    )
    .await;
    granted.unwrap();
    let (first, second) = (
        Grant {
            card: 1,
            trace: 2,
            serial: 2,
        },
        Grant {
            card: 1,
            trace: 2,
            serial: 3,
        },
    );
    let mut rows = one.load(planned(&first)).await.unwrap();
    first.decide(&mut rows, NOW).unwrap();
    let waiting = async {
        let mut rows = two.load(planned(&second)).await.unwrap();
        let number = second.decide(&mut rows, NOW).unwrap();
        (number, two.commit(rows.into_changes()).await)
    };
    let ((number, other), committed) = tokio::join!(waiting, one.commit(rows.into_changes()));
    committed.unwrap();
    other.unwrap();
    assert_eq!(number, TransNo::new(3, 2));
    let by_second = store.reader().trans(TENANT, Serial(3)).await;
    assert_eq!(by_second, Ok(None));
}

fn planned<C: Command>(command: &C) -> Plan<'_> {
    let mut plan = Plan::default();
    command.plan(&mut plan);
    plan.normalise();
    plan
}

async fn run(writer: &mut impl Writer, grant: Grant) -> Result<TransNo, StoreError> {
    let mut rows = writer.load(planned(&grant)).await?;
    let number = grant.decide(&mut rows, NOW).unwrap();
    writer.commit(rows.into_changes()).await?;
    Ok(number)
}

/// Updates of cards and terminals must stay on their page, unless a card is due at another time.
#[tokio::test]
async fn using_a_card_at_a_terminal_touches_no_index() {
    let url = testing::database().unwrap();
    let store = store_at(&url).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut writer = store.writer().await.unwrap();
    for trace in 1..=51 {
        let serial = i64::from(trace);
        run(
            &mut writer,
            Grant {
                card: 1,
                trace,
                serial,
            },
        )
        .await
        .unwrap();
    }
    drop(writer);
    let sql = "SELECT sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint FROM pg_stat_user_tables
        WHERE relname IN ('cards', 'terminals')";
    for _ in 0..100 {
        let row = client.query_one(sql, &[]).await.unwrap();
        let (updates, hot): (i64, i64) = (row.get(0), row.get(1));
        if updates == 100 {
            // A page may be full while somebody else's old snapshot keeps it from being pruned.
            assert!(hot >= 90, "{hot} of {updates}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the server's statistics never came");
}

/// What the engine cannot solve by trying again is told: another tenant has the store's number.
#[tokio::test]
async fn a_store_number_that_another_tenant_took_is_refused_by_the_engine() {
    struct Add(TenantId);

    impl Command for Add {
        type Reply = ();

        fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
            plan.loyalty.documents.push(self.store().key());
        }

        fn decide(&self, rows: &mut Rows, _: UnixMs) -> Result<(), Inconsistent> {
            rows.loyalty.put_document(self.store());
            Ok(())
        }
    }

    impl Add {
        fn store(&self) -> Document {
            Document::Store(Box::new(domain::loyalty::store::Store {
                tenant: self.0,
                number: StoreNo::parse("S1").unwrap(),
                account: 1,
                name: String::new(),
                networks: Vec::new(),
                certificates: Vec::new(),
                updated_at: NOW,
            }))
        }
    }

    let engine = engine(&store().await, 1).await;
    assert_eq!(engine.run(Add(TENANT)).await, Ok(()));
    let refused = engine.run(Add(TenantId(2))).await;
    let is_refused = matches!(refused, Err(EngineError::Store(StoreError::Refused(_))));
    assert!(is_refused, "{refused:?}");
    // Its own again overwrites it.
    assert_eq!(engine.run(Add(TENANT)).await, Ok(()));
}

/// A batch about payments alone sends no statement about cards.
#[tokio::test]
async fn payments_cost_nothing_more() {
    let store = store().await;
    let link = Link::open(&store.config).await.unwrap();
    let (steps, tenant) = changing(&link.loyalty, &LoyaltyChanges::default()).unwrap();
    assert!(steps.is_empty() && tenant.is_none());
    assert!(locking(&link.loyalty, &LoyaltyPlan::default()).is_empty());
}
