//! Puts a gateway together from its settings: store, engine, lease, channels, merchants.

use super::{
    Gateway,
    contradictions::Contradictions,
    directory::Directory,
    loyalty::{Loyalty, Sms},
    serials::{LEASE_MS, NodeLease, SerialIssuer},
    settlements::Settlements,
    voucher::Vouchers,
};
use crate::{
    config::{Config, StoreUrl},
    telemetry,
    vault::{self, Vault, VaultError},
};
use channels::{
    Channel, Channels, Guard, GuardConfig, Observer, RechargeGuard, RechargeProvider,
    sandbox::{Journal, RemoteSandbox, SANDBOX_CHANNELS, Sandbox, SandboxConfig},
    sms::{
        SmsGuard,
        aliyun::{Aliyun, AliyunError},
        sandbox::{SandboxSms, SandboxSmsConfig},
    },
};
use domain::time::UnixMs;
use jiff::{Timestamp, tz::TimeZone};
use std::{
    fs::{self, File, TryLockError},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};
use store::{
    AdminOp, AdminReply, Clock, Engine, EngineError, Reader, StoreError,
    engine::WorkQueue,
    postgres::PostgresStore,
    sqlite::{self, SqliteStore},
};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};

/// Why a gateway cannot start; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The data directory cannot be used.
    #[error("the data directory {path}: {source}")]
    Data {
        /// The directory.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process works on the same data directory or store.
    #[error(
        "another onetill process uses this data directory or store (it holds {0}); stop it, or \
         choose others with --data and --store"
    )]
    InUse(String),
    /// The master key cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine ended while starting.
    #[error("the engine: {0}")]
    Engine(#[from] EngineError),
    /// Text messages cannot be sent with these settings.
    #[error(transparent)]
    Sms(#[from] AliyunError),
    /// The thread that writes cannot be started.
    #[error("the writer's thread: {0}")]
    Thread(std::io::Error),
}

/// A composed gateway and what has to be held and ended with it.
pub struct Composed {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    writers: Writers,
    locks: Vec<File>,
}

enum Writers {
    Thread(thread::JoinHandle<()>),
    Tasks(Vec<JoinHandle<()>>),
}

impl Composed {
    /// Gives the node's number back and lets the writers finish what is queued. Every other
    /// handle on the gateway must be gone, or the writers cannot end; they are waited for up to
    /// five seconds.
    pub async fn close(self) {
        let lease = self.gateway.serials.lease();
        // Serials up to now may have been issued; a successor starts after them.
        let until = self.gateway.serials.issued_until(self.gateway.now());
        let release = AdminOp::RenewNode {
            node: lease.node,
            owner: lease.owner,
            until,
        };
        if let Err(error) = self.gateway.engine.admin(release).await {
            tracing::warn!(%error, "the node's number runs out by itself");
        }
        drop(self.gateway);
        let ended = tokio::time::timeout(Duration::from_secs(5), async {
            match self.writers {
                Writers::Thread(thread) => {
                    let _ = tokio::task::spawn_blocking(move || thread.join()).await;
                }
                Writers::Tasks(tasks) => {
                    for task in tasks {
                        let _ = task.await;
                    }
                }
            }
        });
        if ended.await.is_err() {
            tracing::warn!("the writers were still held by someone; all that was answered is safe");
        }
        drop(self.locks);
    }
}

/// The system's clock.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| UnixMs(Timestamp::now().as_millisecond()))
}

