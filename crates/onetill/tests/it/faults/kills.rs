//! Gateways are killed at random moments under a mixed load of merchants' tills, of partners who sell
//! and void the vouchers' codes that those tills take, and of terminals with members' cards; and the
//! wallet they share hangs now and then. Nothing that was acknowledged
//! is lost, nothing happens twice, what was open is finished after the restart, and in the end the
//! wallet's books and the gateways' agree to the fen, each batch balances, each card holds what its
//! terminals were told to the hundredth, and each code is used by those whose tills were told so.
//!
//! `ONETILL_KILL_ROUNDS` sets how many kills, `ONETILL_SEED` repeats the choices of a run.

use super::{
    dice::Dice,
    fleet::{Fleet, Look},
    receiver::Receiver,
    sale::How,
    terminals::Terminals,
    till::Till,
    verdict::{Counts, End, judge, judge_end, twice},
    vouchers::Vouchers,
    witness::Wallet,
};
use crate::support::process::{DEMO_KEY, Process, all_files};
use domain::recharge::Recharge;
use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};
use store::{
    gate::{Acknowledged, Moment},
    testing::TestCluster,
};
use tokio::{sync::watch, task::JoinSet};

const TILLS: usize = 16;
const ROUNDS: u32 = 15;
/// After so many rounds all ends and the books are compared: the wallet remembers its last
/// 200,000 payments only.
const ROUNDS_A_BOOK: u32 = 100;
/// How long what was left open may take to end after the last restart.
const END_MAX: Duration = Duration::from_secs(120);
/// How long the wallet hangs when it does: less than a gateway waits for an answer.
const HANG: Duration = Duration::from_secs(1);

/// Who dies at the end of a round.
#[derive(Clone, Copy, Debug)]
enum Victim {
    One(usize),
    All,
    /// One gateway, and PostgreSQL restarts as after a power cut.
    OneAndDatabase(usize),
}

/// What happens in a round.
struct Blow {
    victim: Victim,
    /// The wallet stands still around the kill.
    hangs: bool,
}

