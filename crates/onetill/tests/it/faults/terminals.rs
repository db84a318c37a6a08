//! Terminals of dialect 2 while gateways are killed: each sees its messages to their end at
//! whichever gateway answers, and holds it to what it was told.

use super::{dice::Dice, fleet::Fleet};
use crate::support::process::{Client, Process};
use domain::loyalty::{
    card::{CardNo, CardStatus, Holder, Holding, TicketKind},
    document::{Document, DocumentKey, DocumentKind},
    terminal::{KeyLayout, Profile},
    trans::Place,
};
use domain::{ids::TenantId, money::Fen};
use onetill::{
    admin::{
        Request,
        loyalty::{
            self,
            cards::NewCard,
            demo::{MASTER_KEY, PIN, STORE},
            terminals::{KeyInjection, NewTerminal},
        },
        socket,
    },
    simulate::{
        dice::Dice as Choices,
        terminal::{
            Away, Line, Model, Sent, Tally, Terminal, answers::Answers, purse::Purses, wish,
        },
    },
    simulate_till::roster::{Member, Seat},
    till::{Message, reply::read},
};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::{Reader, gate::Acknowledged};
use tokio::{sync::watch, task::JoinSet};
use wire::jpos::{Key, Pin, Version};

const TERMINALS: u32 = 6;
/// Cards that are shown at all of them.
const SHARED: u32 = 4;
/// What each card begins with, in points.
const POINTS: i64 = 300_000;
/// And in pieces of its voucher and its ticket.
const PIECES: i64 = 5_000;
/// How long a terminal waits before it tries again.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a terminal may find no gateway before it says so.
const TRIES_MAX: u32 = 1_500;

/// The terminals, and what they know together.
pub struct Terminals {
    model: Arc<Model>,
    tenant: TenantId,
    all: Vec<Terminal<Wire>>,
}

/// A terminal's way to the gateways: when one is gone it goes on at the next.
pub struct Wire {
    gateways: Vec<SocketAddr>,
    at: usize,
    client: Client,
}

impl Wire {
    fn new(gateways: Vec<SocketAddr>, at: usize) -> Self {
        let client = Client::new(gateways[at % gateways.len()]);
        Self {
            gateways,
            at,
            client,
        }
    }

    /// Goes on at another gateway, if there is one, over a new connection.
    fn go_on(&mut self) {
        *self = Self::new(std::mem::take(&mut self.gateways), self.at + 1);
    }
}

impl Line for Wire {
    async fn send(&mut self, _: Option<Place>, message: &Message) -> Sent {
        let target = message.operation.path(Version::V1);
        let nothing = |may_be_more| Sent {
            reply: None,
            may_be_more,
        };
        match self.client.post_form(&target, &message.body).await {
            Ok(reply) if reply.status == 503 => nothing(false),
            Ok(reply) => {
                let reply = read(message.operation, &reply.body);
                Sent {
                    reply: Some(Box::new(reply.expect("a reply of the dialect"))),
                    may_be_more: false,
                }
            }
            Err(_) => {
                self.go_on();
                nothing(true)
            }
        }
    }

    fn log(&mut self, _: &str) {}

    fn fail(&mut self, what: &str) {
        panic!("{what}");
    }
}

impl Terminals {
    /// Adds terminals and cards to the demo's store, and lets nobody work yet.
    pub async fn open(fleet: &Fleet, seed: u64) -> Self {
        let gateway = &fleet.gateways[0];
        let look = fleet.look().await;
        let tenant = tenant(look.reader()).await;
        let own: Vec<String> = (0..TERMINALS).map(|it| format!("88{it:014}")).collect();
        let shared: Vec<String> = (0..SHARED).map(|it| format!("77{it:014}")).collect();
        add_cards(gateway, &shared, None).await;
        add_cards(gateway, &own, Some(PIN)).await;
        let cards = shared.iter().chain(&own).cloned();
        let model = Arc::new(Model {
            purses: Purses::new(cards.map(|it| (it, POINTS * 100))),
            answers: Answers::default(),
        });
        let shared = shared
            .into_iter()
            .map(|card_no| Member { card_no, pin: None });
        let shared: Arc<[Member]> = shared.collect();
        let addresses: Vec<_> = fleet.gateways.iter().map(|it| it.recipe.address).collect();
        let mut dice = Dice::new(seed);
        let mut all = Vec::new();
        for (number, card_no) in (0..).zip(own) {
            let (index, seat) = add_terminal(gateway, number).await;
            let pin = Pin::parse(PIN).ok();
            let cards = (Arc::clone(&shared), Member { card_no, pin });
            let wire = Wire::new(addresses.clone(), all.len());
            let choices = Choices::new(dice.roll());
            let of = (tenant, index);
            all.push(Terminal::new(
                wire,
                seat,
                of,
                cards,
                Arc::clone(&model),
                choices,
            ));
        }
        Self { model, tenant, all }
    }

    /// Sends them all to work until told to stop; [`Terminals::come_back`] takes them back.
    pub fn work(&mut self, stopped: &watch::Receiver<bool>) -> JoinSet<Terminal<Wire>> {
        let mut working = JoinSet::new();
        for mut terminal in self.all.drain(..) {
            let mut stopped = stopped.clone();
            // Its connection may have been broken off.
            terminal.line.go_on();
            working.spawn(async move {
                tokio::select! {
                    () = work(&mut terminal) => {}
                    _ = stopped.wait_for(|it| *it) => {}
                }
                terminal
            });
        }
        working
    }

