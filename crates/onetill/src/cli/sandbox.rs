//! `onetill sandbox`: the pretended wallet as a process of its own.

use super::{CommandError, serve};
use crate::{
    app::compose::{create_data_dir, lock_file, system_clock},
    inbound,
    server::{Limits, Server, ServerConfig},
    telemetry::{self, LogFormat},
};
use channels::sandbox::{Journal, Sandbox, SandboxConfig};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long gateways may take to get the answers they wait for once the sandbox is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Run the pretended wallet as a process of its own, for several gateways.
///
/// It charges, refunds and tops up as the sandbox inside a gateway does, serves the payer's page,
/// and tells the gateways what payers do there. It moves no money and asks for no key.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  onetill sandbox
      a pretended wallet on 127.0.0.1:8780 that remembers in ./onetill-sandbox
  onetill serve --demo --sandbox-url http://127.0.0.1:8780
      a gateway that asks it
  onetill serve --demo --store postgres://onetill@db/onetill --sandbox-url http://127.0.0.1:8780
  onetill serve --demo --store postgres://onetill@db/onetill --sandbox-url http://127.0.0.1:8780 \\
      --listen 127.0.0.1:8081 --data ./second
      two gateways over one database that ask the same wallet: start the first, copy its
      onetill-data/master.key to second/, start the second; what one began, the other finishes

Gateways that share a wallet must share their store: the wallet knows a payment by its gateway
serial alone, which is unique within one store.")]
pub struct SandboxArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8780")]
    listen: SocketAddr,
    /// Lets --listen be an address that others can reach
    #[arg(long)]
    exposed: bool,
    /// Directory it remembers in
    #[arg(long, value_name = "DIR", default_value = "./onetill-sandbox")]
    data: PathBuf,
    /// How long every answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency_ms: u64,
    /// How payers reach it, for the links to their page [default: from --listen]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

/// Runs the sandbox until SIGTERM or SIGINT, then writes down what it still had in mind.
///
/// # Errors
/// When it cannot start, or forgot something; the text says what to do.
pub async fn run(args: SandboxArgs) -> Result<ExitCode, CommandError> {
    args.check_exposure()?;
    telemetry::init(LogFormat::Text, "info", system_clock()())?;
    let mut settings = args.server();
    serve::fit_open_files(&mut settings.limits);
    create_data_dir(&args.data)?;
    let _lock = lock_file(&args.data.join("sandbox.lock"))?;
    let server = Server::bind(settings).await?;
    let address = server.addresses().http;
    let journal = Arc::new(Journal::open(&args.data)?);
    let sandbox = Sandbox::new(
        system_clock(),
        args.settings(address),
        Arc::clone(&journal) as _,
    )?;
    tracing::info!(http = %address, "pretending to be a wallet");
    let (stop, stopped) = watch::channel(false);
    let router = inbound::sandbox_router(&Arc::new(sandbox), system_clock(), stopped);
    let told = serve::signalled()?;
    let drained = server.run(router, async move {
        told.await;
        stop.send_replace(true);
    });
    tracing::info!(drained = ?drained.await, "stopping");
    finish(&journal)
}

/// Writes what still waits to be written.
fn finish(journal: &Journal) -> Result<ExitCode, CommandError> {
    // Answers that were cut off may still hold the sandbox; what is known now is written.
    journal.flush();
    match journal.lost() {
        0 => Ok(ExitCode::SUCCESS),
        lost => Err(format!("{lost} changes could not be written and are forgotten").into()),
    }
}

impl SandboxArgs {
    fn check_exposure(&self) -> Result<(), CommandError> {
        if self.exposed || self.listen.ip().is_loopback() {
            return Ok(());
        }
        let listen = self.listen;
        Err(format!(
            "listen = {listen}: the sandbox asks nobody for a key and binds loopback only; \
             --exposed forces it"
        )
        .into())
    }

    fn server(&self) -> ServerConfig {
        ServerConfig {
            limits: Limits {
                drain_timeout: DRAIN_TIMEOUT,
                ..Limits::default()
            },
            ..ServerConfig::http(self.listen)
        }
    }

    fn settings(&self, address: SocketAddr) -> SandboxConfig {
        let here = || format!("http://{address}");
        SandboxConfig {
            latency: Duration::from_millis(self.latency_ms),
            base_url: self.public_url.clone().unwrap_or_else(here),
            ..SandboxConfig::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SandboxArgs,
    }

    fn typed(words: &[&str]) -> SandboxArgs {
        Line::parse_from(std::iter::once(&"sandbox").chain(words)).args
    }

    #[test]
    fn others_reach_it_only_when_forced() {
        assert!(typed(&[]).check_exposure().is_ok());
        assert!(typed(&["--listen", "[::1]:1"]).check_exposure().is_ok());
        let open = ["--listen", "0.0.0.0:8780"];
        let refused = typed(&open).check_exposure().unwrap_err().to_string();
        assert!(refused.contains("--exposed"), "{refused}");
        let [listen, address] = open;
        let forced = typed(&[listen, address, "--exposed"]);
        assert!(forced.check_exposure().is_ok());
    }

    #[test]
    fn links_lead_to_the_address_that_was_taken_unless_told_otherwise() {
        let taken = SocketAddr::from(([127, 0, 0, 1], 4321));
        let plain = typed(&["--listen", "127.0.0.1:0"]).settings(taken);
        assert_eq!(plain.base_url, "http://127.0.0.1:4321");
        let named = typed(&["--public-url", "https://pay.example"]).settings(taken);
        assert_eq!(named.base_url, "https://pay.example");
    }
}
