//! The settings of the sockets: where they listen, whom they let in, and their limits.

use super::{ConfigError, Options, values::too_small};
use crate::{
    app::loyalty::estate,
    server::{Limits, ServerConfig, TlsConfig, TlsFiles, TrustedProxies},
};
use std::{net::SocketAddr, time::Duration};

impl Options {
    pub(super) fn server(&self) -> Result<ServerConfig, ConfigError> {
        let listen = self
            .listen
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let files = self.tls_files()?;
        let tls_listen = self
            .tls_listen
            .unwrap_or_else(|| SocketAddr::new(listen.ip(), 8443));
        let tls = files.map(|files| TlsConfig::new(tls_listen, files));
        self.check_exposure(listen, tls.as_ref())?;
        Ok(ServerConfig {
            listen,
            tls,
            ops: self.ops_listen,
            proxies: self.proxies()?,
            limits: self.limits()?,
        })
    }

    fn tls_files(&self) -> Result<Option<TlsFiles>, ConfigError> {
        Ok(match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Some(TlsFiles {
                cert: cert.clone(),
                key: key.clone(),
                client_ca: self.tls_client_ca.clone(),
            }),
            (None, None) if self.tls_client_ca.is_none() => None,
            (None, None) | (Some(_), None) | (None, Some(_)) => {
                let hint = "give both tls-cert and tls-key";
                return Err(ConfigError::Value {
                    name: "tls",
                    value: "half".to_owned(),
                    hint,
                });
            }
        })
    }

    fn proxies(&self) -> Result<TrustedProxies, ConfigError> {
        let networks = self.trusted_proxy.iter().map(|text| {
            estate::read_network(text).ok_or_else(|| ConfigError::Value {
                name: "trusted-proxy",
                value: text.clone(),
                hint: "use an address, with or without a prefix length, such as 10.0.0.0/24",
            })
        });
        Ok(TrustedProxies::new(networks.collect::<Result<_, _>>()?))
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        let default = Limits::default();
        let seconds = |name, value: Option<u32>, default| match value {
            None => Ok(default),
            Some(0) => Err(too_small(name)),
            Some(s) => Ok(Duration::from_secs(u64::from(s))),
        };
        // Whoever stops the gateway must not cut off a payment that is still waited for.
        let window = Duration::from_secs(u64::from(self.window_s.unwrap_or(0)) + 10);
        let drain = default.drain_timeout.max(window);
        if self.connections_max == Some(0) {
            return Err(too_small("connections-max"));
        }
        if self.connections_per_address_max == Some(0) {
            return Err(too_small("connections-per-address-max"));
        }
        Ok(Limits {
            connections_max: self.connections_max.unwrap_or(default.connections_max),
            connections_per_address_max: self.connections_per_address_max,
            head_timeout: seconds("head-timeout-s", self.head_timeout_s, default.head_timeout)?,
            idle_timeout: seconds("idle-timeout-s", self.idle_timeout_s, default.idle_timeout)?,
            drain_timeout: seconds("drain-timeout-s", self.drain_timeout_s, drain)?,
            ..default
        })
    }

    /// The demo's keys are public knowledge: nobody else may reach it unless forced.
    fn check_exposure(
        &self,
        listen: SocketAddr,
        tls: Option<&TlsConfig>,
    ) -> Result<(), ConfigError> {
        let addresses = [Some(listen), tls.map(|tls| tls.listen), self.ops_listen];
        let exposed = addresses
            .into_iter()
            .flatten()
            .find(|it| !it.ip().is_loopback());
        match exposed {
            Some(address) if self.demo && !self.demo_exposed => Err(ConfigError::Value {
                name: "listen",
                value: address.to_string(),
                hint: "--demo has public keys and binds loopback only; --demo-exposed forces it",
            }),
            Some(_) | None => Ok(()),
        }
    }
}
