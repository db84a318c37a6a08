//! The real program in a world of faults that one seed drives.
//!
//! Decisions, engine, use cases, dialect and workers are the product's own. Everything around them
//! is simulated and follows from the seed: the time and its jumps, the store's failures and lost
//! answers, processes that are killed at any touch of the world and started again over what
//! survives, a wallet that is late, silent or changes its mind, receivers, payers, and tills that
//! ask at the same time, ask again, and go away. The same seed gives the same run, event by event,
//! which the digest of its log shows.
//!
//! Each reply must be explained by the [`model`] of its sale, or of its terminal. At the end faults stop, everything
//! must end, the wallet's books must be the gateway's to the fen, and the [gate](store::gate) must
//! find every promise kept.
//!
//! | module | holds |
//! |---|---|
//! | [`mix`] | what a seed makes likely |
//! | [`world`], [`dice`] | clock, chance, log, the first failure |
//! | [`pulse`], [`node`] | processes, and their deaths |
//! | [`rows`], [`writer`], [`reader`] | the stores, and their faults |
//! | [`wallet`], [`receiver`] | the other side of each call the gateway makes |
//! | [`counter`], [`sale`], [`top_up`] | tills, and what they are told |
//! | [`model`] | what a till may be told |
//! | [`terminal`], [`terminals`] | terminals of dialect 2 with members' cards, and their model |
//! | [`voucher`] | partners of dialect 3 with stock, codes that pay, and the model of a code |
//! | [`ending`] | what must hold at the end |

pub mod counter;
pub mod dice;
pub mod ending;
pub mod mix;
pub mod model;
pub mod node;
pub mod pulse;
pub mod reader;
pub mod receiver;
pub mod rows;
pub mod sale;
pub mod terminal;
pub mod terminals;
pub mod top_up;
pub mod voucher;
pub mod wallet;
pub mod world;
pub mod writer;

use crate::{app::directory::Directory, vault::Vault};
use counter::{Counter, Shop};
use domain::{
    ids::{MerchantNo, TenantId},
    merchant::{Merchant, MerchantSettings, Tenant},
    time::UnixMs,
};
use node::{CHANNEL, Nodes, Surroundings};
use receiver::Receiver;
use rows::Rows;
use sale::Sale;
use std::{fmt, sync::Arc};
use store::{AdminOp, StoreError, Writer};
use terminals::Terminals;
use tokio::task::JoinSet;
use voucher::{Vouchers, market::Market};
use wallet::Wallet;
use wire::opengateway::MerchantKey;
use world::{Counts, Failure, World};

/// The master key of every run; it seals nothing that is worth anything.
const MASTER_KEY: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// The key of every merchant of a run.
const KEY: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
/// How many events a failure tells.
const TOLD_MAX: usize = 40;

/// What a run came to.
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// How often things happened.
    pub counts: Counts,
    /// The digest of its log, in hex.
    pub digest: String,
    /// Its log.
    pub lines: Vec<String>,
    /// What went wrong first, if anything did.
    pub failure: Option<Failure>,
}

/// A run could not be set up: nothing is known of the program.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is no runtime for it.
    #[error("no runtime: {0}")]
    Runtime(std::io::Error),
    /// Its store cannot be set up.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its merchants' or terminals' keys cannot be sealed.
    #[error("no master key")]
    Vault,
    /// Its terminals, cards or vouchers cannot be added.
    #[error("no terminals or vouchers")]
    Terminals,
}

/// Runs `seed` over `rows`, which are empty, to its end.
///
/// # Errors
/// When it cannot be set up. What goes wrong in it is in its [`Run::failure`].
pub fn run<R: Rows>(seed: u64, rows: R) -> Result<Run, SetupError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(SetupError::Runtime)?;
    runtime.block_on(live(seed, rows))
}

async fn live<R: Rows>(seed: u64, rows: R) -> Result<Run, SetupError> {
    let world = World::new(seed);
    let vault = Vault::from_hex(MASTER_KEY).ok_or(SetupError::Vault)?;
    let shops = open_shops(&rows, &vault).await?;
    let nodes = Arc::new(Nodes::default());
    let wallet = Wallet::new(&world, &nodes);
    let counter = Counter::new(&world, &nodes, &wallet);
    let terminals = Terminals::open(&counter, &rows, &vault).await?;
    let vouchers = Vouchers::open(&counter, &rows, &vault).await?;
    let around = Arc::new(Surroundings {
        receiver: Receiver::new(&world, &wallet),
        turns: Arc::default(),
        world: Arc::clone(&world),
        rows,
        wallet,
        nodes,
        vault,
    });
    let mut running = JoinSet::new();
    for node in 0..world.mix.nodes.min(R::PROCESSES_MAX) {
        running.spawn(Arc::clone(&around).keep_running(node));
    }
    running.spawn(jump_clock(Arc::clone(&world)));
    let working = terminals.work(Arc::clone(&world));
    let selling = sell(&world, &counter, &shops, vouchers.market());
    let (sales, terminals, ()) = tokio::join!(selling, working, vouchers.work());
    ending::end(&around, &counter, &sales, terminals, &vouchers).await;
    let (counts, digest, lines, failure) = world.take();
    Ok(Run {
        seed,
        counts,
        digest,
        lines,
        failure,
    })
}

