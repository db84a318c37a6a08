//! Names to addresses, minus those that the policy refuses.

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::{Semaphore, watch};

use super::guard::{TargetError, TargetPolicy};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// What the system said of a name; nothing yet while it is asked.
type Answer = Option<Result<Vec<SocketAddr>, io::ErrorKind>>;
/// Asks the system for a name's addresses. May block for long.
type Ask = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// How many names are looked up at the same time. Each has a thread, which cannot be stopped: the
/// system may take minutes over a name whose servers are dead.
const LOOKUPS_MAX: usize = 64;
/// How long an attempt to deliver waits for a name's addresses.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the system's resolver. Whoever asks for a name that is being looked up waits for the same
/// answer, so a dead name holds one thread, however many messages go there, and other names are
/// found all the while. The threads are none of the runtime's: what reads the store needs those.
#[derive(Clone)]
pub(super) struct SystemResolver {
    lookups: Arc<Lookups>,
}

struct Lookups {
    ask: Ask,
    timeout: Duration,
    threads: Arc<Semaphore>,
    pending: Mutex<HashMap<String, watch::Receiver<Answer>>>,
}

impl SystemResolver {
    /// A resolver that asks the system.
    pub(super) fn new() -> Self {
        // Port 0 stands for "the URL's".
        Self::asking(
            |name| Ok((name, 0).to_socket_addrs()?.collect()),
            LOOKUP_TIMEOUT,
        )
    }

    fn asking(ask: Ask, timeout: Duration) -> Self {
        let lookups = Lookups {
            ask,
            timeout,
            threads: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            pending: Mutex::default(),
        };
        Self {
            lookups: Arc::new(lookups),
        }
    }

    async fn find(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let mut pending = Lookups::join(&self.lookups, name);
        let answered =
            tokio::time::timeout(self.lookups.timeout, pending.wait_for(Option::is_some));
        let answered = answered.await.map_err(|_| io::ErrorKind::TimedOut)?;
        // A lookup that ended without an answer broke off.
        let answer = answered.map_err(|_| io::ErrorKind::Other)?.clone();
        Ok(answer.unwrap_or(Err(io::ErrorKind::Other))?)
    }
}

impl Lookups {
    /// The lookup of `name` that is under way, or a new one.
    fn join(this: &Arc<Self>, name: &str) -> watch::Receiver<Answer> {
        let mut pending = this.pending();
        if let Some(lookup) = pending.get(name) {
            return lookup.clone();
        }
        let (answer, lookup) = watch::channel(None);
        pending.insert(name.to_owned(), lookup.clone());
        tokio::spawn(Self::look_up(Arc::clone(this), name.to_owned(), answer));
        lookup
    }

    /// Looks `name` up once there is a thread for it.
    async fn look_up(this: Arc<Self>, name: String, answer: watch::Sender<Answer>) {
        let Ok(thread) = Arc::clone(&this.threads).acquire_owned().await else {
            return;
        };
        let (asked, lookups) = (name.clone(), Arc::clone(&this));
        let work = move || {
            let found = (lookups.ask)(&asked).map_err(|error| error.kind());
            lookups.pending().remove(&asked);
            // Nobody may be waiting any more.
            let _ = answer.send(Some(found));
            drop(thread);
        };
        let started = thread::Builder::new().name("lookup".to_owned()).spawn(work);
        if let Err(error) = started {
            tracing::warn!(%error, "no thread to look up a receiver's name");
            this.pending().remove(&name);
        }
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Answer>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.find(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Hands on only permitted addresses. The connection is made to one of them, so an answer that
/// changes between check and call changes nothing.
pub(super) struct GuardedResolver {
    pub(super) inner: Arc<dyn Resolve>,
    pub(super) policy: Arc<TargetPolicy>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.inner.resolve(name);
        let policy = Arc::clone(&self.policy);
        Box::pin(async move { keep_permitted(found.await?, &policy) })
    }
}

fn keep_permitted(found: Addrs, policy: &TargetPolicy) -> Result<Addrs, BoxError> {
    let mut found = found.peekable();
    if found.peek().is_none() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    let permitted: Vec<SocketAddr> = found.filter(|a| policy.permits(a.ip())).collect();
    if permitted.is_empty() {
        return Err(TargetError::Address.into());
    }
    Ok(Box::new(permitted.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Condvar,
        atomic::{AtomicUsize, Ordering},
    };

    /// Whether dead names may answer at last.
    static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
    /// How often a dead name was asked for.
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    /// A system on which names under `dead` hang, as with servers that do not answer.
    fn ask(name: &str) -> io::Result<Vec<SocketAddr>> {
        if name.ends_with("dead") {
            ASKED.fetch_add(1, Ordering::SeqCst);
            let released = RELEASED.0.lock().unwrap();
            drop(RELEASED.1.wait_while(released, |is| !*is).unwrap());
        }
        if name == "unknown" {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(vec![SocketAddr::from(([192, 0, 2, 1], 0))])
    }

    #[tokio::test]
    async fn a_dead_name_holds_one_thread_and_stops_no_other() {
        let brief = SystemResolver::asking(ask, Duration::from_millis(200));
        for _ in 0..5 {
            let many = (0..200).map(|_| {
                tokio::spawn({
                    let brief = brief.clone();
                    async move { brief.find("dead").await }
                })
            });
            for one in many.collect::<Vec<_>>() {
                let error = one.await.unwrap().unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            }
        }
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
        // However slow this machine is, another name is found while the dead one hangs.
        let found = async |name| loop {
            match brief.find(name).await {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                found => return found,
            }
        };
        assert_eq!(found("shop").await.unwrap().len(), 1);
        let unknown = found("unknown").await.unwrap_err();
        assert_eq!(unknown.kind(), io::ErrorKind::NotFound);
        assert!(brief.lookups.pending().contains_key("dead"));
        *RELEASED.0.lock().unwrap() = true;
        RELEASED.1.notify_all();
        while brief.lookups.pending().contains_key("dead") {
            tokio::task::yield_now().await;
        }
        assert!(found("dead").await.is_ok(), "it is asked for again");
        assert!(brief.lookups.pending().is_empty());
    }
}
