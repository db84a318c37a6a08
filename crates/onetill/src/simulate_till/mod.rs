//! A shop's day at the tills of a real gateway: sales, voids, returns, tickets and PINs, answers
//! that are lost and reversed, and at the end each terminal's settlement with its own totals.
//!
//! Nothing here is inside the gateway: these are terminals as they stand in shops, over HTTP. What
//! they know of the outcome is only what they were answered, and that must agree to the last
//! hundredth.
//!
//! | module | holds |
//! |---|---|
//! | [`roster`] | which terminals and cards take part |
//! | [`mod@line`] | a terminal's line to the gateway, on which answers get lost |
//! | [`cashier`] | one terminal's day |
//! | [`undo`] | reversals, until they are through |
//! | [`closing`] | settlements, and the search for what differs |
//! | [`books`] | what each card must hold at the end |
//! | [`report`] | what came of it |

pub mod books;
pub mod cashier;
pub mod closing;
pub mod line;
pub mod report;
pub mod roster;
mod undo;

use crate::{cli::call::Http, simulate::dice::Dice};
use cashier::Cashier;
use indicatif::ProgressBar;
use line::Line;
use report::Report;
use roster::{Member, Seat};
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use tokio::{sync::Semaphore, task::JoinSet};

/// What is to be played.
pub struct Day {
    /// Where the gateway is, without a slash at the end.
    pub base: String,
    /// How it is reached.
    pub http: Http,
    /// The terminals.
    pub seats: Vec<Seat>,
    /// The cards that customers show.
    pub members: Vec<Member>,
    /// Transactions at each terminal.
    pub transactions: u64,
    /// How many messages of a thousand are lost, on the way there or back.
    pub jams_per_mille: u64,
    /// How many requests are under way at the same time.
    pub at_once: usize,
    /// Chance.
    pub seed: u64,
    /// One terminal forgets one transaction.
    pub plant: bool,
}

/// Plays the day.
///
/// # Errors
/// When a terminal cannot check in, a message cannot be made, or the gateway stays away.
pub async fn play(day: Day, progress: &ProgressBar) -> Result<Report, String> {
    let started = Instant::now();
    let mut dice = Dice::new(day.seed);
    let (transactions, is_planted) = (day.transactions, day.plant);
    let mut cashiers = each(hire(day, &mut dice), Cashier::open).await?;
    let before;
    (cashiers, before) = balances(cashiers).await?;
    let opened = Instant::now();
    let work = |it: Cashier| it.work(transactions, progress.clone());
    cashiers = each(cashiers, work).await?;
    let worked = opened.elapsed();
    let after;
    (cashiers, after) = balances(cashiers).await?;
    let mut report = Report::new();
    if is_planted {
        report.plant(plant(&mut cashiers, &mut dice));
    }
    for (tally, closing) in each(cashiers, Cashier::close).await? {
        report.add(tally, closing);
    }
    report.compare_cards(&before, &after);
    report.worked = worked;
    report.took = started.elapsed();
    Ok(report)
}

fn hire(day: Day, dice: &mut Dice) -> Vec<Cashier> {
    let slots = Arc::new(Semaphore::new(day.at_once.max(1)));
    let http = Arc::new(day.http);
    let members: Arc<[Member]> = day.members.into();
    let cashiers = day.seats.into_iter().map(|seat| {
        let line = Line::new(Arc::clone(&http), &day.base, Arc::clone(&slots));
        let line = line.jammed(day.jams_per_mille, Dice::new(dice.roll()));
        Cashier::new(seat, line, Arc::clone(&members), Dice::new(dice.roll()))
    });
    cashiers.collect()
}

/// Lets all of them do the same side by side, and hands on what they bring, in their order.
async fn each<C, T, F>(cashiers: Vec<C>, work: impl Fn(C) -> F) -> Result<Vec<T>, String>
where
    T: Send + 'static,
    F: Future<Output = Result<T, String>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (place, cashier) in cashiers.into_iter().enumerate() {
        let working = work(cashier);
        running.spawn(async move { (place, working.await) });
    }
    let mut done = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        let (place, result) = ended.map_err(|error| error.to_string())?;
        done.insert(place, result?);
    }
    Ok(done.into_values().collect())
}

/// What each card holds, as one of the terminals is told: each asks for its share of the cards.
async fn balances(cashiers: Vec<Cashier>) -> Result<(Vec<Cashier>, books::Balances), String> {
    let shares = cashiers.len();
    let mut asked = Vec::with_capacity(shares);
    let mut all = books::Balances::new();
    let shared = cashiers.into_iter().zip(0..).collect();
    for (cashier, held) in each(shared, move |(it, share)| it.balances(share, shares)).await? {
        asked.push(cashier);
        all.extend(held);
    }
    Ok((asked, all))
}

/// Makes one terminal forget one of its transactions; says which, if any has one.
fn plant(cashiers: &mut [Cashier], dice: &mut Dice) -> Option<report::Planted> {
    let start = usize::try_from(dice.roll() % cashiers.len().max(1) as u64).unwrap_or(0);
    let (left, right) = cashiers.split_at_mut(start);
    let mut all = right.iter_mut().chain(left);
    all.find_map(|it| it.forget(dice))
}