/// Adds the merchants of a run.
async fn open_shops<R: Rows>(rows: &R, vault: &Vault) -> Result<Vec<Arc<Shop>>, SetupError> {
    let mut writer = rows.writer()?;
    let directory = Directory::new(vault.clone());
    let mut shops = Vec::new();
    for (no, replays) in [(1, false), (2, true)] {
        let tenant = TenantId(no);
        let code = format!("001000000{no}");
        let name = format!("Shop {no}");
        let add = AdminOp::AddTenant(Tenant { id: tenant, name });
        writer.admin(&add).await?;
        let sealed_key = directory.seal_key(&code, KEY);
        let settings = MerchantSettings {
            replay_identical: replays,
            ..MerchantSettings::default()
        };
        let merchant = Merchant {
            tenant,
            no: MerchantNo(no),
            name: code.clone(),
            code: code.clone(),
            sealed_key: sealed_key.map_err(|_| SetupError::Vault)?,
            channels: vec![CHANNEL],
            suspended: false,
            settings,
            updated_at: UnixMs(0),
        };
        writer
            .admin(&AdminOp::PutMerchant(Box::new(merchant)))
            .await?;
        shops.push(Arc::new(Shop {
            code,
            key: MerchantKey::new(KEY.to_owned()),
            owner: (tenant, MerchantNo(no)),
            replays,
        }));
    }
    Ok(shops)
}

/// Begins all sales and top-ups, and waits until every till has its replies.
async fn sell(
    world: &Arc<World>,
    counter: &Arc<Counter>,
    shops: &[Arc<Shop>],
    market: &Arc<Market>,
) -> Vec<Arc<Sale>> {
    let mut selling = JoinSet::new();
    let mut sales = Vec::new();
    let gap_ms = 1 + world.mix.span_ms / world.mix.sales;
    for no in 0..world.mix.sales {
        world.pass_ms(0..2 * gap_ms).await;
        let index = usize::from(world.chooses(300));
        let Some(shop) = shops.get(index) else {
            continue;
        };
        if world.chooses(100) {
            let (counter, shop) = (Arc::clone(counter), Arc::clone(shop));
            selling.spawn(top_up::run(no, counter, shop));
            continue;
        }
        let sale = Sale::new(no, counter, shop, market);
        sales.push(Arc::clone(&sale));
        selling.spawn(sale.run());
    }
    while selling.join_next().await.is_some() {}
    sales
}

/// Sets the gateways' clock forward and back now and then, by seconds mostly, by hours at worst.
async fn jump_clock(world: Arc<World>) {
    loop {
        world.pass_ms(1_000..10_000).await;
        if !world.strikes(world.mix.clock_jumps) {
            continue;
        }
        let most_ms = match world.within(0..10) {
            0 => 3 * 3_600_000,
            1..=3 => 300_000,
            _ => 10_000,
        };
        let ms = i64::try_from(world.within(1..most_ms)).unwrap_or(1);
        world.jump(if world.chooses(600) { ms } else { -ms });
        world.count(|it| it.clock_jumps += 1);
    }
}

impl Run {
    /// The last events about what failed, with the deaths and clocks of their time; about all when
    /// nobody knows what did.
    #[must_use]
    pub fn history(&self) -> Vec<&str> {
        let names = self.failure.as_ref().map_or_else(Vec::new, |failure| {
            let sale = failure.sale.iter();
            let known = sale.flat_map(|sale| [vec![sale.clone()], self.serials_of(sale)].concat());
            known.chain(serials_in(&failure.text)).collect()
        });
        let about = |line: &&String| {
            let is_named = names.iter().any(|name| line.contains(name.as_str()));
            let is_common = line.contains(" gateway-") || line.contains(" clock ");
            names.is_empty() || is_named || is_common
        };
        let lines: Vec<&str> = self
            .lines
            .iter()
            .filter(about)
            .map(String::as_str)
            .collect();
        let skipped = lines.len().saturating_sub(TOLD_MAX);
        lines.into_iter().skip(skipped).collect()
    }

    /// The gateway's numbers that the wallet knows `sale` by.
    fn serials_of(&self, sale: &str) -> Vec<String> {
        let of_sale = self.lines.iter().filter_map(|line| {
            let (_, rest) = line.split_once(" wallet ")?;
            let serial = rest.strip_prefix(sale)?.trim_start().split(':').next()?;
            Some(serial.to_owned())
        });
        let mut serials: Vec<String> = of_sale.collect();
        serials.sort_unstable();
        serials.dedup();
        serials
    }
}

/// The gateway's numbers that a text names.
fn serials_in(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.filter(|it| it.len() == 20).map(str::to_owned)
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(failure) = &self.failure else {
            return write!(f, "seed {}: every promise kept, {}", self.seed, self.digest);
        };
        let Failure { sale, step, text } = failure;
        let sale = sale.as_deref().unwrap_or("the whole run");
        writeln!(f, "seed {} failed at event {step}, {sale}:", self.seed)?;
        writeln!(f, "  {text}")?;
        for line in self.history() {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "again: onetill simulate faults --seed {} --trace",
            self.seed
        )
    }
}
