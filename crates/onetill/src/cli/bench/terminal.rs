//! A connection of dialect 2: a terminal with its keys, batch and numbers, at which members show
//! their cards. It is opened and closed as a shop's day does it: with a batch of its own, and with
//! its own totals against the gateway's.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wire::jpos::operation::Version;
use wire::jpos::{Amount, Operation};
use wire::opengateway::call::Call;

use super::mix::{Dice, Kind, MemberKind, Shares};
use super::source::{Errand, Source};
use super::wire_client::Reply;
use super::{BenchArgs, BenchError, load};
use crate::cli::call::{Http, base_url};
use crate::simulate::dice;
use crate::simulate_till::cashier::{Cashier, OPERATOR};
use crate::simulate_till::line::Line;
use crate::simulate_till::report::Closing;
use crate::simulate_till::roster::{Member, Roster};
use crate::till::reply::read;
use crate::till::{Fate, Message, Purchase, Swipe};

/// Most cash of a sale, in fen.
const CASH_MAX_FEN: usize = 20_000;
/// Most that a sale pays in points, in fen: on average less than its cash earns.
const POINTS_MAX_FEN: usize = 100;
/// How long an answer may take while no load is measured.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many terminals are opened or closed at the same time.
const AT_ONCE: usize = 32;
const NO_CARDS: &str = "the roster has no cards";
/// What a settlement is called whose totals differ.
const UNBALANCED: &str = "UNBALANCED";

/// A terminal, and the members before it.
pub(super) struct Terminal {
    cashier: Cashier,
    shares: Shares<MemberKind>,
    dice: Dice,
    /// What was asked last.
    asked: MemberKind,
}

impl Terminal {
    /// The next message. Where the batch is closed, it is a check-in.
    pub(super) fn next(&mut self) -> Result<Errand, (Kind, String)> {
        let is_open = self.cashier.till().batch_no().is_some();
        self.asked = if is_open {
            self.shares.pick(self.dice.roll())
        } else {
            MemberKind::Checkin
        };
        let kind = Kind::Member(self.asked);
        let message = self.message(self.asked).map_err(|why| (kind, why))?;
        Ok(Errand {
            kind,
            call: call(message),
            sale: None,
        })
    }

    fn message(&mut self, kind: MemberKind) -> Result<Message, String> {
        let message = match kind {
            MemberKind::Consume => {
                let purchase = self.purchase()?;
                self.cashier.till().sell(&purchase)
            }
            MemberKind::Card => {
                let card = self.member()?.card_no;
                self.cashier.till().ask_card(&Swipe::typed(card))
            }
            MemberKind::Settle => self.cashier.till().settle(),
            MemberKind::Checkin => Ok(self.cashier.till().check_in(OPERATOR)),
        };
        message.map_err(|error| error.to_string())
    }

    /// A sale that is taken as carried out before it is sent: who sends many of them side by side
    /// asks for each answer himself.
    pub(super) fn sold(&mut self) -> Result<Call, String> {
        let message = self.message(MemberKind::Consume)?;
        self.cashier.till().ended(Fate::Done);
        Ok(call(message))
    }

    /// Forgets the first sale of its batch; says whether there was one.
    pub(super) fn forget(&mut self) -> bool {
        let journal = &mut self.cashier.till().journal;
        let first = journal.entries().first().map(|it| it.trace_no);
        first.is_some_and(|trace_no| journal.take_out(trace_no).is_some())
    }

    fn purchase(&mut self) -> Result<Purchase, String> {
        let member = self.member()?;
        let mut fen = |max| Amount::new(i64::try_from(self.dice.below(max) + 1).unwrap_or(1));
        Ok(Purchase {
            point_amount: fen(POINTS_MAX_FEN),
            cash_amount: fen(CASH_MAX_FEN),
            pin: member.pin,
            ..Purchase::new(Swipe::typed(member.card_no))
        })
    }

    fn member(&mut self) -> Result<Member, String> {
        let members = self.cashier.members();
        let member = members.get(self.dice.below(members.len()));
        member.cloned().ok_or_else(|| NO_CARDS.to_owned())
    }

