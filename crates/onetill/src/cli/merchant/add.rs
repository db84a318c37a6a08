//! `onetill merchant add`.

use super::settings::RuleArgs;
use crate::{
    admin::{Request, merchants::NewMerchant},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
        secret,
    },
};
use clap::Args;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Add a merchant. Without --key-file its key is made up and printed, this once.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill merchant add 0020000007 --tenant acme --name 'Acme, high street'
  onetill merchant add 0020000008 --tenant acme --name 'Acme, station' --channels 1,2 \\
      --english --key-file key.txt")]
pub struct AddArgs {
    /// The code that the merchant's requests name: 1 to 32 letters, digits, - or _
    code: String,
    /// The retailer it belongs to; added when missing
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// Its name, for people [default: its code]
    #[arg(long)]
    name: Option<String>,
    /// File with its signing key; - for stdin
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Its signing key, 16 to 128 characters; others on this machine can see it here
    #[arg(long, conflicts_with = "key_file")]
    key: Option<String>,
    /// The wallets it has contracts for [default: all]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    channels: Option<Vec<u8>>,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) async fn run(
    settings: Settings,
    args: AddArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let given = match (args.key_file, args.key) {
        (Some(path), _) => Some(secret::read_line(&path)?),
        (None, key) => key.map(Zeroizing::new),
    };
    let is_new = given.is_none();
    let key = given.map_or_else(secret::generate, Ok)?;
    let request = Request::AddMerchant(NewMerchant {
        name: args.name.unwrap_or_else(|| args.code.clone()),
        code: args.code.clone(),
        tenant: args.tenant,
        key: key.to_string(),
        channels: args.channels,
        settings: args.rules.for_new(),
    });
    let mut added = admin_request(settings, request).await?;
    let fields = added.as_object_mut().ok_or("the gateway's answer is odd")?;
    if is_new {
        fields.insert("key".to_owned(), key.as_str().into());
    }
    match shape {
        Shape::Json => output::print_json(&added),
        Shape::Text => output::print(&text(&args.code, is_new.then_some(key.as_str()))),
    }
}

fn text(code: &str, key: Option<&str>) -> String {
    let added = format!("merchant {code} is added");
    match key {
        None => added,
        // The one time that a secret is shown, on purpose: nobody else knows it yet.
        Some(key) => format!("{added}\nkey  {key}\nKeep it: it is not shown again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_made_up_key_is_shown() {
        assert_eq!(text("M1", None), "merchant M1 is added");
        assert!(text("M1", Some("K")).contains("key  K\n"));
    }
}
