//! `onetill voucher activity`: what codes are sold under.

use super::Whose;
use crate::{
    admin::{
        Request,
        voucher::{self, tickets::NewActivity},
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::{Args, Subcommand};
use serde_json::Value;

#[derive(Subcommand)]
pub enum ActivityCommand {
    /// Add an activity
    Add(AddArgs),
    /// Show all activities
    List,
}

/// Add an activity. Boxes keep the names they were issued under.
#[derive(Args)]
#[command(after_help = "Example:
  onetill voucher activity add 500707 --tenant demo --name 'Spring 2027' \\
      --sale-channel 'Gift shop' --send-channel Printer")]
pub struct AddArgs {
    /// Its number
    #[arg(value_name = "ACTIVITY")]
    number: u32,
    /// Its name
    #[arg(long)]
    name: String,
    /// Through whom the codes are sold
    #[arg(long, value_name = "NAME")]
    sale_channel: String,
    /// Through whom the codes are sent
    #[arg(long, value_name = "NAME")]
    send_channel: String,
    /// Take the place of the one that is there, for boxes that are issued from now on
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    command: ActivityCommand,
    shape: Shape,
) -> Result<(), CommandError> {
    let (request, is_list) = match command {
        ActivityCommand::Add(args) => {
            let tenant = whose.tenant;
            let new = NewActivity {
                tenant: tenant.ok_or("name the retailer with --tenant, or in ONETILL_TENANT")?,
                number: args.number,
                name: args.name,
                sale_channel: args.sale_channel,
                send_channel: args.send_channel,
                replace: args.replace,
            };
            (voucher::Request::PutActivity(new), false)
        }
        ActivityCommand::List => (voucher::Request::ListActivities, true),
    };
    let answer = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&answer),
        Shape::Text if is_list => output::print(&text(&answer)),
        Shape::Text => output::print(&format!(
            "activity {} is there",
            text_of(&answer, "activity")
        )),
    }
}

fn text(activities: &Value) -> String {
    let all = activities.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "there are no activities; add one with `onetill voucher activity add`".to_owned();
    }
    let mut table = Table::new(&[
        ("activity", Side::Right),
        ("retailer", Side::Left),
        ("name", Side::Left),
        ("sold by", Side::Left),
        ("sent by", Side::Left),
    ]);
    for it in all {
        table.push([
            text_of(it, "activity"),
            text_of(it, "tenant"),
            text_of(it, "name"),
            text_of(it, "sale_channel"),
            text_of(it, "send_channel"),
        ]);
    }
    table.render()
}