/// Opens the data directory, the vault and the store and composes a gateway.
///
/// # Errors
/// [`ComposeError`], with a text that says what to do.
pub async fn compose(config: &Config, clock: Clock) -> Result<Composed, ComposeError> {
    create_data_dir(&config.data)?;
    let locks = lock(config)?;
    vault::remove_leftovers(&config.data)?;
    let vault = Vault::open(&config.data)?;
    let (engine, queue) = Engine::new(Arc::clone(&clock));
    let (writers, reader) = open_store(config, queue, &clock).await?;
    let durability = reader.durability().await?;
    tracing::info!(settings = durability.join(", "), "the store is durable");
    check_master_key(&engine, &vault).await?;
    let serials = issue_serials(&engine, clock(), &config.rules.zone).await?;
    let loyalty = Loyalty::new(&vault, sms(config, &clock)?, config.demo);
    loyalty.estate.refresh(reader.as_ref()).await?;
    let vouchers = Vouchers::new(&vault);
    vouchers.partners.refresh(reader.as_ref()).await?;
    let directory = Directory::new(vault);
    directory.refresh(reader.as_ref()).await?;
    let sandbox = open_sandbox(config, &clock)?;
    let remote_sandbox = config.sandbox_url.clone().map(RemoteSandbox::new);
    let remote_sandbox = remote_sandbox.map(Arc::new);
    let (channels, recharge) = match (&sandbox, &remote_sandbox) {
        (Some(sandbox), _) => behind_all(sandbox, &clock),
        (None, Some(sandbox)) => behind_all(sandbox, &clock),
        (None, None) => (Channels::new(), None),
    };
    let gateway = Gateway {
        channels,
        recharge,
        sandbox,
        remote_sandbox,
        engine,
        reader,
        directory,
        loyalty,
        vouchers,
        serials,
        settlements: Settlements::default(),
        owed: Notify::new(),
        contradictions: Contradictions::default(),
        clock,
        rules: config.rules.clone(),
    };
    Ok(Composed {
        gateway: Arc::new(gateway),
        writers,
        locks,
    })
}

fn data_error(dir: &Path) -> impl FnOnce(std::io::Error) -> ComposeError {
    let path = dir.display().to_string();
    move |source| ComposeError::Data { path, source }
}

/// Makes a data directory that nobody else can look into, and its place durable.
///
/// # Errors
/// When it cannot be made.
pub fn create_data_dir(dir: &Path) -> Result<(), ComposeError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let is_new = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let made: Vec<&Path> = dir.ancestors().take_while(is_new).collect();
    builder.create(dir).map_err(data_error(dir))?;
    // A power cut must not take away the directory that acknowledged payments lie in.
    made.into_iter()
        .try_for_each(|dir| sync_entry(dir).map_err(data_error(dir)))
}

/// Makes the entry of `dir` in its parent durable.
fn sync_entry(dir: &Path) -> std::io::Result<()> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// One process at a time may use a data directory, and one may write to an embedded store,
/// wherever its file lies. The locks end with the files.
///
/// # Errors
/// When another process holds one, or a directory cannot be used.
pub fn lock(config: &Config) -> Result<Vec<File>, ComposeError> {
    let mut locks = vec![lock_file(&config.data.join("onetill.lock"))?];
    if let StoreUrl::Sqlite(path) = &config.store {
        let path = sqlite::resolved(path).map_err(data_error(path))?;
        locks.push(lock_file(&path.with_added_extension("lock"))?);
    }
    Ok(locks)
}

