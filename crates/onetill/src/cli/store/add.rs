//! `onetill store add`.

use super::certificate;
use crate::{
    admin::{Request, loyalty, loyalty::stores::NewStore},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
    },
};
use clap::Args;

/// Add a store.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill store add 102100099990002 --tenant acme --name 'High street' --network 10.1.0.0/16
  onetill terminal add 102100099990002/00000001 --make-key
      and its first terminal")]
pub struct AddArgs {
    /// Its number, which terminals send as storeNo: 1 to 32 letters or digits, unique over all
    /// retailers
    #[arg(value_name = "NO")]
    number: String,
    /// The retailer it belongs to; added when missing
    #[arg(long, env = "ONETILL_TENANT", value_name = "NAME")]
    tenant: String,
    /// Its name, printed on receipts [default: its number]
    #[arg(long)]
    name: Option<String>,
    /// A network its terminals speak from, ADDRESS or ADDRESS/BITS; may be given several times.
    /// Without one, or a certificate, no terminal can check in for the first time
    #[arg(long, value_name = "NETWORK")]
    network: Vec<String>,
    /// A client certificate its terminals show, as a PEM file or as its SHA-256 fingerprint; may be
    /// given several times. Its authority is named by `onetill serve --tls-client-ca`
    #[arg(long, value_name = "FILE|FINGERPRINT")]
    certificate: Vec<String>,
}

pub(super) async fn run(
    settings: Settings,
    args: AddArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let request = loyalty::Request::AddStore(NewStore {
        name: args.name.unwrap_or_else(|| args.number.clone()),
        number: args.number.clone(),
        tenant: args.tenant,
        networks: args.network,
        certificates: certificate::fingerprints(&args.certificate)?,
    });
    let added = admin_request(settings, Request::Loyalty(request)).await?;
    match shape {
        Shape::Json => output::print_json(&added),
        Shape::Text => output::print(&format!("store {} is added", args.number)),
    }
}
