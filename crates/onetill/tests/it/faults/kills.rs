//! Gateways are killed at random moments under a mixed load. Nothing that was acknowledged is
//! lost, nothing happens twice, and what was open is finished after the restart.

use super::{
    dice::Dice,
    fleet::{Fleet, Look},
    receiver::Receiver,
    sale::How,
    till::Till,
    verdict::{Counts, judge, judge_end},
    witness::{Kill, Wallet},
};
use crate::support::process::{DEMO_KEY, all_files};
use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};
use store::testing::TestCluster;
use tokio::{sync::watch, task::JoinSet};

const TILLS: usize = 16;
const ROUNDS: u32 = 10;
/// How long what was left open may take to end after the last restart.
const END_MAX: Duration = Duration::from_secs(60);

/// Who dies at the end of a round.
#[derive(Clone, Copy, Debug)]
enum Victim {
    One(usize),
    All,
    /// One gateway, and PostgreSQL restarts as after a power cut.
    OneAndDatabase(usize),
}

struct Run {
    fleet: Fleet,
    cluster: Option<TestCluster>,
    receiver: Receiver,
    tills: Vec<Till>,
    dice: Dice,
    kills: Vec<Kill>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_gateway_loses_nothing_it_acknowledged_when_it_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet::embedded(dir.path()).await;
    let mut run = Run::new("embedded kills", fleet, None).await;
    run.rounds(|_, _| Victim::One(0)).await;
    run.end().await;
    run.compare_with_wallet().await;
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
    run.end().await;
    run.serials_are_unique();
    assert_no_secrets_below(dir.path(), &run.tills);
}

impl Run {
    async fn new(what: &str, fleet: Fleet, cluster: Option<TestCluster>) -> Self {
        let seed = Dice::seed(what);
        let receiver = Receiver::start().await;
        let url = receiver.url();
        let tills = (0..TILLS).map(|number| {
            let gateway = &fleet.gateways[number % fleet.gateways.len()];
            Till::new(number, gateway.recipe.address, &url, seed)
        });
        Self {
            tills: tills.collect(),
            fleet,
            cluster,
            receiver,
            dice: Dice::new(seed),
            kills: Vec::new(),
        }
    }

    async fn rounds(&mut self, choose: impl Fn(u32, &mut Dice) -> Victim) {
        let rounds = std::env::var("ONETILL_KILL_ROUNDS").ok();
        let rounds = rounds.and_then(|it| it.parse().ok()).unwrap_or(ROUNDS);
        for round in 0..rounds {
            let victim = choose(round, &mut self.dice);
            let started = Instant::now();
            self.load_and_kill(round, victim).await;
            let back = started.elapsed();
            let judged = self.judge().await;
            let again = self.ask_again().await;
            let took = started.elapsed();
            println!(
                "round {round}: {victim:?}, judged {judged}, asked again {again}, {back:.1?} {took:.1?}"
            );
        }
    }

    /// Lets all tills work, kills somebody meanwhile, and starts it again.
    async fn load_and_kill(&mut self, round: u32, victim: Victim) {
        let (stop, stopped) = watch::channel(false);
        let mut working = JoinSet::new();
        let slow = match victim {
            Victim::One(index) | Victim::OneAndDatabase(index) => index,
            Victim::All => 0,
        };
        for mut till in std::mem::take(&mut self.tills) {
            till.round = round;
            // One customer of the gateway that dies hesitates.
            till.slow_next = till.number == slow;
            working.spawn(till.work(stopped.clone()));
        }
        let load_ms = 300 + self.dice.below(900);
        tokio::time::sleep(Duration::from_millis(load_ms)).await;
        self.kill(victim).await;
        // What the others have in flight may end; then their clients hang up.
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.send_replace(true);
        let all = tokio::time::timeout(Duration::from_secs(30), working.join_all()).await;
        self.tills = all.expect("every till stops when told to");
        self.tills.sort_by_key(|till| till.number);
        for index in victim.gateways(self.fleet.gateways.len()) {
            self.fleet.gateways[index].restart().await;
        }
        for gateway in &self.fleet.gateways {
            // The one that lived through a restart of the database has to find it again.
            wait_ready(gateway).await;
        }
    }

