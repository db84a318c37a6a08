//! One connection with the settings every statement here relies on.

use super::error::{classify, describe};
use crate::contract::StoreError;
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, Error, NoTls, Row, Statement,
    config::{SslMode, TargetSessionAttrs},
    types::ToSql,
};

/// How long one TCP connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long connecting, signing in and preparing may take together.
const SESSION_TIMEOUT: Duration = Duration::from_secs(5);

/// A transaction is read-only unless it says `BEGIN READ WRITE`: should a BEGIN fail, the
/// statements pipelined behind it cannot commit one by one. Readers plan anew each time, since their
/// best plan depends on what is asked for; writers do not, see `link`.
///
/// Each limit ends before what waits for it: a gateway that was stopped in the middle of a
/// transaction loses its locks before others give up waiting for them, and a statement ends before
/// the writer gives up its answer.
const SETTINGS: &str = "SET synchronous_commit = on;
SET default_transaction_read_only = on;
SET default_transaction_isolation = 'read committed';
SET plan_cache_mode = force_custom_plan;
SET jit = off;
SET idle_in_transaction_session_timeout = '3s';
SET lock_timeout = '4s';
SET statement_timeout = '6s'";

/// Reads the address of a store.
pub(super) fn read_url(url: &str) -> Result<Config, StoreError> {
    let mut config: Config = url.parse().map_err(|error: Error| {
        StoreError::Refused(format!("the store's address: {}", describe(&error)))
    })?;
    if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        let text = "TLS to PostgreSQL is not supported yet: leave sslmode out, and reach the \
            server over a Unix socket, a private network, or a tunnel (stunnel, WireGuard)";
        return Err(StoreError::Refused(text.to_owned()));
    }
    if config.get_application_name().is_none() {
        config.application_name("onetill");
    }
    config
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(Duration::from_secs(10))
        .keepalives_idle(Duration::from_secs(10))
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(config)
}

/// Why there is no connection. That the server takes no writes is no error of its own: the driver
/// asks it, and says so without a number from the system.
fn refused(error: &Error) -> StoreError {
    let source = std::error::Error::source(error);
    let system = source.and_then(|it| it.downcast_ref::<io::Error>());
    let is_read_only = |it: &io::Error| {
        it.kind() == io::ErrorKind::PermissionDenied && it.raw_os_error().is_none()
    };
    if !system.is_some_and(is_read_only) {
        return classify(error);
    }
    let text = "PostgreSQL takes no writes: it is a standby, or default_transaction_read_only is \
        on; name the primary";
    StoreError::Down(text.to_owned())
}

/// A connection and the task that drives it. Dropping it closes the connection at once.
pub(super) struct Session {
    pub(super) client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Connects and applies the settings.
    pub(super) async fn connect(config: &Config) -> Result<Self, StoreError> {
        tokio::time::timeout(SESSION_TIMEOUT, Self::connect_patiently(config))
            .await
            .map_err(|_| StoreError::Down("PostgreSQL does not answer".to_owned()))?
    }

    async fn connect_patiently(config: &Config) -> Result<Self, StoreError> {
        let connected = config.connect(NoTls).await;
        let (client, connection) = connected.map_err(|error| refused(&error))?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = describe(&error), "a PostgreSQL connection ended");
            }
        });
        let session = Self { client, driver };
        session.execute(SETTINGS).await?;
        Ok(session)
    }

    /// Runs statements without parameters.
    pub(super) async fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|error| classify(&error))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// A value bound to a statement.
pub(super) type Param = Box<dyn ToSql + Sync + Send>;

/// One column of `rows` as an array.
pub(super) fn column<R, T>(rows: &mut [R], pick: impl FnMut(&mut R) -> T) -> Param
where
    Vec<T>: ToSql + Sync + Send + 'static,
{
    Box::new(rows.iter_mut().map(pick).collect::<Vec<T>>())
}

/// A prepared statement with its values.
pub(super) struct Step {
    statement: Statement,
    params: Vec<Param>,
}

impl Step {
    pub(super) fn new(statement: &Statement, params: Vec<Param>) -> Self {
        Self {
            statement: statement.clone(),
            params,
        }
    }

