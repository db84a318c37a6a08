//! `onetill merchant set`.

use super::settings::RuleArgs;
use crate::{
    admin::{Request, merchants::MerchantChange},
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

/// Change a merchant; what is not named stays.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill merchant set 0020000007 --suspended
      nothing is charged for it any more; --suspended=false lets it go on
  onetill merchant set 0020000007 --channels 1,2 --english=false
  onetill merchant set 0020000007 --new-key
      its old key is void at once; the new one is printed this once")]
pub struct SetArgs {
    /// The merchant's code
    code: String,
    /// Its name, for people
    #[arg(long)]
    name: Option<String>,
    /// File with a new signing key; - for stdin
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A new signing key; others on this machine can see it here
    #[arg(long, conflicts_with = "key_file")]
    key: Option<String>,
    /// Make up a new key and print it, this once
    #[arg(long, conflicts_with_all = ["key", "key_file"])]
    new_key: bool,
    /// The wallets it has contracts for
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    channels: Option<Vec<u8>>,
    /// Charge nothing for it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    suspended: Option<bool>,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) async fn run(
    settings: Settings,
    args: SetArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let key = match (&args.key_file, &args.key, args.new_key) {
        (Some(path), _, _) => Some(secret::read_line(path)?),
        (None, Some(key), _) => Some(Zeroizing::new(key.clone())),
        (None, None, true) => Some(secret::generate()?),
        (None, None, false) => None,
    };
    let shown = key.clone().filter(|_| args.new_key);
    let code = args.code.clone();
    let request = Request::SetMerchant(args.change(key.map(|key| key.to_string())));
    let mut changed = admin_request(settings, request).await?;
    let fields = changed
        .as_object_mut()
        .ok_or("the gateway's answer is odd")?;
    if let Some(key) = &shown {
        fields.insert("key".to_owned(), key.as_str().into());
    }
    match (shape, shown) {
        (Shape::Json, _) => output::print_json(&changed),
        (Shape::Text, None) => output::print(&format!("merchant {code} is changed")),
        (Shape::Text, Some(key)) => output::print(&format!(
            "merchant {code} is changed\nkey  {}\nKeep it: it is not shown again.",
            key.as_str()
        )),
    }
}

impl SetArgs {
    fn change(self, key: Option<String>) -> MerchantChange {
        MerchantChange {
            code: self.code,
            name: self.name,
            key,
            channels: self.channels,
            suspended: self.suspended,
            english: self.rules.english,
            require_query_sign: self.rules.require_query_sign,
            signature_max_age_s: self.rules.signature_max_age,
            replay_identical: self.rules.replay_identical,
            cancel_paid_by_approval: self.rules.cancel_paid_by_approval,
            requests_per_s: self.rules.requests_per_s,
        }
    }
}