    async fn kill(&mut self, victim: Victim) {
        for index in victim.gateways(self.fleet.gateways.len()) {
            self.fleet.gateways[index].kill9();
        }
        self.kills.push(Kill::now());
        if let Victim::OneAndDatabase(_) = victim
            && let Some(mut cluster) = self.cluster.take()
        {
            let restarted =
                tokio::task::spawn_blocking(move || cluster.restart().map(|()| cluster)).await;
            self.cluster = Some(restarted.unwrap().expect("PostgreSQL starts again"));
        }
    }

    /// Judges what the last round touched, through every gateway in turn, and audits.
    async fn judge(&mut self) -> usize {
        let look = self.fleet.look().await;
        let gateways: Vec<_> = self
            .fleet
            .gateways
            .iter()
            .map(|it| it.recipe.address)
            .collect();
        let judged = self.tills.iter().map(|till| {
            let other = gateways[(till.number + 1) % gateways.len()];
            judge(till, other, &look)
        });
        let judged: usize = futures_util::future::join_all(judged)
            .await
            .into_iter()
            .sum();
        look.audit().await;
        judged
    }

    async fn ask_again(&mut self) -> usize {
        let again = self.tills.iter_mut().map(Till::ask_again);
        let again = futures_util::future::join_all(again).await;
        again.into_iter().map(|it| it.expect("a reply")).sum()
    }

    /// Everything ends, every merchant hears of it, and the books are right.
    async fn end(&mut self) {
        let look = self.fleet.look().await;
        let took = look.finished(END_MAX).await;
        let (mut notified, mut twice) = (0, 0);
        let mut counts = Counts::default();
        for till in &self.tills {
            let heard = |number: &str| self.receiver.acknowledged(number);
            let (till_notified, till_twice) = judge_end(till, &look, heard).await;
            notified += till_notified;
            twice += till_twice;
            till.sales.iter().for_each(|sale| counts.add(sale));
        }
        let report = look.audit().await;
        println!("all ended {took:.1?} after the last restart; {counts:?}");
        println!(
            "notified of {notified}, of {twice} more than once; {:?}",
            report.counts
        );
        assert!(counts.paid > 100 && counts.refunded > 10 && counts.cancelled > 5);
        assert!(
            counts.unanswered <= 4 * self.kills.len(),
            "asked again: {counts:?}"
        );
    }

    /// The wallet's books say the same as the gateway's.
    async fn compare_with_wallet(&mut self) {
        let gateway = &mut self.fleet.gateways[0];
        assert!(gateway.terminate().await.success());
        let wallet = Wallet::open(&gateway.recipe.data);
        let look: Look = self.fleet.look().await;
        wallet.charged_nobody_unrecorded(&look).await;
        let sales: Vec<_> = self.tills.iter().flat_map(|till| &till.sales).collect();
        let comparison = wallet.compare(&sales, &self.kills, &look).await;
        println!("the wallet's books: {comparison:?}");
        assert!(comparison.forgotten <= 32 * self.kills.len());
    }

    fn serials_are_unique(&self) {
        let mut seen = HashMap::new();
        for sale in self.tills.iter().flat_map(|till| &till.sales) {
            if let Some(serial) = &sale.gateway_serial {
                let earlier = seen.insert(serial.clone(), sale.number.clone());
                assert_eq!(earlier, None, "{serial} was issued twice");
            }
        }
        println!("{} gateway serials, all different", seen.len());
    }
}

impl Victim {
    fn gateways(self, count: usize) -> Vec<usize> {
        match self {
            Self::One(index) | Self::OneAndDatabase(index) => vec![index],
            Self::All => (0..count).collect(),
        }
    }
}

async fn wait_ready(gateway: &crate::support::process::Process) {
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
