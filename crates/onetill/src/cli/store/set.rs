//! `onetill store set`.

use super::certificate;
use crate::{
    admin::{Request, loyalty, loyalty::stores::StoreChange},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
    },
};
use clap::{ArgGroup, Args};

/// Change a store; what is not named stays.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill store set 102100099990002 --name 'High street 12'
  onetill store set 102100099990002 --network 10.1.0.0/16 --network 203.0.113.7
      these networks, and no others
  onetill store set 102100099990002 --no-networks
  onetill store set 102100099990002 --certificate old.crt --certificate new.crt
      both, until every terminal has the new one")]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub struct SetArgs {
    /// Its number
    #[arg(value_name = "NO")]
    number: String,
    /// Its name, printed on receipts
    #[arg(long, group = "change")]
    name: Option<String>,
    /// A network its terminals speak from; those named replace all others
    #[arg(long, value_name = "NETWORK", group = "change")]
    network: Vec<String>,
    /// Admit its terminals from no network: each message needs a MAC, and none can check in for the first time
    #[arg(long, conflicts_with = "network", group = "change")]
    no_networks: bool,
    /// A client certificate its terminals show, as a PEM file or as its SHA-256 fingerprint; those
    /// named replace all others
    #[arg(long, value_name = "FILE|FINGERPRINT", group = "change")]
    certificate: Vec<String>,
    /// Admit its terminals by no certificate
    #[arg(long, conflicts_with = "certificate", group = "change")]
    no_certificates: bool,
}

pub(super) async fn run(
    settings: Settings,
    args: SetArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let is_given = args.no_networks || !args.network.is_empty();
    let names_certificates = args.no_certificates || !args.certificate.is_empty();
    let certificates = certificate::fingerprints(&args.certificate)?;
    let request = loyalty::Request::SetStore(StoreChange {
        number: args.number.clone(),
        name: args.name,
        networks: is_given.then_some(args.network),
        certificates: names_certificates.then_some(certificates),
    });
    let changed = admin_request(settings, Request::Loyalty(request)).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&format!("store {} is changed", args.number)),
    }
}
