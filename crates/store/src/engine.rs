//! The engine: commands queue up, a writer takes what is queued, loads their rows, decides them
//! one by one in memory, writes all changes and commits once, then answers all.
//!
//! It never waits for a fuller batch: an idle writer takes a single command at once, a busy one
//! finds a batch waiting when its commit returns. A full queue refuses at once.

use crate::contract::{AdminOp, AdminReply, StoreError, Writer};
use domain::{
    command::Command,
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, mpsc, oneshot},
};

/// Tells the present.
pub type Clock = Arc<dyn Fn() -> UnixMs + Send + Sync>;

/// How many commands may wait before new ones are refused.
pub const QUEUE_LEN_MAX: usize = 4096;
/// Room beyond that for what must not be refused: outcomes, workers, leases.
const RESERVE: usize = 1024;
/// How many commands one transaction carries at most.
const BATCH_LEN_MAX: usize = 256;
/// How often a batch is tried again when another writer was in the way.
const CONFLICTS_MAX: u32 = 20;

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Too many commands are waiting; nothing was recorded.
    #[error("too many requests are waiting")]
    QueueFull,
    /// The engine has stopped; nothing was recorded.
    #[error("the engine has stopped")]
    Stopped,
    /// The store failed; see there for what is known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A handle to the running engine. Dropping the last handle lets the writers finish what is
/// queued and end.
#[derive(Clone)]
pub struct Engine {
    queue: mpsc::Sender<Work>,
    takes_writes: Arc<AtomicBool>,
}

/// The writers' end of the queue, shared by all writers of a store.
#[derive(Clone)]
pub struct WorkQueue {
    receiver: Arc<Mutex<mpsc::Receiver<Work>>>,
    takes_writes: Arc<AtomicBool>,
    clock: Clock,
    /// Where answers are given; none where writers run beside those who wait for them.
    answering: Option<Handle>,
}

enum Work {
    Decision(Box<dyn Ticket>),
    Admin(AdminOp, oneshot::Sender<Result<AdminReply, StoreError>>),
}

impl Engine {
    /// An engine and the queue its writers serve.
    #[must_use]
    pub fn new(clock: Clock) -> (Self, WorkQueue) {
        let (queue, receiver) = mpsc::channel(QUEUE_LEN_MAX + RESERVE);
        let takes_writes = Arc::new(AtomicBool::new(true));
        let work = WorkQueue {
            receiver: Arc::new(Mutex::new(receiver)),
            takes_writes: Arc::clone(&takes_writes),
            clock,
            answering: None,
        };
        (
            Self {
                queue,
                takes_writes,
            },
            work,
        )
    }

    /// Carries out one command. When this returns a reply, the change is on disk. A command that
    /// begins something new is refused at once when too many wait; others wait for room.
    ///
    /// # Errors
    /// When too many commands wait, the engine has stopped, or the store failed.
    pub async fn run<C: Command>(&self, command: C) -> Result<C::Reply, EngineError> {
        if C::BEGINS && self.queue_len() >= QUEUE_LEN_MAX {
            return Err(EngineError::QueueFull);
        }
        let (answer, answered) = oneshot::channel();
        let ticket = CommandTicket {
            command,
            reply: None,
            answer,
        };
        self.enqueue(Work::Decision(Box::new(ticket))).await?;
        Ok(answered.await.map_err(|_| lost())??)
    }

    /// Carries out one provisioning step.
    ///
    /// # Errors
    /// When the engine has stopped or the store failed.
    pub async fn admin(&self, op: AdminOp) -> Result<AdminReply, EngineError> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Work::Admin(op, answer)).await?;
        Ok(answered.await.map_err(|_| lost())??)
    }

    /// Completes when every writer has ended: nothing can be changed any more.
    pub async fn stopped(&self) {
        self.queue.closed().await;
    }

    /// Whether every writer has ended.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.queue.is_closed()
    }

    /// How many commands wait.
    #[must_use]
    pub fn queue_len(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Whether the store took what it was last given to write.
    #[must_use]
    pub fn takes_writes(&self) -> bool {
        self.takes_writes.load(Ordering::Relaxed)
    }

    async fn enqueue(&self, work: Work) -> Result<(), EngineError> {
        let sent = self.queue.send(work).await;
        sent.map_err(|_| EngineError::Stopped)
    }
}

/// The writer ended between taking a command and answering it.
fn lost() -> StoreError {
    StoreError::Unknown("the writer ended before it answered".to_owned())
}

