//! The terminals of a run: their store and cards, their way to the gateways, and what the cards
//! must hold in the end.

use super::{
    counter::{Counter, Exchange},
    dice::Dice,
    reader::on_the_spot,
    rows::Rows,
    terminal::{Away, Line, Model, Sent, Terminal, answers::Answers, purse::Purses, wish},
    world::World,
};
use crate::{
    app::loyalty::{documents, keys::KeyRing, pins::Pins},
    simulate::SetupError,
    simulate_till::roster::{Member, Seat},
    till::{Message, reply::read},
    vault::Vault,
};
use domain::{
    command::loyalty::{AddCards, AddStore, AddTerminal, NewCard},
    ids::{Serial, TenantId},
    loyalty::{
        card::{Card, CardNo, CardPin, CardStatus, DayUse, Holder, Holding, Lot, TicketKind},
        document::DocumentKey,
        points::Points,
        store::{Store, StoreNo},
        terminal::{KeyLayout, Profile, Terminal as Stored, TerminalNo},
        trans::Place,
    },
    money::Fen,
    time::UnixMs,
};
use std::sync::Arc;
use store::{Engine, EngineError, Reader, StoreError};
use tokio::task::JoinSet;
use wire::{
    jpos::{Key, Pin, Version},
    opengateway::call::Call,
};

/// Whose store and cards they are.
const TENANT: TenantId = TenantId(1);
const STORE: &str = "102100099990001";
const MASTER_KEY: &str = "CA5D92598DCA48CE8A4C76361A9269E9";
const PIN: &str = "123456";
/// Cards that are shown at all terminals.
const SHARED: u64 = 2;
/// What a card begins with, in hundredths of a point: enough for a few sales.
const POINTS: i64 = 150_000;
/// How many steps to an end are enough.
const CLOSING_MAX: u32 = 2_000;

/// A terminal's way to the gateways of a run.
pub struct Wire {
    counter: Arc<Counter>,
    model: Arc<Model>,
    /// The log's name for its terminal.
    tag: String,
}

/// The terminals of a run, and what they know together.
pub struct Terminals {
    model: Arc<Model>,
    all: Vec<Terminal<Wire>>,
}

impl Terminals {
    /// Adds the terminals of a run, their store and their cards.
    ///
    /// # Errors
    /// When the store cannot take them.
    pub async fn open<R: Rows>(
        counter: &Arc<Counter>,
        rows: &R,
        vault: &Vault,
    ) -> Result<Self, SetupError> {
        let world = &counter.world;
        let count = world.mix.terminals;
        let (engine, queue) = Engine::new(world.clock());
        let serving = tokio::spawn(queue.serve(rows.writer()?));
        let added = provide(&engine, vault, world.now(), count).await;
        serving.abort();
        // Cancelled, as it was told to be.
        let _ = serving.await;
        added?;
        let shared: Vec<Member> = (1..=SHARED).map(|it| member(shared_no(it), None)).collect();
        let own = |index| member(own_no(index), Pin::parse(PIN).ok());
        let numbers = (1..=SHARED).map(shared_no).chain((1..=count).map(own_no));
        let model = Arc::new(Model {
            purses: Purses::new(numbers.map(|it| (it, POINTS))),
            answers: Answers::default(),
        });
        let shared: Arc<[Member]> = shared.into();
        let terminals = (1..=count).filter_map(|index| {
            let wire = Wire {
                counter: Arc::clone(counter),
                model: Arc::clone(&model),
                tag: format!("[P{index}]"),
            };
            let of = (TENANT, i64::try_from(index).ok()?);
            let cards = (Arc::clone(&shared), own(index));
            let dice = Dice::new(world.within(0..u64::MAX));
            let seat = seat(index)?;
            Some(Terminal::new(
                wire,
                seat,
                of,
                cards,
                Arc::clone(&model),
                dice,
            ))
        });
        Ok(Self {
            all: terminals.collect(),
            model,
        })
    }

    /// Lets all of them work side by side.
    pub async fn work(mut self, world: Arc<World>) -> Self {
        let mut working = JoinSet::new();
        for terminal in std::mem::take(&mut self.all) {
            working.spawn(work(terminal, Arc::clone(&world)));
        }
        self.all = working.join_all().await;
        self
    }

