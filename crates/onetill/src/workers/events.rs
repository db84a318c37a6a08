//! What channels tell by themselves: recorded like an answer, so that nobody waits for the next
//! question.

use crate::app::{AppError, Gateway};
use channels::sandbox::{ChannelEvent, News, NewsError, RemoteSandbox};
use domain::{command::QueryOutcome, ids::Serial};
use std::{sync::Arc, time::Duration};
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    watch,
};

/// The pause before listening again to a sandbox that broke off.
const LISTEN_AGAIN: Duration = Duration::from_millis(500);

/// Listens until told to stop.
pub async fn listen(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let Some(mut source) = Source::of(&gateway) else {
        return;
    };
    loop {
        let event = tokio::select! {
            biased;
            event = source.next() => event,
            _ = stopped.changed() => return,
        };
        match event {
            Some(event) => record(&gateway, event).await,
            None => return,
        }
    }
}

/// Where the news comes from.
enum Source {
    /// The sandbox of this process.
    Own(Receiver<ChannelEvent>),
    /// A sandbox in a process of its own.
    Remote(Listener),
}

impl Source {
    fn of(gateway: &Gateway) -> Option<Self> {
        let own = gateway.sandbox.as_ref();
        let own = own.map(|sandbox| Self::Own(sandbox.events()));
        own.or_else(|| {
            let remote = gateway.remote_sandbox.as_ref()?;
            Some(Self::Remote(Listener::new(Arc::clone(remote))))
        })
    }

    /// The next event; `None` when there will be no more.
    async fn next(&mut self) -> Option<ChannelEvent> {
        match self {
            Self::Own(events) => next_own(events).await,
            Self::Remote(listener) => Some(listener.next().await),
        }
    }
}

async fn next_own(events: &mut Receiver<ChannelEvent>) -> Option<ChannelEvent> {
    loop {
        match events.recv().await {
            Ok(event) => return Some(event),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "channel news was missed; the channel will be asked");
            }
            Err(RecvError::Closed) => return None,
        }
    }
}

/// Listens to a sandbox elsewhere, again whenever that breaks off.
struct Listener {
    sandbox: Arc<RemoteSandbox>,
    news: Option<News>,
    /// Why nothing was heard last, so that an outage is told once.
    told: Option<NewsError>,
}

impl Listener {
    const fn new(sandbox: Arc<RemoteSandbox>) -> Self {
        Self {
            sandbox,
            news: None,
            told: None,
        }
    }

    async fn next(&mut self) -> ChannelEvent {
        loop {
            match self.try_next().await {
                Ok(event) => return event,
                Err(error) => {
                    self.news = None;
                    self.tell(error);
                    tokio::time::sleep(LISTEN_AGAIN).await;
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<ChannelEvent, NewsError> {
        if let Some(news) = &mut self.news {
            return news.next().await;
        }
        let news = self.sandbox.news().await?;
        self.told = None;
        tracing::info!(sandbox = %self.sandbox.url(), "listening to the sandbox");
        self.news.insert(news).next().await
    }

    fn tell(&mut self, error: NewsError) {
        if self.told.replace(error) != Some(error) {
            let sandbox = self.sandbox.url();
            tracing::warn!(%sandbox, %error, "no news from the sandbox; it is asked instead");
        }
    }
}

async fn record(gateway: &Gateway, event: ChannelEvent) {
    let (serial, outcome) = match event {
        ChannelEvent::Paid { serial, receipt } => (serial, QueryOutcome::Paid(receipt)),
        ChannelEvent::Declined { serial, why } => (serial, QueryOutcome::Declined(why)),
    };
    if let Err(error) = record_outcome(gateway, serial, outcome).await {
        tracing::warn!(%serial, %error, "channel news was not recorded; the channel will be asked");
    }
}

/// Records the channel's own word on the payment `serial`.
///
/// # Errors
/// When the store failed; the channel has to tell it again.
pub async fn record_outcome(
    gateway: &Gateway,
    serial: Serial,
    outcome: QueryOutcome,
) -> Result<(), AppError> {
    match gateway.reader.payment_of_any(serial).await? {
        Some(payment) => gateway.record_query(&payment, outcome).await,
        // Another gateway's, when several with stores of their own share a sandbox.
        None => Ok(()),
    }
}
