//! Every setting: from flags, the environment (`ONETILL_*`), a TOML file, and defaults, in this
//! order of precedence.

pub mod sms;
mod sockets;
mod values;

use crate::{
    app::{Rules, payer_code::PayerCodes},
    outbound::TargetPolicy,
    server::{ServerConfig, limits::FailureLimits},
    telemetry::LogFormat,
};
use channels::{sandbox::SandboxUrl, sms::aliyun::AliyunConfig};
use clap::Args;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sms::SmsOptions;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use values::{first_given, read_network};

/// The settings of flags, environment and file; the same names everywhere. In the file, dashes
/// are underscores. Has no `Debug`: the store's URL may hold a password.
#[derive(Args, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Address to serve plain HTTP on [default: 127.0.0.1:8080]
    #[arg(long, env = "ONETILL_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Address to serve HTTPS on, with --tls-cert and --tls-key [default: the same IP, port 8443]
    #[arg(long, env = "ONETILL_TLS_LISTEN", value_name = "ADDR")]
    pub tls_listen: Option<SocketAddr>,
    /// Certificate chain for HTTPS (PEM)
    #[arg(
        long,
        env = "ONETILL_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Private key for HTTPS (PEM)
    #[arg(
        long,
        env = "ONETILL_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// Authorities whose client certificates are taken (PEM); which of them admits a store's
    /// terminals says `onetill store set --certificate`
    #[arg(long, env = "ONETILL_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
    /// Network of proxies in front of the gateway whose X-Forwarded-For tells the client's address,
    /// such as 10.0.0.7 or 10.0.0.0/24 (repeatable); nobody else's is looked at
    #[arg(
        long,
        env = "ONETILL_TRUSTED_PROXY",
        value_name = "NET",
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<String>,
    /// Address to serve operators on: /metrics (then nowhere else) and /health [default: none; both
    /// are served with everything else]
    #[arg(long, env = "ONETILL_OPS_LISTEN", value_name = "ADDR")]
    pub ops_listen: Option<SocketAddr>,
    /// Directory for the store, the master key and the admin socket [default: ./onetill-data]
    #[arg(long, env = "ONETILL_DATA", value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Where the rows live: sqlite:PATH or postgres://… [default: sqlite:DATA/onetill.db]
    // Help must not show the password that the variable may hold.
    #[arg(
        long,
        env = "ONETILL_STORE",
        hide_env_values = true,
        value_name = "URL",
        global = true
    )]
    pub store: Option<String>,
    /// Connections that write to PostgreSQL [default: 2]
    #[arg(long, env = "ONETILL_STORE_WRITERS", value_name = "N")]
    pub store_writers: Option<usize>,
    /// Loads the demo data if the store is empty, turns the sandbox on, allows notifications to
    /// loopback, and binds loopback only
    #[arg(long, env = "ONETILL_DEMO")]
    pub demo: bool,
    /// Lets --demo bind an address that others can reach
    #[arg(long, env = "ONETILL_DEMO_EXPOSED")]
    pub demo_exposed: bool,
    /// Turns the sandbox on: a pretended wallet behind every channel
    #[arg(long, env = "ONETILL_SANDBOX")]
    pub sandbox: bool,
    /// Sandbox in a process of its own (`onetill sandbox`) that stands behind every channel, such
    /// as http://127.0.0.1:8780
    #[arg(long, env = "ONETILL_SANDBOX_URL", value_name = "URL")]
    pub sandbox_url: Option<String>,
    /// How long every answer of the sandbox takes, in milliseconds [default: 0]
    #[arg(long, env = "ONETILL_SANDBOX_LATENCY_MS", value_name = "MS")]
    pub sandbox_latency_ms: Option<u64>,
    /// How this server is reached from outside, for links to its pages [default: from --listen]
    #[arg(long, env = "ONETILL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Time zone of all dates and times on the wire [default: Asia/Shanghai]
    #[arg(long, env = "ONETILL_ZONE", value_name = "NAME")]
    pub zone: Option<String>,
    /// How long a customer's code is waited for, in seconds [default: 80]
    #[arg(long, env = "ONETILL_WINDOW_S", value_name = "S")]
    pub window_s: Option<u32>,
    /// How long an order waits for its customer, in seconds [default: 7200]
    #[arg(long, env = "ONETILL_ORDER_WINDOW_S", value_name = "S")]
    pub order_window_s: Option<u32>,
    /// Lets notifications reach this machine
    #[arg(long, env = "ONETILL_NOTIFY_LOOPBACK")]
    pub notify_loopback: bool,
    /// Lets notifications reach private networks
    #[arg(long, env = "ONETILL_NOTIFY_PRIVATE")]
    pub notify_private: bool,
    /// Network that notifications may reach, such as 10.1.0.0/16 (repeatable)
    #[arg(
        long,
        env = "ONETILL_NOTIFY_NETWORK",
        value_name = "NET",
        value_delimiter = ','
    )]
    pub notify_network: Vec<String>,
    /// Extra certificate authorities for notifications (PEM)
    #[arg(long, env = "ONETILL_NOTIFY_CA", value_name = "FILE")]
    pub notify_ca: Option<PathBuf>,
    /// Failed requests one address may make at once before it gets HTTP 429; one comes back a
    /// second [default: 60]
    #[arg(long, env = "ONETILL_FAILURES_MAX", value_name = "N")]
    pub failures_max: Option<u32>,
    /// Connections at the same time; one more takes the place of the longest silent one [default:
    /// 10000]
    #[arg(long, env = "ONETILL_CONNECTIONS_MAX", value_name = "N")]
    pub connections_max: Option<usize>,
    /// Connections at the same time from one address (IPv6: one /64) [default: no bound, because
    /// many tills may share one address]
    #[arg(long, env = "ONETILL_CONNECTIONS_PER_ADDRESS_MAX", value_name = "N")]
    pub connections_per_address_max: Option<u32>,
    /// How long a client may take to send a request's head, in seconds [default: 10]
    #[arg(long, env = "ONETILL_HEAD_TIMEOUT_S", value_name = "S")]
    pub head_timeout_s: Option<u32>,
    /// How long an unused connection is kept, in seconds [default: 75]
    #[arg(long, env = "ONETILL_IDLE_TIMEOUT_S", value_name = "S")]
    pub idle_timeout_s: Option<u32>,
    /// How long requests in flight are waited for when the gateway stops, in seconds [default: 90,
    /// or 10 more than --window-s]
    #[arg(long, env = "ONETILL_DRAIN_TIMEOUT_S", value_name = "S")]
    pub drain_timeout_s: Option<u32>,
    /// What the paths of the voucher dialect begin with, such as /shop [default: nothing]
    #[arg(long, env = "ONETILL_VOUCHER_PREFIX", value_name = "PATH")]
    pub voucher_prefix: Option<String>,
    /// How log lines look: text or json [default: text]
    #[arg(long, env = "ONETILL_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// What is logged, such as info or onetill=debug [default: info]
    #[arg(long, env = "ONETILL_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// Which channel a customer's code belongs to (file only)
    #[arg(skip)]
    pub payer_codes: Option<PayerCodes>,
    /// Who sends verify codes as text messages (file only)
    #[arg(skip)]
    pub sms: Option<SmsOptions>,
}