    async fn run(&self, client: &Client) -> Result<Vec<Row>, Error> {
        let params: Vec<&(dyn ToSql + Sync)> = self.params.iter().map(|it| &**it as _).collect();
        client.query(&self.statement, &params).await
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// What came back from a pipeline.
pub(super) struct Pipelined {
    /// One answer for each request sent, in order.
    pub(super) answers: Vec<Result<Vec<Row>, Error>>,
    /// Whether all requests were sent. When one could not be, none after it was.
    pub(super) all_sent: bool,
}

/// Sends `first`, all `steps` and `last` without waiting in between, then gathers the answers in
/// the same order: one round trip.
pub(super) async fn pipeline(
    client: &Client,
    first: Option<&str>,
    steps: &[Step],
    last: Option<&str>,
) -> Pipelined {
    let plain = |sql: &str| -> Answer<'_> {
        let sql = sql.to_owned();
        Box::pin(async move { client.batch_execute(&sql).await.map(|()| Vec::new()) })
    };
    let mut requests: Vec<Answer<'_>> = Vec::with_capacity(steps.len() + 2);
    requests.extend(first.map(plain));
    requests.extend(
        steps
            .iter()
            .map(|step| -> Answer<'_> { Box::pin(step.run(client)) }),
    );
    requests.extend(last.map(plain));
    gather(requests).await
}

/// A request goes out when its future is first polled, so polling in order sends in order. The
/// answers come in the same order, so waiting for one after the other loses no time.
async fn gather(mut requests: Vec<Answer<'_>>) -> Pipelined {
    let wanted = requests.len();
    let early = poll_fn(|context| Poll::Ready(send(&mut requests, context))).await;
    requests.truncate(early.len());
    let mut answers = Vec::with_capacity(wanted);
    let all_sent = early.len() == wanted && !early.iter().flatten().any(was_not_sent);
    for (request, early) in requests.into_iter().zip(early) {
        answers.push(match early {
            Some(answer) => answer,
            None => request.await,
        });
    }
    Pipelined { answers, all_sent }
}

/// Whether a request that ended at once never left. The server's own error is an answer: where this
/// thread was held up it came before we looked.
fn was_not_sent(answer: &Result<Vec<Row>, Error>) -> bool {
    answer.as_ref().is_err_and(|it| it.as_db_error().is_none())
}

/// Polls each request once. When one could not be sent, the ones behind it, a COMMIT above all, are not
/// sent either. Behind one that the server has refused already they are: COMMIT is what ends its
/// transaction.
fn send(
    requests: &mut [Answer<'_>],
    context: &mut Context<'_>,
) -> Vec<Option<Result<Vec<Row>, Error>>> {
    let mut early = Vec::with_capacity(requests.len());
    for request in requests {
        match request.as_mut().poll(context) {
            Poll::Pending => early.push(None),
            Poll::Ready(answer) => {
                let is_the_last = was_not_sent(&answer);
                early.push(Some(answer));
                if is_the_last {
                    break;
                }
            }
        }
    }
    early
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use std::thread;

    /// A request whose answer is there when it is first looked at.
    fn held_up<'a>(mut request: Answer<'a>) -> Answer<'a> {
        let poll = move |context: &mut Context<'_>| {
            for _ in 0..500 {
                if let Poll::Ready(answered) = request.as_mut().poll(context) {
                    return Poll::Ready(answered);
                }
                // The driver goes on meanwhile, on another thread.
                tokio::task::block_in_place(|| thread::sleep(Duration::from_millis(10)));
            }
            panic!("no answer came");
        };
        Box::pin(poll_fn(poll))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_early_error_leaves_no_transaction_open() {
        let config = read_url(&testing::database().unwrap()).unwrap();
        let session = Session::connect(&config).await.unwrap();
        let sent = tokio::spawn(async move {
            let ask = |sql: &'static str| -> Answer<'_> {
                let client = &session.client;
                Box::pin(async move { client.batch_execute(sql).await.map(|()| Vec::new()) })
            };
            let requests = vec![
                held_up(ask("BEGIN")),
                held_up(ask("SELECT 1 / 0")),
                ask("COMMIT"),
            ];
            let Pipelined { answers, all_sent } = gather(requests).await;
            let codes = answers.iter().map(|it| match it {
                Ok(_) => String::new(),
                Err(error) => error
                    .code()
                    .map_or_else(String::new, |it| it.code().to_owned()),
            });
            let codes: Vec<_> = codes.collect();
            let next = session.execute("BEGIN; SELECT 1; COMMIT").await;
            (codes, all_sent, next)
        });
        let (codes, all_sent, next) = sent.await.unwrap();
        assert_eq!(codes, ["", "22012", ""]);
        assert!(all_sent);
        assert_eq!(next, Ok(()));
    }
}