struct Run {
    what: &'static str,
    fleet: Fleet,
    cluster: Option<TestCluster>,
    receiver: Receiver,
    tills: Vec<Till>,
    terminals: Terminals,
    vouchers: Vouchers,
    dice: Dice,
    kills: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_gateway_loses_nothing_it_acknowledged_when_it_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet::embedded(dir.path()).await;
    let mut run = Run::new("embedded kills", fleet, None).await;
    run.rounds(|_, _| Victim::One(0)).await;
    assert_no_secrets_below(dir.path(), &run.tills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_on_one_database_lose_nothing_when_either_or_the_database_is_killed() {
    let cluster = tokio::task::spawn_blocking(TestCluster::start).await;
    let cluster = cluster.unwrap().expect("PostgreSQL is installed");
    let url = cluster.database().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet::shared(dir.path(), &url).await;
    let mut run = Run::new("shared kills", fleet, Some(cluster)).await;
    run.rounds(|round, dice| {
        let one = usize::from(dice.percent(50));
        match round % 5 {
            3 => Victim::OneAndDatabase(one),
            4 => Victim::All,
            _ => Victim::One(one),
        }
    })
    .await;
    assert_no_secrets_below(dir.path(), &run.tills);
}

impl Run {
    async fn new(what: &'static str, fleet: Fleet, cluster: Option<TestCluster>) -> Self {
        let seed = Dice::seed(what);
        let receiver = Receiver::start().await;
        let url = receiver.url();
        let vouchers = Vouchers::open(&fleet).await;
        let tills = (0..TILLS).map(|number| {
            let gateway = &fleet.gateways[number % fleet.gateways.len()];
            let wallet = fleet.wallet.recipe.address;
            let address = gateway.recipe.address;
            Till::new(number, address, wallet, &url, &vouchers.pool, seed)
        });
        Self {
            tills: tills.collect(),
            vouchers,
            terminals: Terminals::open(&fleet, seed).await,
            what,
            fleet,
            cluster,
            receiver,
            dice: Dice::new(seed),
            kills: 0,
        }
    }

    async fn rounds(&mut self, choose: impl Fn(u32, &mut Dice) -> Victim) {
        let rounds = std::env::var("ONETILL_KILL_ROUNDS").ok();
        let rounds = rounds.and_then(|it| it.parse().ok()).unwrap_or(ROUNDS);
        for round in 0..rounds {
            let victim = choose(round, &mut self.dice);
            let hangs = self.dice.percent(20);
            self.round(round, &Blow { victim, hangs }).await;
            if (round + 1) % ROUNDS_A_BOOK == 0 || round + 1 == rounds {
                self.end().await;
                self.fleet.wallet.restart().await;
            }
        }
    }

    async fn round(&mut self, round: u32, blow: &Blow) {
        let started = Instant::now();
        self.load_and_strike(round, blow).await;
        let back = started.elapsed();
        let judged = self.judge().await;
        let again = self.ask_again().await;
        let took = started.elapsed();
        let hung = if blow.hangs { ", the wallet hung" } else { "" };
        println!(
            "round {round}: {:?}{hung}, judged {judged}, asked again {again}, {back:.1?} {took:.1?}",
            blow.victim
        );
    }

    /// Lets all tills work, kills somebody meanwhile, and starts it again.
    async fn load_and_strike(&mut self, round: u32, blow: &Blow) {
        let (stop, stopped) = watch::channel(false);
        let mut working = JoinSet::new();
        for mut till in std::mem::take(&mut self.tills) {
            till.round = round;
            // One customer of the gateway that dies hesitates.
            till.slow_next = till.number == blow.victim.first();
            working.spawn(till.work(stopped.clone()));
        }
        let at_terminals = self.terminals.work(&stopped);
        let at_desks = self.vouchers.work(round, &stopped);
        self.strike(blow).await;
        stop.send_replace(true);
        let all = async {
            tokio::join!(
                working.join_all(),
                at_terminals.join_all(),
                at_desks.join_all()
            )
        };
        let all = tokio::time::timeout(Duration::from_secs(60), all).await;
        let (tills, terminals, desks) = all.expect("everybody stops when told to");
        self.vouchers.come_back(desks);
        self.tills = tills;
        self.tills.sort_by_key(|till| till.number);
        self.terminals.come_back(terminals);
        for index in blow.victim.gateways(self.fleet.gateways.len()) {
            self.fleet.gateways[index].restart().await;
        }
        for gateway in &self.fleet.gateways {
            // The one that lived through a restart of the database has to find it again.
            wait_ready(gateway).await;
        }
    }

    /// After some load, kills the victim; a wallet that hangs does so before and after.
    async fn strike(&mut self, blow: &Blow) {
        let load_ms = 300 + self.dice.below(900);
        let before_ms = self
            .dice
            .below(u64::try_from(HANG.as_millis()).expect("a short time"));
        tokio::time::sleep(Duration::from_millis(load_ms)).await;
        if blow.hangs {
            self.fleet.wallet.pause();
            tokio::time::sleep(Duration::from_millis(before_ms)).await;
        }
        self.kill(blow.victim).await;
        if blow.hangs {
            tokio::time::sleep(HANG - Duration::from_millis(before_ms)).await;
            self.fleet.wallet.resume();
        }
        // What the others have in flight may end; then their clients hang up.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    async fn kill(&mut self, victim: Victim) {
        for index in victim.gateways(self.fleet.gateways.len()) {
            self.fleet.gateways[index].kill9();
        }
        self.kills += 1;
        if let Victim::OneAndDatabase(_) = victim
            && let Some(mut cluster) = self.cluster.take()
        {
            let restarted =
                tokio::task::spawn_blocking(move || cluster.restart().map(|()| cluster)).await;
            self.cluster = Some(restarted.unwrap().expect("PostgreSQL starts again"));
        }
    }

    /// Judges what the last round touched, through every gateway in turn, and holds the rows against it.
    async fn judge(&mut self) -> usize {
        let look = self.fleet.look().await;
        let recharges = look.recharges().await;
        let recharges = by_phone(&recharges);
        let gateways: Vec<_> = self
            .fleet
            .gateways
            .iter()
            .map(|it| it.recipe.address)
            .collect();
        let judged = self.tills.iter().map(|till| {
            let other = gateways[(till.number + 1) % gateways.len()];
            judge(till, other, &look, &recharges)
        });
        let judged: usize = futures_util::future::join_all(judged)
            .await
            .into_iter()
            .sum();
        look.gate(&self.told(&look), Moment::Running).await;
        judged
    }

    /// What everybody was told.
    fn told(&self, look: &Look) -> Acknowledged {
        let mut told = look.acknowledged(&self.tills);
        self.terminals.acknowledge(&mut told);
        told
    }

    async fn ask_again(&mut self) -> usize {
        let again = self.tills.iter_mut().map(Till::ask_again);
        let again = futures_util::future::join_all(again).await;
        let again: usize = again.into_iter().map(|it| it.expect("a reply")).sum();
        again + self.terminals.ask_again().await + self.vouchers.ask_again().await
    }

    /// Everything ends, every merchant hears of it, and all books are right and the same.
    async fn end(&mut self) {
        self.terminals.close().await;
        let look = self.fleet.look().await;
        let took = look.finished(END_MAX).await;
        let ledger = look.ledger().await;
        let recharges = by_phone(&ledger.recharges);
        let (mut end, mut counts) = (End::default(), Counts::default());
        for till in &self.tills {
            let heard = |number: &str| self.receiver.acknowledged(number);
            end.add(judge_end(till, &look, &recharges, heard).await);
            till.sales.iter().for_each(|sale| counts.add(sale));
            till.top_ups.iter().for_each(|it| counts.add_top_up(it));
        }
        look.gate(&self.told(&look), Moment::AtRest).await;
        self.terminals.compare_cards(look.reader()).await;
        let vouchers = self.vouchers.compare(&self.tills).await;
        self.serials_are_unique();
        let twice = twice(&ledger);
        // Told to end, the wallet writes all it has in mind: its files are then its whole books.
        assert!(self.fleet.wallet.terminate().await.success());
        let wallet = Wallet::open(&self.fleet.wallet.recipe.data);
        let agreement = wallet.agrees_with(&ledger).await;
        println!("{counts:?}, {end:?}; the wallet has the same: {agreement:?}");
        println!(
            "{}: {} kills, {} sales, {} acknowledged, {} found again, {twice} twice, gate clean, \
             wallet equal, all ended after {took:.1?}",
            self.what,
            self.kills,
            counts.sales,
            counts.acknowledged(),
            end.found
        );
        println!("{}: terminals: {:?}", self.what, self.terminals.tally());
        println!("{}: vouchers: {vouchers:?}", self.what);
        assert_eq!((end.found, twice), (counts.acknowledged(), 0));
        self.load_was_mixed(&counts);
        let kinds = [
            vouchers.changed,
            vouchers.in_use,
            vouchers.used,
            vouchers.given_back,
        ];
        let few = self.kills / 3;
        assert!(kinds.iter().all(|it| *it > few), "{vouchers:?}");
    }

    /// A run that did little proves little.
    fn load_was_mixed(&self, counts: &Counts) {
        let kinds = [
            counts.paid / 4,
            counts.refunded,
            counts.cancelled,
            counts.topped_up,
        ];
        assert!(kinds.iter().all(|it| *it > self.kills / 2), "{counts:?}");
        assert!(
            counts.unanswered <= 4 * self.kills,
            "asked again: {counts:?}"
        );
        let tally = self.terminals.tally();
        let kills = u64::try_from(self.kills).expect("a small number");
        let kinds = [
            tally.approved / 4,
            tally.declined,
            tally.undone,
            tally.settled,
        ];
        assert!(kinds.iter().all(|it| *it > kills / 2), "{tally:?}");
    }

    fn serials_are_unique(&self) {
        let mut seen = HashMap::new();
        for sale in self.tills.iter().flat_map(|till| &till.sales) {
            if let Some(serial) = &sale.gateway_serial {
                let earlier = seen.insert(serial.clone(), sale.number.clone());
                assert_eq!(earlier, None, "{serial} was issued twice");
            }
        }
    }
}

fn by_phone(recharges: &[Recharge]) -> HashMap<&str, &Recharge> {
    recharges.iter().map(|it| (&*it.phone, it)).collect()
}

impl Victim {
    /// The gateway that dies in any case.
    const fn first(self) -> usize {
        match self {
            Self::One(index) | Self::OneAndDatabase(index) => index,
            Self::All => 0,
        }
    }

    fn gateways(self, count: usize) -> Vec<usize> {
        match self {
            Self::One(index) | Self::OneAndDatabase(index) => vec![index],
            Self::All => (0..count).collect(),
        }
    }
}

async fn wait_ready(gateway: &Process) {
    let started = Instant::now();
    while !gateway.is_ready().await {
        assert!(
            started.elapsed() < Duration::from_secs(15),
            "not ready again:\n{}",
            gateway.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// No log, no database file and no journal below `dir` holds a merchant's key, and no log a
/// customer's code. What `serve --demo` prints for people is no log: it shows the demo's key.
fn assert_no_secrets_below(dir: &Path, tills: &[Till]) {
    let is = |path: &Path, what: &str| path.extension().is_some_and(|it| it == what);
    let mut logs = 0;
    for (path, bytes) in all_files(dir) {
        if is(&path, "out") {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let name = path.display();
        assert!(!text.contains(DEMO_KEY), "{name} holds a merchant's key");
        if !is(&path, "log") {
            continue;
        }
        logs += 1;
        for sale in tills.iter().flat_map(|till| &till.sales) {
            if let How::PayerCode(code) = &sale.how {
                assert!(!text.contains(code), "{name} holds a customer's code");
            }
        }
    }
    assert!(logs > 0, "there are logs to look at");
}