    /// They are back from work.
    pub fn come_back(&mut self, all: Vec<Terminal<Wire>>) {
        self.all = all;
    }

    /// Everything answered lately is asked again, at another gateway: each gets the same answer.
    pub async fn ask_again(&mut self) -> usize {
        let asking = self.all.iter_mut().map(|terminal| async move {
            terminal.line.go_on();
            terminal
                .ask_again()
                .await
                .expect("gateways that are ready answer")
        });
        let asked = futures_util::future::join_all(asking).await;
        asked.into_iter().sum()
    }

    /// Each message comes to its end, and each batch is settled.
    pub async fn close(&mut self) {
        let closing = self.all.iter_mut().map(async |terminal| {
            terminal.line.go_on();
            for _ in 0..TRIES_MAX {
                if terminal.is_closed() {
                    return;
                }
                if terminal.close().await == Err(Away) {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            panic!("a terminal finds no end");
        });
        futures_util::future::join_all(closing).await;
    }

    /// Notes what they were told.
    pub fn acknowledge(&self, told: &mut Acknowledged) {
        self.all.iter().for_each(|it| it.acknowledge(told));
    }

    /// What they did.
    pub fn tally(&self) -> Tally {
        let mut all = Tally::default();
        for Tally {
            approved,
            declined,
            undone,
            settled,
        } in self.all.iter().map(|it| it.tally)
        {
            all.approved += approved;
            all.declined += declined;
            all.undone += undone;
            all.settled += settled;
        }
        all
    }

    /// Each card holds what follows from what they were told.
    pub async fn compare_cards(&self, reader: &dyn Reader) {
        for (number, held) in self.model.purses.all() {
            let key = DocumentKey::card(self.tenant, &CardNo::parse(&number).unwrap());
            let card = match reader.document(key).await.expect("a readable store") {
                Some(Document::Card(card)) => card,
                other => panic!("{other:?} is no card"),
            };
            let now = onetill::app::compose::system_clock()();
            let total = card.balance(now).total.get();
            assert_eq!((held.low, held.high), (total, total), "card {number}");
        }
    }
}

async fn work(terminal: &mut Terminal<Wire>) {
    loop {
        if terminal.step().await == Err(Away) {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn tenant(reader: &dyn Reader) -> TenantId {
    let stores = reader.documents(DocumentKind::Store, None, None, 10).await;
    let stores = stores.expect("a readable store");
    let number = |it: &Document| {
        let Document::Store(store) = it else {
            panic!("{it:?} is no store");
        };
        (store.number.as_str() == STORE).then_some(store.tenant)
    };
    stores.iter().find_map(number).expect("the demo's store")
}

/// Asks a gateway as its operator.
pub async fn ask(gateway: &Process, request: loyalty::Request) -> Value {
    let request = Request::Loyalty(request);
    let answer = socket::call(&gateway.recipe.data, &request).await;
    let answer = answer.expect("an answer").expect("a running gateway");
    answer.unwrap_or_else(|error| panic!("{}", error.0))
}

/// Adds a terminal to the demo's store; its index, and what it is set up with. Every other one must
/// send MACs.
pub async fn add_terminal(gateway: &Process, number: u32) -> (i64, Seat) {
    let has_mac = number.is_multiple_of(2);
    let terminal_no = format!("{:08}", 30_000_000 + number);
    let terminal = NewTerminal {
        store: STORE.to_owned(),
        number: terminal_no.clone(),
        profile: Profile {
            key_layout: if has_mac {
                KeyLayout::Bytes40
            } else {
                KeyLayout::Bytes24
            },
            mac_required: has_mac,
            ..Profile::default()
        },
    };
    let added = ask(gateway, loyalty::Request::AddTerminal(terminal)).await;
    let key = KeyInjection {
        store: STORE.to_owned(),
        number: terminal_no.clone(),
        key: MASTER_KEY.to_owned(),
        second_part: None,
        check: None,
    };
    ask(gateway, loyalty::Request::InjectKey(key)).await;
    let seat = Seat {
        store_no: STORE.to_owned(),
        terminal_no,
        master: Key::parse_hex(MASTER_KEY).expect("a key"),
    };
    (added["index"].as_i64().expect("an index"), seat)
}

async fn add_cards(gateway: &Process, numbers: &[String], pin: Option<&str>) {
    let card = |number: &String| NewCard {
        pin: pin.map(str::to_owned),
        ..card(number, POINTS, PIECES)
    };
    add(gateway, numbers.iter().map(card).collect()).await;
}

/// Adds cards of the demo's members.
pub async fn add(gateway: &Process, cards: Vec<NewCard>) {
    let tenant = "demo".to_owned();
    ask(gateway, loyalty::Request::AddCards { tenant, cards }).await;
}

/// A member's card with so many points, and pieces of a voucher and a ticket.
pub fn card(number: &str, points: i64, pieces: i64) -> NewCard {
    let holding = |id, kind| Holding {
        id,
        kind,
        name: "tea".to_owned(),
        face: Fen::new(100),
        pieces,
        expires_at: None,
    };
    NewCard {
        number: number.to_owned(),
        status: CardStatus::Active,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default(),
        grade: 0,
        pin: None,
        points: Some(points.to_string()),
        points_expire_at: None,
        lots: Vec::new(),
        tickets: vec![
            holding(wish::VOUCHER, TicketKind::Voucher),
            holding(wish::TICKET, TicketKind::Cash),
        ],
        codes: Vec::new(),
    }
}
