//! Gateways in their processes: composed over what survives, killed, and composed again.

use super::{
    pulse::Pulse,
    reader::{Seen, on_the_spot},
    receiver::Receiver,
    rows::Rows,
    wallet::{Line, Provider, Wallet},
    world::World,
    writer::{Faulty, Turns},
};
use crate::{
    app::{
        Gateway, Rules,
        compose::take_lease,
        contradictions::Contradictions,
        directory::Directory,
        loyalty::{Loyalty, Sms, pins::Pins},
        payer_code::PayerCodes,
        serials::SerialIssuer,
        settlements::Settlements,
        voucher::Vouchers,
    },
    inbound,
    outbound::TargetPolicy,
    server::limits::FailureLimits,
    vault::Vault,
    workers::Workers,
};
use channels::{Channels, Guard, GuardConfig, RechargeGuard, Unobserved};
use domain::channel::ChannelNo;
use hyper_util::service::TowerToHyperService;
use jiff::tz::{TimeZone, offset};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Engine, Reader, audit::audit};
use tokio::{sync::Notify, task::JoinHandle};

/// The channel that all sales go through.
pub const CHANNEL: ChannelNo = ChannelNo(1);
/// Serials are dated in Shanghai.
const ZONE_OFFSET_S: i32 = 8 * 3600;
/// Short, so that payers come too late now and then.
const ORDER_WINDOW_S: u32 = 120;

/// A running gateway.
pub struct Life {
    /// Whether its process lives.
    pub pulse: Arc<Pulse>,
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// What it serves.
    pub router: TowerToHyperService<axum::Router>,
}

/// The gateways that run.
#[derive(Default)]
pub struct Nodes(Mutex<Vec<Arc<Life>>>);

impl Nodes {
    /// One of those that live, if any does.
    pub fn pick(&self, world: &World) -> Option<Arc<Life>> {
        let lives = self.lives();
        let len = u64::try_from(lives.len()).unwrap_or(0);
        let index = usize::try_from(world.within(0..len)).unwrap_or(0);
        lives.get(index).cloned()
    }

    /// Whether any lives.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.lives().is_empty()
    }

    fn rise(&self, life: &Arc<Life>) {
        self.lives().push(Arc::clone(life));
    }

    fn fall(&self, life: &Arc<Life>) {
        self.lives().retain(|it| !Arc::ptr_eq(it, life));
    }

    fn lives(&self) -> MutexGuard<'_, Vec<Arc<Life>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What outlives every process.
pub struct Surroundings<R> {
    /// The world.
    pub world: Arc<World>,
    /// The rows.
    pub rows: R,
    /// Whose transaction it is.
    pub turns: Turns,
    /// The wallet.
    pub wallet: Arc<Wallet>,
    /// The gateways.
    pub nodes: Arc<Nodes>,
    /// Those who are notified.
    pub receiver: Arc<Receiver>,
    /// The master key.
    pub vault: Vault,
}

/// A process that may be killed: its gateway and all that runs for it.
struct Process {
    life: Arc<Life>,
    workers: Workers,
}

impl<R: Rows> Surroundings<R> {
    /// Keeps a gateway running: when its process dies, another takes its place after a while.
    pub async fn keep_running(self: Arc<Self>, node: u64) {
        for run in 0_u32.. {
            let pulse = Pulse::new(&self.world, format!("gateway-{node}.{run}"));
            let (engine, queue) = Engine::new(self.world.clock());
            let writer = match self.rows.writer() {
                Ok(writer) => writer,
                Err(error) => return self.world.fail(None, &format!("no writer: {error}")),
            };
            let (world, turns) = (Arc::clone(&self.world), Arc::clone(&self.turns));
            let writer = Faulty::new(writer, world, Arc::clone(&pulse), turns);
            let writing = tokio::spawn(queue.serve(writer));
            match pulse.through(self.compose(&pulse, engine)).await {
                Some(Some(process)) => self.run(&pulse, process).await,
                Some(None) => self.world.log(pulse.name(), "does not start"),
                None => {}
            }
            stop(writing).await;
            self.prove(pulse.name());
            let most_ms = if self.world.is_quiet() { 100 } else { 15_000 };
            self.world.pass_ms(10..most_ms).await;
        }
    }