/// A queued command with the place its answer goes to.
trait Ticket: Send {
    fn plan<'a>(&'a self, plan: &mut Plan<'a>);
    fn decide(&mut self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent>;
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct CommandTicket<C: Command> {
    command: C,
    reply: Option<C::Reply>,
    answer: oneshot::Sender<Result<C::Reply, StoreError>>,
}

impl<C: Command> Ticket for CommandTicket<C> {
    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        self.command.plan(plan);
    }

    fn decide(&mut self, rows: &mut Rows, now: UnixMs) -> Result<(), Inconsistent> {
        self.reply = Some(self.command.decide(rows, now)?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { reply, answer, .. } = *self;
        let undecided = || StoreError::Corrupt("committed without a decision".to_owned());
        // The caller may have gone; the change stands all the same.
        drop(answer.send(result.and_then(|()| reply.ok_or_else(undecided))));
    }
}

impl WorkQueue {
    /// The same queue for a writer with a thread of its own: whoever waits on `runtime` is woken there.
    /// To hand a batch of answers over costs the writer less than to wake each of them from its thread.
    #[must_use]
    pub fn answering_on(self, runtime: Handle) -> Self {
        let answering = Some(runtime);
        Self { answering, ..self }
    }

    /// Serves the queue with `writer` until every [`Engine`] handle is gone and all is carried out.
    pub async fn serve<W: Writer>(self, mut writer: W) {
        let mut batch = Vec::with_capacity(BATCH_LEN_MAX);
        loop {
            let taken = self
                .receiver
                .lock()
                .await
                .recv_many(&mut batch, BATCH_LEN_MAX)
                .await;
            if taken == 0 {
                return;
            }
            self.run_batch(&mut writer, &mut batch).await;
        }
    }

    async fn run_batch<W: Writer>(&self, writer: &mut W, batch: &mut Vec<Work>) {
        let mut tickets = Vec::with_capacity(batch.len());
        for work in batch.drain(..) {
            match work {
                Work::Decision(ticket) => tickets.push(ticket),
                Work::Admin(op, answer) => {
                    let result = writer.admin(&op).await;
                    self.note(result.as_ref().err());
                    // The caller may have gone; the change stands all the same.
                    drop(answer.send(result));
                }
            }
        }
        if !tickets.is_empty() {
            self.decide(writer, tickets).await;
        }
    }

    /// Decides and commits `tickets` together. When a single one spoils the transaction, each is
    /// tried alone, so that it spoils nobody else's.
    async fn decide<W: Writer>(&self, writer: &mut W, mut tickets: Vec<Box<dyn Ticket>>) {
        metrics::histogram!("onetill_batch_commands").record(as_f64(tickets.len()));
        let started = Instant::now();
        let result = self.attempt(writer, &mut tickets).await;
        metrics::histogram!("onetill_batch_seconds").record(started.elapsed());
        if tickets.len() > 1 && spoils_only_itself(&result) {
            for ticket in tickets {
                let mut alone = vec![ticket];
                let of_one = self.attempt(writer, &mut alone).await;
                self.answer_all(alone, of_one);
            }
            return;
        }
        self.answer_all(tickets, result);
    }

    fn answer_all(&self, tickets: Vec<Box<dyn Ticket>>, result: Result<(), StoreError>) {
        if let Err(error) = &result {
            tracing::warn!(commands = tickets.len(), %error, "a batch failed");
        }
        let answer = move || {
            for ticket in tickets {
                ticket.answer(result.clone());
            }
        };
        match &self.answering {
            Some(runtime) => drop(runtime.spawn(async { answer() })),
            None => answer(),
        }
    }

    async fn attempt<W: Writer>(
        &self,
        writer: &mut W,
        tickets: &mut [Box<dyn Ticket>],
    ) -> Result<(), StoreError> {
        let mut conflicts = 0;
        loop {
            match transact(writer, tickets, (self.clock)()).await {
                Err(StoreError::Conflict(_)) if conflicts < CONFLICTS_MAX => conflicts += 1,
                result => {
                    self.note(result.as_ref().err());
                    return result;
                }
            }
        }
    }

    /// Remembers whether the store takes writes. A failure of one command says nothing about it.
    fn note(&self, failure: Option<&StoreError>) {
        let takes_writes = match failure {
            None => true,
            Some(StoreError::Down(_) | StoreError::Full(_) | StoreError::Unknown(_)) => false,
            Some(StoreError::Conflict(_) | StoreError::Corrupt(_) | StoreError::Refused(_)) => {
                return;
            }
        };
        self.takes_writes.store(takes_writes, Ordering::Relaxed);
    }
}

async fn transact<W: Writer>(
    writer: &mut W,
    tickets: &mut [Box<dyn Ticket>],
    now: UnixMs,
) -> Result<(), StoreError> {
    let mut plan = Plan::default();
    tickets.iter().for_each(|ticket| ticket.plan(&mut plan));
    plan.normalise();
    let mut rows = writer.load(plan).await?;
    for ticket in tickets {
        if let Err(inconsistent) = ticket.decide(&mut rows, now) {
            writer.abandon().await;
            return Err(inconsistent.into());
        }
    }
    let started = Instant::now();
    let committed = writer.commit(rows.into_changes()).await;
    metrics::histogram!("onetill_commit_seconds").record(started.elapsed());
    committed
}

const fn spoils_only_itself(result: &Result<(), StoreError>) -> bool {
    match result {
        Err(StoreError::Corrupt(_) | StoreError::Refused(_) | StoreError::Conflict(_)) => true,
        Ok(()) | Err(StoreError::Down(_) | StoreError::Full(_) | StoreError::Unknown(_)) => false,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a batch length is far below 2^52"
)]
const fn as_f64(n: usize) -> f64 {
    n as f64
}