/// Locks the file `path` for this process until it is dropped.
///
/// # Errors
/// When another process holds it, or it cannot be made.
pub fn lock_file(path: &Path) -> Result<File, ComposeError> {
    let lock = File::create(path).map_err(data_error(path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ComposeError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(data_error(path)(error)),
    }
}

async fn open_store(
    config: &Config,
    queue: WorkQueue,
    clock: &Clock,
) -> Result<(Writers, Arc<dyn Reader>), ComposeError> {
    match &config.store {
        StoreUrl::Sqlite(path) => open_sqlite(path, queue),
        StoreUrl::Postgres(url) => open_postgres(url, config.store_writers, queue, clock).await,
    }
}

fn open_sqlite(path: &Path, queue: WorkQueue) -> Result<(Writers, Arc<dyn Reader>), ComposeError> {
    let store = SqliteStore::open(path)?;
    let writer = store.writer()?;
    // The writer blocks on fsync: it has a thread, and a runtime, of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(ComposeError::Thread)?;
    let thread = thread::Builder::new().name("onetill-writer".to_owned());
    let queue = queue.answering_on(Handle::current());
    let thread = thread.spawn(move || runtime.block_on(queue.serve(writer)));
    let thread = thread.map_err(ComposeError::Thread)?;
    Ok((Writers::Thread(thread), Arc::new(store.reader())))
}

async fn open_postgres(
    url: &str,
    writers: usize,
    queue: WorkQueue,
    clock: &Clock,
) -> Result<(Writers, Arc<dyn Reader>), ComposeError> {
    let store = PostgresStore::connect(url, Arc::clone(clock)).await?;
    store.migrate().await?;
    let mut tasks = Vec::with_capacity(writers);
    for _ in 0..writers {
        tasks.push(tokio::spawn(queue.clone().serve(store.writer().await?)));
    }
    Ok((Writers::Tasks(tasks), Arc::new(store.reader())))
}

/// Every gateway of a store must have the master key that sealed it.
async fn check_master_key(engine: &Engine, vault: &Vault) -> Result<(), ComposeError> {
    const OWNER: &str = "master key check";
    let put = AdminOp::PutIfAbsent {
        name: "master_key_check".to_owned(),
        value: vault.seal(OWNER, b"onetill")?,
    };
    match engine.admin(put).await? {
        AdminReply::Value(sealed) => Ok(vault.open_sealed(OWNER, &sealed).map(drop)?),
        other @ (AdminReply::Done
        | AdminReply::Tenant(_)
        | AdminReply::Lease { .. }
        | AdminReply::Renewed(_)
        | AdminReply::Removed(_)) => Err(unexpected(&other)),
    }
}

async fn issue_serials(
    engine: &Engine,
    now: UnixMs,
    zone: &TimeZone,
) -> Result<SerialIssuer, ComposeError> {
    let zone_offset_s = stored_offset_s(engine, standard_offset_s(zone)).await?;
    let (lease, issued_until, until) = take_lease(engine, now).await?;
    Ok(SerialIssuer::new(lease, issued_until, until, zone_offset_s))
}

/// Takes a free node number: the lease, the time its serials start after, and its end.
///
/// # Errors
/// When none is free, or the store failed.
pub async fn take_lease(
    engine: &Engine,
    now: UnixMs,
) -> Result<(NodeLease, UnixMs, UnixMs), ComposeError> {
    let mut owner = [0; 8];
    getrandom::fill(&mut owner).map_err(|_| VaultError::Random)?;
    let owner = i64::from_be_bytes(owner);
    let until = now.plus_ms(LEASE_MS);
    match engine
        .admin(AdminOp::LeaseNode { now, until, owner })
        .await?
    {
        AdminReply::Lease { node, issued_until } => {
            Ok((NodeLease { node, owner }, issued_until, until))
        }
        other @ (AdminReply::Done
        | AdminReply::Tenant(_)
        | AdminReply::Value(_)
        | AdminReply::Renewed(_)
        | AdminReply::Removed(_)) => Err(unexpected(&other)),
    }
}

/// The offset that this store's serials are dated with: the first gateway's, for ever. Another
/// would issue the serials of some hours again.
async fn stored_offset_s(engine: &Engine, wanted_s: i32) -> Result<i32, ComposeError> {
    let put = AdminOp::PutIfAbsent {
        name: "serial_zone_offset_s".to_owned(),
        value: wanted_s.to_string().into_bytes(),
    };
    let reply = engine.admin(put).await?;
    let AdminReply::Value(stored) = &reply else {
        return Err(unexpected(&reply));
    };
    let text = std::str::from_utf8(stored).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| unexpected(&reply))
}

fn unexpected(reply: &AdminReply) -> ComposeError {
    ComposeError::Store(StoreError::Corrupt(format!("the store answered {reply:?}")))
}