    /// Takes the reply to the last message; the error is a wrong reply's code.
    pub(super) fn hear(&mut self, kind: Kind, reply: &Reply<'_>) -> Result<(), String> {
        if !reply.has_status(kind.right_code()) {
            self.miss();
            return Err(reply.status_code());
        }
        match self.asked {
            MemberKind::Consume => self.cashier.till().ended(Fate::Done),
            MemberKind::Card => {}
            MemberKind::Settle => {
                let read = read(Operation::Settle, reply.body.as_bytes());
                let till = self.cashier.till();
                till.answered(&read.map_err(|error| error.to_string())?);
                if till.batch_no().is_some() {
                    return Err(UNBALANCED.to_owned());
                }
            }
            MemberKind::Checkin => {
                let read = read(Operation::Checkin, reply.body.as_bytes());
                let read = read.map_err(|error| error.to_string())?;
                self.cashier.checked_in(&read)?;
            }
        }
        Ok(())
    }

    /// Takes it that the last message was not carried out. Nothing is reversed: what failed makes
    /// the run void, and shows at the settlement if it was carried out after all.
    pub(super) fn miss(&mut self) {
        self.cashier.till().ended(Fate::Refused);
    }

    /// Settles, with the journal if the totals differ.
    pub(super) async fn close(self) -> Result<Closing, BenchError> {
        let closed = self.cashier.close().await;
        let (_, closing) = closed.map_err(BenchError::Terminal)?;
        Ok(closing)
    }
}

fn call(message: Message) -> Call {
    Call {
        method: "POST",
        target: message.operation.path(Version::V1),
        body: message.body.into_bytes(),
    }
}

/// The first `count` terminals of the roster, each checked in to a batch of its own.
pub(super) async fn open(
    args: &BenchArgs,
    shares: &Shares<MemberKind>,
    count: usize,
) -> Result<Vec<Terminal>, BenchError> {
    let roster = roster(args, count)?;
    // Keys are only taken to a gateway that may be loaded.
    load::address(args).await?;
    let http = base_url(&args.url).and_then(|url| Http::new(&url, TIMEOUT, None));
    let http = Arc::new(http.map_err(|error| BenchError::Setting(error.to_string()))?);
    let (slots, members) = (Arc::new(Semaphore::new(AT_ONCE)), roster.members.into());
    let base = args.url.trim_end_matches('/');
    let mut dice = Dice::new(args.seed);
    let mut opening = JoinSet::new();
    for seat in roster.seats.into_iter().take(count) {
        let line = Line::new(Arc::clone(&http), base, Arc::clone(&slots));
        let day = dice::Dice::new(dice.roll());
        let cashier = Cashier::new(seat, line, Arc::clone(&members), day);
        let (shares, dice) = (shares.clone(), Dice::new(dice.roll()));
        opening.spawn(async move {
            Ok(Terminal {
                cashier: cashier.open().await.map_err(BenchError::Terminal)?,
                shares,
                dice,
                asked: MemberKind::Checkin,
            })
        });
    }
    let opened = opening.join_all().await;
    opened.into_iter().collect()
}

fn roster(args: &BenchArgs, count: usize) -> Result<Roster, BenchError> {
    let roster = match &args.roster {
        Some(directory) => Roster::read(directory).map_err(BenchError::Setting)?,
        None => Roster::demo(),
    };
    let (seats, hint) = (roster.seats.len(), "onetill simulate roster DIR");
    if seats < count {
        return Err(BenchError::Setting(format!(
            "{count} terminals are needed, one for each connection, and there are {seats}: \
             `{hint} --terminals {count}` adds more, --roster DIR names them"
        )));
    }
    if roster.members.is_empty() {
        return Err(BenchError::Setting(NO_CARDS.to_owned()));
    }
    Ok(roster)
}

/// Each of them as who asks behind a connection.
pub(super) fn sources(terminals: Vec<Terminal>) -> Vec<Source> {
    let boxed = terminals.into_iter().map(Box::new);
    boxed.map(Source::Terminal).collect()
}

/// Settles all terminals among them; says how many batches did not balance.
pub(super) async fn close(sources: Vec<Source>) -> Result<usize, BenchError> {
    let terminals = sources.into_iter().filter_map(Source::terminal);
    let closing: JoinSet<_> = terminals.map(Terminal::close).collect();
    let mut unbalanced = 0;
    for closed in closing.join_all().await {
        match closed? {
            Closing::Balanced => {}
            Closing::Compared { .. } => unbalanced += 1,
        }
    }
    Ok(unbalanced)
}
