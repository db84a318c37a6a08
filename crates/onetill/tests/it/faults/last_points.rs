//! Two gateways on one database, and what two terminals want of one card at the same moment: one
//! gets it. And a message at one gateway with its reversal at the other: whichever comes first, the
//! message does not stand.

use super::{
    fleet::Fleet,
    terminals::{add, add_terminal, ask, card},
};
use crate::support::process::{Client, Process};
use domain::loyalty::program::Limits;
use onetill::{
    admin::loyalty::{self, cards::CardName, program_changes::ProgramPatch},
    simulate::terminal::wish::TICKET,
    simulate_till::roster::Seat,
    till::{Message, Purchase, Swipe, Till, reply::read},
};
use serde_json::{Value, json};
use std::time::Duration;
use store::testing::TestCluster;
use tokio::time::sleep;
use wire::jpos::{Amount, Body, Reply, Status, Version, reply::SettleFlag};

const ROUNDS: u32 = 30;
/// What is wanted, in fen, and what it costs in points.
const WANTED_FEN: i64 = 500;
const WANTED_POINTS: i64 = 500;

/// A terminal, and its way to both gateways.
struct Post {
    till: Till,
    clients: [Client; 2],
    at: usize,
}

impl Post {
    /// A new terminal that has checked in at the gateway `at`.
    async fn open(fleet: &Fleet, number: u32, at: usize) -> Self {
        let (_, seat) = add_terminal(&fleet.gateways[0], number).await;
        let Seat {
            store_no,
            terminal_no,
            master,
        } = seat;
        let mut post = Self {
            till: Till::new(&store_no, &terminal_no),
            clients: [fleet.gateways[0].client(), fleet.gateways[1].client()],
            at,
        };
        let reply = post.send(&post.till.check_in("001")).await;
        let Body::Checkin(keys) = &reply.body else {
            panic!("a check-in");
        };
        post.till.checked_in(keys, &master).unwrap();
        post
    }

    async fn send(&mut self, message: &Message) -> Reply {
        say(&mut self.clients[self.at], message).await
    }

    /// Sends a message to its gateway and takes the answer.
    async fn ask(&mut self, message: &Message) -> &'static str {
        let reply = self.send(message).await;
        self.till.answered(&reply);
        self.till.learn(&reply.body);
        reply.outcome.status().code()
    }

    /// A sale paid in points.
    fn sale(&mut self, card_no: &str) -> Message {
        let sale = Purchase {
            point_amount: Amount::new(WANTED_FEN),
            ..Purchase::new(Swipe::typed(card_no))
        };
        self.till.sell(&sale).unwrap()
    }

    fn redemption(&mut self, card_no: &str) -> Message {
        let card = Swipe::typed(card_no);
        self.till.redeem(&card, &[(TICKET, None, 1)]).unwrap()
    }

    /// Settles; the terminal's totals are the gateways'.
    async fn settle(mut self) {
        let message = self.till.settle().unwrap();
        let reply = self.send(&message).await;
        let Body::Settle(settled) = &reply.body else {
            panic!("a settlement");
        };
        assert_eq!(settled.flag, Some(SettleFlag::Balanced), "{settled:?}");
    }
}

async fn say(client: &mut Client, message: &Message) -> Reply {
    let target = message.operation.path(Version::V1);
    let reply = client.post_form(&target, &message.body).await.unwrap();
    read(message.operation, &reply.body).unwrap()
}

/// What a card has: its points as a text, and the pieces of its ticket.
async fn held(gateway: &Process, number: &str) -> (String, i64) {
    let name = CardName {
        tenant: "demo".to_owned(),
        number: number.to_owned(),
    };
    let shown = ask(gateway, loyalty::Request::ShowCard(name)).await;
    let tickets = shown["tickets"].as_array().unwrap().iter();
    let mut pieces = tickets.filter(|it| it["id"] == TICKET && it["kind"] != "Voucher");
    let pieces = pieces.next().map_or(0, |it| it["pieces"].as_i64().unwrap());
    (shown["points"].as_str().unwrap().to_owned(), pieces)
}

