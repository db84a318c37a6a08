//! `onetill partner add`.

use super::set::RuleArgs;
use crate::{
    admin::{
        Request,
        voucher::{self, partners::NewPartner},
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
    },
};
use clap::Args;

/// Add a partner.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill partner add 1504 --tenant demo --merchant-id 10001 --name 'Gift shop'
  onetill partner token 1504
      then make what it is let in with")]
pub struct AddArgs {
    /// The partner's number, which it names in its messages
    #[arg(value_name = "PARTNER")]
    number: u32,
    /// The retailer whose vouchers it sells; added when missing
    #[arg(long, env = "ONETILL_TENANT", value_name = "NAME")]
    tenant: String,
    /// The account it names beside its number
    #[arg(long, value_name = "ID")]
    merchant_id: String,
    /// Its name, for people
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) async fn run(
    settings: Settings,
    by: String,
    args: AddArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let number = args.number;
    let request = voucher::Request::AddPartner(NewPartner {
        number,
        tenant: args.tenant,
        merchant_id: args.merchant_id,
        name: args.name,
        settings: args.rules.settings(),
        by,
    });
    let added = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&added),
        Shape::Text => output::print(&format!(
            "partner {number} is added; let it in with `onetill partner token {number}`"
        )),
    }
}