/// The zone's offset on a fixed winter day: clocks that go back in autumn must not repeat serials.
fn standard_offset_s(zone: &TimeZone) -> i32 {
    const WINTER_S: i64 = 1_767_225_600;
    let winter = Timestamp::from_second(WINTER_S).unwrap_or(Timestamp::UNIX_EPOCH);
    zone.to_offset(winter).seconds()
}

fn open_sandbox(config: &Config, clock: &Clock) -> Result<Option<Arc<Sandbox>>, ComposeError> {
    let Some(latency_ms) = config.sandbox_latency_ms else {
        return Ok(None);
    };
    let dir = config.data.join("sandbox");
    fs::create_dir_all(&dir).map_err(data_error(&dir))?;
    let journal = Journal::open(&dir).map_err(data_error(&dir))?;
    let base_url = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.server.listen));
    let settings = SandboxConfig {
        latency: Duration::from_millis(latency_ms),
        base_url,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::new(Arc::clone(clock), settings, Arc::new(journal));
    Ok(Some(Arc::new(sandbox.map_err(data_error(&dir))?)))
}

/// Who sends text messages: the provider that is set, else the sandbox beside a pretended wallet,
/// else nobody.
fn sms(config: &Config, clock: &Clock) -> Result<Sms, ComposeError> {
    if let Some(account) = &config.sms {
        let provider = Aliyun::new(account.clone(), Arc::clone(clock), Arc::new(nonce))?;
        let settings = GuardConfig::default();
        let guard = SmsGuard::new(
            Arc::new(provider),
            settings,
            Arc::clone(clock),
            Arc::new(Calls),
        );
        return Ok(Sms::Provider(Arc::new(guard)));
    }
    if config.sandbox_latency_ms.is_none() && config.sandbox_url.is_none() {
        return Ok(Sms::Off);
    }
    let settings = SandboxSmsConfig::default();
    let sandbox = SandboxSms::new(Arc::clone(clock), settings);
    Ok(Sms::Sandbox(Arc::new(sandbox)))
}

fn nonce() -> Option<[u8; 16]> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).ok()?;
    Some(nonce)
}

/// `sandbox` as every channel and as the top-up provider.
fn behind_all<S: Channel + RechargeProvider + 'static>(
    sandbox: &Arc<S>,
    clock: &Clock,
) -> (Channels, Option<Arc<dyn RechargeProvider>>) {
    let channel = Arc::clone(sandbox) as Arc<dyn Channel>;
    let provider = Arc::clone(sandbox) as Arc<dyn RechargeProvider>;
    (
        channels_of(&channel, clock),
        Some(recharge_of(provider, clock)),
    )
}

/// Each number has a guard of its own, so that one dead channel never closes another.
fn channels_of(sandbox: &Arc<dyn Channel>, clock: &Clock) -> Channels {
    SANDBOX_CHANNELS
        .iter()
        .fold(Channels::new(), |channels, number| {
            let inner = Arc::clone(sandbox);
            let (settings, clock) = (GuardConfig::default(), Arc::clone(clock));
            channels.with(
                *number,
                Arc::new(Guard::new(inner, settings, clock, Arc::new(Calls))),
            )
        })
}

fn recharge_of(inner: Arc<dyn RechargeProvider>, clock: &Clock) -> Arc<dyn RechargeProvider> {
    let (settings, clock) = (GuardConfig::default(), Arc::clone(clock));
    Arc::new(RechargeGuard::new(inner, settings, clock, Arc::new(Calls)))
}

/// Counts the calls to channels.
struct Calls;

impl Observer for Calls {
    fn call(&self, channel: &str, operation: &'static str, outcome: &'static str, took: Duration) {
        // The names of channels are few and fixed, but the recorder wants them to live for ever.
        let channel = match channel {
            "sandbox" => "sandbox",
            "aliyun" => "aliyun",
            _ => "other",
        };
        telemetry::channel_call(channel, operation, outcome, took);
    }
}