    /// Whatever a death leaves behind obeys every rule at once.
    fn prove(&self, name: &str) {
        let proved = on_the_spot(async {
            let mut snapshot = self.rows.reader().snapshot().await?;
            audit(snapshot.as_mut(), &mut |_| {}).await
        });
        match proved {
            Ok(report) if report.is_clean() => {}
            Ok(report) => {
                let text = format!("{name} left {:?}", report.violations);
                self.world.fail(None, &text);
            }
            Err(error) => self
                .world
                .fail(None, &format!("the rows cannot be read: {error}")),
        }
    }

    async fn run(&self, pulse: &Pulse, process: Process) {
        self.world.log(pulse.name(), "runs");
        self.nodes.rise(&process.life);
        pulse.ended().await;
        self.nodes.fall(&process.life);
        drop(process.workers);
    }

    /// A gateway, or `None` when the store did not let it start.
    async fn compose(&self, pulse: &Arc<Pulse>, engine: Engine) -> Option<Process> {
        let world = &self.world;
        let reader: Arc<dyn Reader> = Arc::new(Seen::new(self.rows.reader(), world, pulse));
        let (lease, issued_until, until) = take_lease(&engine, world.now()).await.ok()?;
        let directory = Directory::new(self.vault.clone());
        directory.refresh(reader.as_ref()).await.ok()?;
        let vouchers = Vouchers::new(&self.vault);
        vouchers.partners.refresh(reader.as_ref()).await.ok()?;
        let loyalty = Loyalty {
            pins: Pins::of_simulation(&self.vault),
            ..Loyalty::new(&self.vault, Sms::Off, false)
        };
        loyalty.estate.refresh(reader.as_ref()).await.ok()?;
        let line = Line::new(&self.wallet, pulse);
        let provider = Provider(Arc::clone(&line));
        let (settings, clock) = (GuardConfig::default(), world.clock());
        let guard = Guard::new(line, settings, Arc::clone(&clock), Arc::new(Unobserved));
        let provider = RechargeGuard::new(
            Arc::new(provider),
            settings,
            Arc::clone(&clock),
            Arc::new(Unobserved),
        );
        let gateway = Arc::new(Gateway {
            engine,
            reader,
            channels: Channels::new().with(CHANNEL, Arc::new(guard)),
            recharge: Some(Arc::new(provider)),
            sandbox: None,
            remote_sandbox: None,
            directory,
            loyalty,
            vouchers,
            serials: SerialIssuer::new(lease, issued_until, until, ZONE_OFFSET_S),
            settlements: Settlements::default(),
            owed: Notify::new(),
            contradictions: Contradictions::default(),
            clock,
            rules: self.rules(),
        });
        let workers = Workers::start(&gateway, self.receiver.reached_by(pulse));
        let router = inbound::router(&gateway, FailureLimits::default());
        let life = Arc::new(Life {
            pulse: Arc::clone(pulse),
            router: TowerToHyperService::new(router),
            gateway,
        });
        Some(Process { life, workers })
    }

    fn rules(&self) -> Rules {
        Rules {
            zone: TimeZone::fixed(offset(8)),
            window_s: self.world.mix.window_s,
            order_window_s: ORDER_WINDOW_S,
            payer_codes: PayerCodes::default(),
            voucher_prefix: String::new(),
            targets: TargetPolicy::default(),
        }
    }
}

/// A writer whose process is dead writes no more, and its open transaction is taken back.
async fn stop(writing: JoinHandle<()>) {
    writing.abort();
    // Cancelled, as it was told to be.
    let _ = writing.await;
}