async fn set_limits(gateway: &Process, limits: Limits) {
    let rules: Value = json!({ "card_limits": limits });
    let patch = ProgramPatch {
        tenant: "demo".to_owned(),
        by: "test".to_owned(),
        rules: rules.as_object().cloned().expect("an object"),
    };
    ask(gateway, loyalty::Request::PatchProgram(patch)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_card_is_spent_once_through_two_gateways() {
    let cluster = tokio::task::spawn_blocking(TestCluster::start).await;
    let cluster = cluster.unwrap().expect("PostgreSQL is installed");
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet::shared(dir.path(), &cluster.database().unwrap()).await;
    let mut one = Post::open(&fleet, 1, 0).await;
    let mut other = Post::open(&fleet, 2, 1).await;
    the_last_points_go_to_one(&fleet, &mut one, &mut other).await;
    the_last_piece_goes_to_one(&fleet, &mut one, &mut other).await;
    a_reversal_and_its_message_end_alike(&fleet, &mut one).await;
    the_days_limit_is_one(&fleet, &mut one, &mut other).await;
    one.settle().await;
    other.settle().await;
    fleet.look().await.audit().await;
}

/// Both at the same moment, each at its gateway: what they are answered, sorted.
async fn both(one: &mut Post, other: &mut Post, messages: [Message; 2]) -> [&'static str; 2] {
    let [first, second] = &messages;
    let (first, second) = tokio::join!(one.ask(first), other.ask(second));
    let mut codes = [first, second];
    codes.sort_unstable();
    codes
}

async fn the_last_points_go_to_one(fleet: &Fleet, one: &mut Post, other: &mut Post) {
    for round in 0..ROUNDS {
        let number = format!("66{round:014}");
        add(&fleet.gateways[0], vec![card(&number, WANTED_POINTS, 1)]).await;
        let messages = [one.sale(&number), other.sale(&number)];
        assert_eq!(both(one, other, messages).await, ["00", "51"], "{round}");
        assert_eq!(held(&fleet.gateways[0], &number).await.0, "0.00");
    }
}

async fn the_last_piece_goes_to_one(fleet: &Fleet, one: &mut Post, other: &mut Post) {
    for round in 0..ROUNDS {
        let number = format!("66{round:014}");
        for post in [&mut *one, &mut *other] {
            let question = post.till.ask_tickets(&Swipe::typed(number.as_str()));
            let reply = post.send(&question.unwrap()).await;
            post.till.learn(&reply.body);
        }
        let messages = [one.redemption(&number), other.redemption(&number)];
        assert_eq!(both(one, other, messages).await, ["00", "51"], "{round}");
        assert_eq!(held(&fleet.gateways[0], &number).await.1, 0);
    }
}

/// At once, the message first, or its reversal first.
async fn a_reversal_and_its_message_end_alike(fleet: &Fleet, post: &mut Post) {
    let first = (Status::Approved, Status::Approved);
    let late = (Status::NotAllowed, Status::OriginalMissing);
    for round in 0..ROUNDS {
        let number = format!("55{round:014}");
        add(&fleet.gateways[0], vec![card(&number, WANTED_POINTS, 1)]).await;
        let message = post.sale(&number);
        let reversal = post.till.reverse().unwrap();
        // Round by round it is another gateway that hears of the message.
        let [one, other] = &mut post.clients;
        let (here, there) = if round % 2 == 0 {
            (one, other)
        } else {
            (other, one)
        };
        let status = async |client: &mut Client, what: &Message| {
            let reply = say(client, what).await;
            reply.outcome.status()
        };
        let said = match round % 3 {
            0 => tokio::join!(status(here, &message), status(there, &reversal)),
            1 => (status(here, &message).await, status(there, &reversal).await),
            _ => {
                let reversed = status(there, &reversal).await;
                (status(here, &message).await, reversed)
            }
        };
        let explained = [&[first, late][..], &[first], &[late]];
        let explained = explained[usize::try_from(round % 3).unwrap()];
        assert!(explained.contains(&said), "{round}: {said:?}");
        // However often either comes again, it ends as it was.
        for _ in 0..2 {
            assert_eq!(status(here, &reversal).await, said.1);
            assert_eq!(status(there, &message).await, Status::NotAllowed);
        }
        assert!(post.till.reversed(said.1));
        let points = format!("{WANTED_POINTS}.00");
        assert_eq!(held(&fleet.gateways[1], &number).await, (points, 1));
    }
}

async fn the_days_limit_is_one(fleet: &Fleet, one: &mut Post, other: &mut Post) {
    let once = Limits {
        count_per_day: Some(1),
        ..Limits::default()
    };
    set_limits(&fleet.gateways[0], once).await;
    knows_the_limit(fleet, other).await;
    for round in 0..ROUNDS {
        let number = format!("44{round:014}");
        add(
            &fleet.gateways[0],
            vec![card(&number, 10 * WANTED_POINTS, 1)],
        )
        .await;
        let messages = [one.sale(&number), other.sale(&number)];
        assert_eq!(both(one, other, messages).await, ["00", "65"], "{round}");
    }
}

/// The other gateway reads the program every two seconds.
async fn knows_the_limit(fleet: &Fleet, post: &mut Post) {
    let number = format!("33{:014}", 0);
    add(
        &fleet.gateways[0],
        vec![card(&number, 1_000 * WANTED_POINTS, 1)],
    )
    .await;
    for _ in 0..500 {
        let message = post.sale(&number);
        if post.ask(&message).await == "65" {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("the other gateway never heard of the limit");
}