    /// Sees each message to its end, settles, asks again, and notes what was told.
    pub async fn close(&mut self, counter: &Counter) {
        for terminal in &mut self.all {
            close(terminal, &counter.world).await;
            let tally = terminal.tally;
            counter.world.count(|it| {
                it.messages += tally.approved;
                it.reversals += tally.undone;
                it.settlements += tally.settled;
            });
            terminal.acknowledge(&mut counter.told());
        }
    }

    /// Each card holds what follows from what the terminals were told.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn compare(&self, world: &World, reader: &dyn Reader) -> Result<(), StoreError> {
        for (number, held) in self.model.purses.all() {
            let Some(key) = CardNo::parse(&number).map(|it| DocumentKey::card(TENANT, &it)) else {
                continue;
            };
            let card = on_the_spot(reader.document(key))?.and_then(documents::card);
            let total = card.map(|it| it.balance(world.now()).total.get());
            if held.low != held.high || total != Some(held.low) {
                let text = format!("a card holds {total:?}, and should hold {held:?}");
                world.fail(None, &text);
            }
        }
        Ok(())
    }
}

async fn work(mut terminal: Terminal<Wire>, world: Arc<World>) -> Terminal<Wire> {
    let gap_ms = 1 + world.mix.span_ms / world.mix.steps;
    for _ in 0..world.mix.steps {
        world.pass_ms(0..2 * gap_ms).await;
        if terminal.step().await == Err(Away) {
            world.pass_ms(0..4_000).await;
        }
    }
    terminal
}

async fn close(terminal: &mut Terminal<Wire>, world: &World) {
    let mut asked_again = false;
    for _ in 0..CLOSING_MAX {
        let done = if terminal.is_closed() {
            asked_again = terminal.ask_again().await.is_ok();
            Ok(())
        } else {
            terminal.close().await
        };
        if asked_again {
            return;
        }
        if done == Err(Away) {
            world.pass_ms(100..1_000).await;
        }
    }
    world.fail(None, "a terminal finds no end");
}

impl Line for Wire {
    async fn send(&mut self, place: Option<Place>, message: &Message) -> Sent {
        let world = &self.counter.world;
        let has_copy = world.strikes(world.mix.duplicates);
        if has_copy {
            world.count(|it| it.duplicates += 1);
            self.send_later(place, message.clone());
        }
        let (reply, is_lost) = match self.counter.send(call(message)).await {
            // Nothing is done by a gateway that is not there, overloaded or stopping.
            Exchange::Unsent | Exchange::Reply(503, _) => (None, false),
            Exchange::Unanswered => (None, true),
            Exchange::Reply(status, body) => match read(message.operation, &body) {
                Ok(reply) => (Some(Box::new(reply)), false),
                Err(error) => {
                    self.fail(&format!("HTTP {status}: {error}"));
                    (None, true)
                }
            },
        };
        Sent {
            reply,
            may_be_more: has_copy || is_lost,
        }
    }

    fn log(&mut self, what: &str) {
        self.counter.world.log(&self.tag, what);
    }

    fn fail(&mut self, what: &str) {
        self.counter.world.fail(Some(&self.tag), what);
    }
}

impl Wire {
    /// Another copy of a message arrives by itself, later.
    fn send_later(&self, place: Option<Place>, message: Message) {
        let (counter, model) = (Arc::clone(&self.counter), Arc::clone(&self.model));
        let tag = self.tag.clone();
        let busy = counter.world.busy();
        tokio::spawn(async move {
            counter.world.pass_ms(0..20_000).await;
            let was_late = place.is_some_and(|it| model.answers.comes_too_late(it));
            let exchange = counter.send(call(&message)).await;
            if let (Some(place), Exchange::Reply(200, body)) = (place, exchange)
                && let Ok(reply) = read(message.operation, &body)
                && let Err(why) = model.answers.heard(place, &reply, was_late)
            {
                let text = format!("a copy of message {}: {why}", place.trace());
                counter.world.fail(Some(&tag), &text);
            }
            drop(busy);
        });
    }
}

fn call(message: &Message) -> Call {
    Call {
        method: "POST",
        target: message.operation.path(Version::V1),
        body: message.body.clone().into_bytes(),
    }
}

