//! `onetill serve`: runs the gateway until it is told to stop.

use super::{CommandError, Settings, output};
use crate::{
    admin::{demo, loyalty::demo as cards, socket, voucher::demo as vouchers},
    app::compose::{Composed, compose, system_clock},
    config::Config,
    inbound,
    outbound::{ATTEMPT_TIMEOUT, Sender},
    server::{Bound, Limits, Server, open_files},
    telemetry,
    workers::Workers,
};
use std::{process::ExitCode, sync::Arc};
use store::Engine;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Run the gateway.
///
/// Every option can also be set in the environment and in the configuration file.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  onetill serve --demo
      a gateway to try, with demo data and a pretended wallet, on 127.0.0.1:8080
  onetill serve --listen 0.0.0.0:8080 --data /var/lib/onetill
      an embedded store in one directory
  onetill serve --store postgres://onetill@db/onetill --tls-cert cert.pem --tls-key key.pem
      one of several gateways over a PostgreSQL database, with HTTPS on port 8443
  onetill serve --demo --sandbox-url http://127.0.0.1:8780
      the demo with its wallet in a process of its own: onetill sandbox")]
pub struct ServeArgs {
    #[command(flatten)]
    settings: Settings,
}

/// Runs the gateway until SIGTERM or SIGINT, then finishes what is in flight.
///
/// # Errors
/// When it cannot start; the text says what to do.
pub async fn run(args: ServeArgs) -> Result<ExitCode, CommandError> {
    let mut config = args.settings.read()?.check()?;
    let clock = system_clock();
    telemetry::init(config.log_format, &config.log_filter, clock())?;
    fit_open_files(&mut config.server.limits);
    let server = Server::bind(config.server.clone()).await?;
    let bound = server.addresses();
    let composed = compose(&config.at(bound), clock).await?;
    if config.demo && demo::load(&composed.gateway).await? {
        tracing::info!("the demo data is loaded");
    }
    if config.demo {
        vouchers::write_keys(&config.data)?;
    }
    announce(&config, bound)?;
    let gateway = Arc::clone(&composed.gateway);
    let sender = Sender::new(
        config.rules.targets.clone(),
        ATTEMPT_TIMEOUT,
        config.notify_ca.as_deref(),
    )?;
    let workers = Workers::start(&gateway, sender);
    let (stop, stopped) = watch::channel(false);
    let admin = socket::bind(&config.data)?;
    let admin = tokio::spawn(socket::serve(admin, Arc::clone(&gateway), stopped));
    let (router, server) = if config.server.ops.is_some() {
        let ops = inbound::ops_router(&gateway);
        let public = inbound::public_router(&gateway, config.failures);
        (public, server.with_ops(ops))
    } else {
        (inbound::router(&gateway, config.failures), server)
    };
    drop(gateway);
    let engine = composed.gateway.engine.clone();
    let drained = server.run(router, told_to_stop(engine)?).await;
    tracing::info!(?drained, "stopping");
    let is_broken = composed.gateway.engine.is_stopped();
    // Nobody listening means that it has ended already.
    let _ = stop.send(true);
    let _ = admin.await;
    end(workers, composed).await;
    if is_broken {
        // A restart is the only way on, and loses nothing.
        return Err(
            "the writer ended unexpectedly; the log says why. Start the gateway again".into(),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Allows as many open files as the system lets this process have, and no more connections than
/// there are files for: one too many would take the file that a payment needs.
pub(super) fn fit_open_files(limits: &mut Limits) {
    let open_files = open_files::raise();
    let wanted = limits.connections_max;
    let room = open_files::room_for(wanted, open_files);
    if room < wanted {
        tracing::warn!(
            open_files,
            wanted,
            connections_max = room,
            "fewer connections than wanted are served: {}",
            open_files::ADVICE
        );
        limits.connections_max = room;
    }
}

async fn end(workers: Workers, composed: Composed) {
    workers.stop().await;
    composed.close().await;
    tracing::info!("stopped");
}

/// Completes at the first SIGTERM or SIGINT, or when nothing can be written any more.
fn told_to_stop(engine: Engine) -> std::io::Result<impl Future<Output = ()>> {
    let signalled = signalled()?;
    Ok(async move {
        tokio::select! {
            () = signalled => {}
            () = engine.stopped() => {}
        }
    })
}

/// Completes at the first SIGTERM or SIGINT.
pub(super) fn signalled() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

impl Config {
    /// The settings with the address that was really taken, for links that lead back here.
    fn at(&self, bound: Bound) -> Self {
        let mut config = self.clone();
        config.server.listen = bound.http;
        config
    }
}

/// How this program was called, so that what is printed works when it is typed.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "onetill".to_owned())
}

fn announce(config: &Config, bound: Bound) -> Result<(), CommandError> {
    tracing::info!(http = %bound.http, https = ?bound.https, ops = ?bound.ops, "serving");
    if !config.demo {
        return Ok(());
    }
    let url = format!("http://{}", bound.http);
    let at = if bound.http.port() == 8080 {
        String::new()
    } else {
        format!(" --url {url}")
    };
    let program = program();
    let (store, terminal, card) = (cards::STORE, cards::TERMINAL, cards::CARD);
    let voucher = vouchers::FIRST_CODE;
    let text = format!(
        "
Onetill demo on {url}   (stop with Ctrl-C)

In another terminal, charge a customer's code through the pretended wallet:
  {program} call pay{at} --amount 0.01 --code 284214903060794755
Show the customer a code to pay with, then open the BAR_CODE link it prints:
  {program} call order{at} --amount 0.01 --channel 2
Have a terminal check in, then ask what a member's card holds and let its points pay:
  curl {url}/v1/jpos/terminal/checkin -d storeNo={store} -d terminalNo={terminal} -d operatorNo=001
  curl {url}/v1/jpos/cards -d storeNo={store} -d terminalNo={terminal} -d traceNo=000001 -d cardNo={card}
  curl {url}/v1/jpos/trans/consume -d storeNo={store} -d terminalNo={terminal} -d traceNo=000002 \\
    -d cardNo={card} -d consumeType=012 -d pointAmount=1.50 -d cashAmount=20
Activate a prepaid voucher as a partner does, and see what happened to it:
  {program} call voucher activate{at} {voucher}
  {program} call voucher trace{at} {voucher}
Prove the ledger:
  {program} audit --data {}

Merchant {} with key {}. More: {program} --help, and README.md
",
        config.data.display(),
        demo::MERCHANT,
        demo::KEY,
    );
    output::print(text.trim_end())
}