/// Where the rows live.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database; holds a password.
    Postgres(String),
}

/// All settings, checked.
#[derive(Clone)]
pub struct Config {
    /// Sockets and their limits.
    pub server: ServerConfig,
    /// The data directory.
    pub data: PathBuf,
    /// Where the rows live.
    pub store: StoreUrl,
    /// Connections that write to PostgreSQL.
    pub store_writers: usize,
    /// Load the demo data if the store is empty.
    pub demo: bool,
    /// The latency in milliseconds of the sandbox in this process; `None` when there is none.
    pub sandbox_latency_ms: Option<u64>,
    /// Where the sandbox is, if it is a process of its own.
    pub sandbox_url: Option<SandboxUrl>,
    /// Who sends verify codes as text messages, if an account is set.
    pub sms: Option<AliyunConfig>,
    /// How the server is reached from outside, if set.
    pub public_url: Option<String>,
    /// The rules of all merchants.
    pub rules: Rules,
    /// Failures one address may make.
    pub failures: FailureLimits,
    /// Extra certificate authorities for notifications.
    pub notify_ca: Option<PathBuf>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_filter: String,
}

/// A setting that cannot be used; the text says which and what would do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration file {path}: {message}")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why.
        message: String,
    },
    /// A value that does not do.
    #[error("{name} = {value}: {hint}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        hint: &'static str,
    },
}