/// Adds the store, its terminals and the cards.
async fn provide(
    engine: &Engine,
    vault: &Vault,
    now: UnixMs,
    count: u64,
) -> Result<(), SetupError> {
    let number = StoreNo::parse(STORE).ok_or(SetupError::Terminals)?;
    let store = Store {
        certificates: Vec::new(),
        tenant: TENANT,
        number: number.clone(),
        account: 1,
        name: "Shop".to_owned(),
        networks: vec!["127.0.0.1".to_owned()],
        updated_at: now,
    };
    engine.run(AddStore { store }).await?;
    for index in 1..=count {
        let terminal = stored(index, &number, now).ok_or(SetupError::Terminals)?;
        let key = Key::parse_hex(MASTER_KEY).map_err(|_| SetupError::Terminals)?;
        let sealed = KeyRing::new(vault.clone()).seal_master(&terminal, &key, now);
        let master_key = Some(sealed.map_err(|_| SetupError::Vault)?);
        let terminal = Stored {
            master_key,
            ..terminal
        };
        engine.run(AddTerminal { terminal }).await?;
    }
    let pin = Pin::parse(PIN).map_err(|_| SetupError::Terminals)?;
    let hash = Pins::of_simulation(vault).hash(pin).await;
    let hash = hash.map_err(|_| SetupError::Terminals)?;
    let shared = (1..=SHARED).map(|it| (shared_no(it), None));
    let own = (1..=count).map(|it| (own_no(it), Some(hash.clone())));
    let cards = (1..).zip(shared.chain(own));
    let cards = cards.filter_map(|(serial, (number, hash))| card(serial, &number, hash));
    let cards = cards.collect();
    engine.run(AddCards { cards }).await?;
    Ok(())
}

/// Every other one must send MACs.
fn stored(index: u64, store: &StoreNo, now: UnixMs) -> Option<Stored> {
    let has_mac = index.is_multiple_of(2);
    Some(Stored {
        tenant: TENANT,
        store: store.clone(),
        number: TerminalNo::parse(&terminal_no(index))?,
        index: i64::try_from(index).ok()?,
        blocked: false,
        profile: Profile {
            key_layout: if has_mac {
                KeyLayout::Bytes40
            } else {
                KeyLayout::Bytes24
            },
            mac_required: has_mac,
            ..Profile::default()
        },
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
        updated_at: now,
    })
}

fn card(serial: i64, number: &str, pin_hash: Option<String>) -> Option<NewCard> {
    let holding = |id, kind| Holding {
        id,
        kind,
        name: "tea".to_owned(),
        face: Fen::new(100),
        pieces: 8,
        expires_at: None,
    };
    let lot = Lot {
        points: Points::new(POINTS),
        available_at: UnixMs(0),
        expires_at: None,
    };
    let card = Card {
        tenant: TENANT,
        number: CardNo::parse(number)?,
        account: Serial(2 * serial),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default().into(),
        grade: 0,
        pin: pin_hash.map(|hash| CardPin { hash, wrong: 0 }),
        lots: vec![lot],
        owed: Points::ZERO,
        tickets: vec![
            holding(wish::VOUCHER, TicketKind::Voucher),
            holding(wish::TICKET, TicketKind::Cash),
        ],
        today: DayUse::default(),
        codes: Vec::new(),
        spending: Vec::new(),
    };
    let serial = Serial(2 * serial + 1);
    Some(NewCard { card, serial })
}

fn seat(index: u64) -> Option<Seat> {
    Some(Seat {
        store_no: STORE.to_owned(),
        terminal_no: terminal_no(index),
        master: Key::parse_hex(MASTER_KEY).ok()?,
    })
}

const fn member(card_no: String, pin: Option<Pin>) -> Member {
    Member { card_no, pin }
}

fn terminal_no(index: u64) -> String {
    format!("{index:08}")
}

fn shared_no(number: u64) -> String {
    format!("99{number:014}")
}

fn own_no(index: u64) -> String {
    format!("88{index:014}")
}

impl From<EngineError> for SetupError {
    fn from(_: EngineError) -> Self {
        Self::Terminals
    }
}
