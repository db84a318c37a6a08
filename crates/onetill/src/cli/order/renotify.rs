//! `onetill order renotify`.

use super::NameArgs;
use crate::{
    admin::{Request, orders::OrderName},
    cli::{
        CommandError, Settings,
        admin_client::{AdminClient, admin_request},
        output::{self, Shape},
    },
};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Send a payment's or top-up's notification again.
#[derive(Args)]
pub struct RenotifyArgs {
    /// The gateway's serial, 20 digits; or, with --merchant, the merchant's own
    #[arg(required_unless_present = "dead")]
    serial: Option<String>,
    /// The merchant's code
    #[arg(long, value_name = "CODE", requires = "serial")]
    merchant: Option<String>,
    /// Send all again that were given up
    #[arg(long, conflicts_with = "serial")]
    dead: bool,
}

pub(super) async fn run(
    settings: Settings,
    args: RenotifyArgs,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let merchant = args.merchant;
    let Some(serial) = args.serial else {
        return run_dead(settings, shape).await;
    };
    let name = OrderName::from(NameArgs { serial, merchant });
    let notification = admin_request(settings, Request::Renotify(name)).await?;
    match shape {
        Shape::Json => output::print_json(&notification)?,
        Shape::Text => output::print(&format!(
            "the notification is {}",
            super::show::notification_text(&notification)
        ))?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_dead(settings: Settings, shape: Shape) -> Result<ExitCode, CommandError> {
    let mut client = AdminClient::new(settings)?;
    let done = renotify_dead(&mut client).await;
    client.close().await;
    let (sent, failed) = done?;
    match shape {
        Shape::Json => output::print_json(&json!({ "sent_again": sent, "failed": failed }))?,
        Shape::Text => output::print(&format!("{sent} notifications will be sent again"))?,
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Dead ones come in pages; a page that brings nothing on its way is the last.
async fn renotify_dead(client: &mut AdminClient) -> Result<(u64, u64), CommandError> {
    let mut sent = 0;
    loop {
        let dead = client.ask(Request::DeadNotifications).await?;
        let before = sent;
        let mut failed = 0;
        for serial in serials(&dead) {
            let name = OrderName {
                serial: serial.clone(),
                merchant: None,
            };
            match client.ask(Request::Renotify(name)).await {
                Ok(_) => sent += 1,
                Err(error) => {
                    failed += 1;
                    output::note(&format!("{serial}: {error}"));
                }
            }
        }
        if sent == before {
            return Ok((sent, failed));
        }
    }
}

fn serials(notifications: &Value) -> Vec<String> {
    let all = notifications.as_array().into_iter().flatten();
    all.filter_map(|it| it.get("gateway_serial")?.as_str().map(str::to_owned))
        .collect()
}
