//! How provisioning commands reach the rows: through the gateway that runs on the data directory,
//! else by opening the store themselves. Never two writers.

use super::{CommandError, Settings};
use crate::{
    admin::{self, Request, socket},
    app::{
        Gateway,
        compose::{Composed, compose, system_clock},
    },
    config::{Config, Options, StoreUrl},
    telemetry,
    workers::upkeep,
};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::{io::ErrorKind, path::PathBuf, sync::Arc};
use store::{Reader, postgres::PostgresStore, sqlite::SqliteStore};

impl Settings {
    /// All settings, checked, for commands that serve nobody: they log only what went wrong
    /// unless told otherwise.
    ///
    /// # Errors
    /// When a setting does not do.
    pub fn for_command(self) -> Result<Config, CommandError> {
        let options = self.read()?;
        let log = options.log.clone().or_else(|| Some("warn".to_owned()));
        let config = Options { log, ..options }.check()?;
        telemetry::init_logs(config.log_format, &config.log_filter)?;
        Ok(config)
    }
}

/// Asks a gateway to do what operators may do.
pub struct AdminClient {
    config: Config,
    own: Option<Composed>,
}

impl AdminClient {
    /// A client for the gateway, or the store, of `settings`.
    ///
    /// # Errors
    /// When a setting does not do.
    pub fn new(settings: Settings) -> Result<Self, CommandError> {
        let config = settings.for_command()?;
        Ok(Self { config, own: None })
    }

    /// Has `request` carried out.
    ///
    /// # Errors
    /// When it was refused, or neither a gateway nor the store could be reached.
    pub async fn ask(&mut self, request: Request) -> Result<Value, CommandError> {
        if self.own.is_none() {
            match socket::call(&self.config.data, &request).await {
                Ok(Some(answer)) => return Ok(answer?),
                Ok(None) => {}
                Err(error) => return Err(self.unreachable(&error)),
            }
            self.check_store(&request)?;
        }
        let own = match self.own.take() {
            Some(own) => own,
            None => compose(&self.config, system_clock()).await?,
        };
        let answer = admin::handle(&own.gateway, request).await;
        self.own = Some(own);
        Ok(answer?)
    }

    /// The zone of dates.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.config.rules.zone
    }

    /// Where the rows were reached at the last request, for more of them side by side.
    #[must_use]
    pub fn asker(&self) -> Asker {
        match &self.own {
            Some(own) => Asker::Own(Arc::clone(&own.gateway)),
            None => Asker::Running(self.config.data.clone()),
        }
    }

    /// Whether no gateway runs, so that the store was opened here.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        self.own.is_some()
    }

    /// Closes the store, if it had to be opened.
    pub async fn close(self) {
        if let Some(own) = self.own {
            own.close().await;
        }
    }

    /// Only adding merchants and stores may begin a new store: anything else there is a mistyped --data.
    fn check_store(&self, request: &Request) -> Result<(), CommandError> {
        let may_begin = match request {
            Request::AddMerchant(_) | Request::AddMerchants { .. } => true,
            Request::Loyalty(request) => request.may_begin(),
            Request::Voucher(request) => request.may_begin(),
            Request::SetMerchant(_)
            | Request::ListMerchants
            | Request::ListOrders(_)
            | Request::ShowOrder(_)
            | Request::DecideOrder { .. }
            | Request::Renotify(_)
            | Request::DeadNotifications => false,
        };
        if may_begin {
            Ok(())
        } else {
            check_exists(&self.config.store)
        }
    }

    fn unreachable(&self, error: &std::io::Error) -> CommandError {
        let socket = socket::path(&self.config.data);
        let hint = if error.kind() == ErrorKind::PermissionDenied {
            "run this as the user that the gateway runs as"
        } else {
            "look at the gateway's log, then with `onetill order show` or `merchant list` whether \
             the request was carried out"
        };
        format!("the gateway's socket {}: {error}; {hint}", socket.display()).into()
    }
}

/// Has requests carried out where an [`AdminClient`] found the rows.
#[derive(Clone)]
pub enum Asker {
    /// The gateway that runs on this data directory.
    Running(PathBuf),
    /// The store that was opened here.
    Own(Arc<Gateway>),
}

impl Asker {
    /// Has `request` carried out.
    ///
    /// # Errors
    /// When it was refused, or the gateway is gone.
    pub async fn ask(&self, request: Request) -> Result<Value, CommandError> {
        match self {
            Self::Own(gateway) => {
                // No worker runs here, and an import may last longer than a lease.
                upkeep::renew(gateway).await;
                Ok(admin::handle(gateway, request).await?)
            }
            Self::Running(data) => match socket::call(data, &request).await? {
                Some(answer) => Ok(answer?),
                None => Err("the gateway has stopped".into()),
            },
        }
    }
}

/// Has one request carried out.
///
/// # Errors
/// As [`AdminClient::ask`].
pub async fn admin_request(settings: Settings, request: Request) -> Result<Value, CommandError> {
    let mut client = AdminClient::new(settings)?;
    let answer = client.ask(request).await;
    client.close().await;
    answer
}

/// Refuses an embedded store that is not there yet.
///
/// # Errors
/// When the file does not exist.
pub fn check_exists(store: &StoreUrl) -> Result<(), CommandError> {
    match store {
        StoreUrl::Sqlite(path) if !path.exists() => Err(format!(
            "there is no store at {}; name the gateway's directory with --data, or begin one \
             with `onetill serve`",
            path.display()
        )
        .into()),
        StoreUrl::Sqlite(_) | StoreUrl::Postgres(_) => Ok(()),
    }
}

/// A reader of the store, beside whoever writes to it.
///
/// # Errors
/// When the store is not there, cannot be reached, or lacks schema steps.
pub async fn open_reader(store: &StoreUrl) -> Result<Arc<dyn Reader>, CommandError> {
    let (reader, pending) = reader_of(store).await?;
    if pending.is_empty() {
        return Ok(reader);
    }
    let pending = pending.join(", ");
    Err(format!("the store lacks schema steps ({pending}); run `onetill migrate`").into())
}

/// A reader of the store, and the schema steps that the store lacks.
///
/// # Errors
/// When the store is not there or cannot be reached.
pub async fn reader_of(store: &StoreUrl) -> Result<(Arc<dyn Reader>, Vec<String>), CommandError> {
    check_exists(store)?;
    match store {
        StoreUrl::Sqlite(path) => {
            let store = SqliteStore::open_existing(path)?;
            let pending = store.pending_migrations()?.into_iter();
            let pending = pending.map(str::to_owned).collect();
            Ok((Arc::new(store.reader()), pending))
        }
        StoreUrl::Postgres(url) => {
            let store = PostgresStore::connect(url, system_clock()).await?;
            let pending = store.migrations().await?.pending;
            Ok((Arc::new(store.reader()), pending))
        }
    }
}