impl Options {
    /// Adds what `file` says where flags and environment are silent.
    ///
    /// # Errors
    /// When the file cannot be read or holds an unknown setting.
    pub fn with_file(self, file: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = file else {
            return Ok(self);
        };
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
            path: name(),
            source,
        })?;
        let file: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: name(),
            message: error.to_string(),
        })?;
        Ok(self.or(file))
    }

    fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            tls_listen: self.tls_listen.or(file.tls_listen),
            tls_cert: self.tls_cert.or(file.tls_cert),
            tls_key: self.tls_key.or(file.tls_key),
            tls_client_ca: self.tls_client_ca.or(file.tls_client_ca),
            trusted_proxy: first_given(self.trusted_proxy, file.trusted_proxy),
            ops_listen: self.ops_listen.or(file.ops_listen),
            data: self.data.or(file.data),
            store: self.store.or(file.store),
            store_writers: self.store_writers.or(file.store_writers),
            demo: self.demo || file.demo,
            demo_exposed: self.demo_exposed || file.demo_exposed,
            sandbox: self.sandbox || file.sandbox,
            sandbox_url: self.sandbox_url.or(file.sandbox_url),
            sandbox_latency_ms: self.sandbox_latency_ms.or(file.sandbox_latency_ms),
            public_url: self.public_url.or(file.public_url),
            zone: self.zone.or(file.zone),
            window_s: self.window_s.or(file.window_s),
            order_window_s: self.order_window_s.or(file.order_window_s),
            notify_loopback: self.notify_loopback || file.notify_loopback,
            notify_private: self.notify_private || file.notify_private,
            notify_network: first_given(self.notify_network, file.notify_network),
            notify_ca: self.notify_ca.or(file.notify_ca),
            failures_max: self.failures_max.or(file.failures_max),
            connections_max: self.connections_max.or(file.connections_max),
            connections_per_address_max: self
                .connections_per_address_max
                .or(file.connections_per_address_max),
            head_timeout_s: self.head_timeout_s.or(file.head_timeout_s),
            idle_timeout_s: self.idle_timeout_s.or(file.idle_timeout_s),
            drain_timeout_s: self.drain_timeout_s.or(file.drain_timeout_s),
            voucher_prefix: self.voucher_prefix.or(file.voucher_prefix),
            log_format: self.log_format.or(file.log_format),
            log: self.log.or(file.log),
            payer_codes: self.payer_codes.or(file.payer_codes),
            sms: self.sms.or(file.sms),
        }
    }

    /// Checks all settings together.
    ///
    /// # Errors
    /// When a value does not do; the text says what would.
    pub fn check(self) -> Result<Config, ConfigError> {
        let rules = self.rules()?;
        let data = self.data_dir();
        let sandbox_url = self.sandbox_url()?;
        let own_sandbox = sandbox_url.is_none() && (self.sandbox || self.demo);
        let failures = FailureLimits::default();
        let burst = self.failures_max.unwrap_or(failures.burst);
        Ok(Config {
            server: self.server()?,
            store: self.store_url()?,
            store_writers: self.store_writers.unwrap_or(2).max(1),
            sandbox_latency_ms: own_sandbox.then(|| self.sandbox_latency_ms.unwrap_or(0)),
            sandbox_url,
            log_format: self.log_format()?,
            sms: self.sms()?,
            log_filter: self.log.unwrap_or_else(|| "info".to_owned()),
            demo: self.demo,
            public_url: self.public_url,
            rules,
            failures: FailureLimits { burst, ..failures },
            notify_ca: self.notify_ca,
            data,
        })
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data
            .clone()
            .unwrap_or_else(|| PathBuf::from("./onetill-data"))
    }

    /// Where the rows live.
    ///
    /// # Errors
    /// When the URL is of no known kind.
    pub fn store_url(&self) -> Result<StoreUrl, ConfigError> {
        let Some(url) = &self.store else {
            return Ok(StoreUrl::Sqlite(self.data_dir().join("onetill.db")));
        };
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(StoreUrl::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(StoreUrl::Postgres(url.clone()));
        }
        let hint = "use sqlite:PATH or postgres://USER@HOST/DATABASE";
        // A store URL may hold a password: only its scheme is shown.
        let value = url.split(':').next().unwrap_or_default().to_owned();
        Err(ConfigError::Value {
            name: "store",
            value,
            hint,
        })
    }

    fn sandbox_url(&self) -> Result<Option<SandboxUrl>, ConfigError> {
        let Some(url) = &self.sandbox_url else {
            return Ok(None);
        };
        if let Some(latency_ms) = self.sandbox_latency_ms {
            return Err(ConfigError::Value {
                name: "sandbox-latency-ms",
                value: latency_ms.to_string(),
                hint: "a sandbox of its own has its own: onetill sandbox --latency-ms",
            });
        }
        let found = SandboxUrl::parse(url).ok_or_else(|| ConfigError::Value {
            name: "sandbox-url",
            value: url.clone(),
            hint: "use http://HOST:PORT, as in http://127.0.0.1:8780",
        })?;
        Ok(Some(found))
    }

    fn sms(&self) -> Result<Option<AliyunConfig>, ConfigError> {
        let secret = std::env::var(sms::SECRET_VARIABLE).ok();
        let account = self.sms.clone();
        account.map(|account| account.check(secret)).transpose()
    }

    fn rules(&self) -> Result<Rules, ConfigError> {
        let zone = self.zone.as_deref().unwrap_or("Asia/Shanghai");
        let unknown = |_| ConfigError::Value {
            name: "zone",
            value: zone.to_owned(),
            hint: "use a name such as Asia/Shanghai",
        };
        let networks = self
            .notify_network
            .iter()
            .map(|network| read_network(network));
        Ok(Rules {
            zone: TimeZone::get(zone).map_err(unknown)?,
            window_s: self.window_s.unwrap_or(80),
            order_window_s: self.order_window_s.unwrap_or(7200),
            payer_codes: self.payer_codes.clone().unwrap_or_default(),
            voucher_prefix: self.voucher_prefix()?,
            targets: TargetPolicy {
                allow_loopback: self.notify_loopback || self.demo,
                allow_private: self.notify_private,
                allowed_networks: networks.collect::<Result<_, _>>()?,
            },
        })
    }

    fn voucher_prefix(&self) -> Result<String, ConfigError> {
        let prefix = self.voucher_prefix.clone().unwrap_or_default();
        let is_in_it = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        let is_path = prefix.starts_with('/')
            && !prefix.ends_with('/')
            && !prefix.contains("//")
            && prefix.bytes().all(is_in_it);
        if prefix.is_empty() || is_path {
            return Ok(prefix);
        }
        Err(ConfigError::Value {
            name: "voucher-prefix",
            value: prefix,
            hint: "use a path such as /shop, or nothing",
        })
    }

    fn log_format(&self) -> Result<LogFormat, ConfigError> {
        match self.log_format.as_deref() {
            None | Some("text") => Ok(LogFormat::Text),
            Some("json") => Ok(LogFormat::Json),
            Some(other) => Err(ConfigError::Value {
                name: "log-format",
                value: other.to_owned(),
                hint: "use text or json",
            }),
        }
    }
}

#[cfg(test)]
mod tests;
