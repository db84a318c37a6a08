//! `onetill partner set`, `bind-address`, `block`, and a partner's rules as options.

use crate::{
    admin::{
        Request,
        voucher::{
            self,
            partners::{Limit, PartnerChange},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape},
    },
};
use clap::Args;
use domain::voucher::partner::PartnerSettings;

/// The most of a limit; `None` for none.
type Most<T> = Option<T>;

/// How a partner is treated; what is absent stays, or is the default.
#[derive(Args, Clone, Default)]
pub struct RuleArgs {
    /// Take `skip` for a signature, with the token or from the bound address [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    skip_signature: Option<bool>,
    /// Trace numbers must start with the day's date, yyyyMMdd [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    dated_trace_no: Option<bool>,
    /// `number` must be the number of the segment's cards [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    check_number: Option<bool>,
    /// Answer in English instead of Chinese [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    english: Option<bool>,
    /// At most so many codes may be activated in a day; none for any number [default: none]
    #[arg(long, value_name = "N", value_parser = limit::<i64>)]
    codes_per_day: Option<Most<i64>>,
    /// At most so many requests a second; none for any number [default: none]
    #[arg(long, value_name = "N", value_parser = limit::<u32>)]
    requests_per_s: Option<Most<u32>>,
}

fn limit<T: std::str::FromStr + PartialOrd + From<u8>>(text: &str) -> Result<Most<T>, String> {
    if text == "none" {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|it: &T| *it >= T::from(1));
    let number = number.ok_or_else(|| "write a number from 1 on, or none".to_owned())?;
    Ok(Some(number))
}

impl RuleArgs {
    /// The rules of a new partner.
    pub(super) fn settings(&self) -> PartnerSettings {
        PartnerSettings {
            english: self.english.unwrap_or_default(),
            skip_signature: self.skip_signature.unwrap_or_default(),
            dated_trace_no: self.dated_trace_no.unwrap_or_default(),
            check_number: self.check_number.unwrap_or_default(),
            codes_per_day: self.codes_per_day.flatten(),
            requests_per_s: self.requests_per_s.flatten(),
        }
    }
}

/// Change a partner; what is not named stays.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill partner set 1504 --codes-per-day 100000 --requests-per-s 50
  onetill partner set 1504 --codes-per-day none --english
  onetill partner set 1504 --skip-signature=false
      each activeByPartNo must carry a signature from now on")]
pub struct SetArgs {
    /// The partner's number
    #[arg(value_name = "PARTNER")]
    number: u32,
    /// The account it names beside its number
    #[arg(long, value_name = "ID")]
    merchant_id: Option<String>,
    /// Its name, for people
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Say from which addresses a partner speaks, for middleware that sends no token.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill partner bind-address 1504 203.0.113.7 10.2.0.0/16
  onetill partner bind-address 1504 --none
      only its token lets it in")]
pub struct BindArgs {
    /// The partner's number
    #[arg(value_name = "PARTNER")]
    number: u32,
    /// Addresses, or addresses with a prefix length; they replace those before
    #[arg(value_name = "NETWORK", required_unless_present = "none")]
    networks: Vec<String>,
    /// It is known by no address any more
    #[arg(long, conflicts_with = "networks")]
    none: bool,
}

pub(super) async fn run(
    settings: Settings,
    by: String,
    args: SetArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let number = args.number;
    let rules = args.rules;
    let change = PartnerChange {
        number,
        by,
        merchant_id: args.merchant_id,
        name: args.name,
        english: rules.english,
        skip_signature: rules.skip_signature,
        dated_trace_no: rules.dated_trace_no,
        check_number: rules.check_number,
        codes_per_day: rules.codes_per_day.map(|max| Limit { max }),
        requests_per_s: rules.requests_per_s.map(|max| Limit { max }),
        ..PartnerChange::default()
    };
    carry_out(
        settings,
        change,
        shape,
        &format!("partner {number} is changed"),
    )
    .await
}

pub(super) async fn bind(
    settings: Settings,
    by: String,
    args: BindArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let number = args.number;
    let said = match args.networks.as_slice() {
        [] => "no address any more".to_owned(),
        networks => networks.join(", "),
    };
    let change = PartnerChange {
        number,
        by,
        networks: Some(args.networks),
        ..PartnerChange::default()
    };
    let text = format!("partner {number} is known by {said}");
    carry_out(settings, change, shape, &text).await
}

pub(super) async fn block(
    settings: Settings,
    by: String,
    number: u32,
    blocked: bool,
    shape: Shape,
) -> Result<(), CommandError> {
    let change = PartnerChange {
        number,
        by,
        blocked: Some(blocked),
        ..PartnerChange::default()
    };
    let done = if blocked { "blocked" } else { "unblocked" };
    carry_out(
        settings,
        change,
        shape,
        &format!("partner {number} is {done}"),
    )
    .await
}

async fn carry_out(
    settings: Settings,
    change: PartnerChange,
    shape: Shape,
    text: &str,
) -> Result<(), CommandError> {
    let empty = PartnerChange {
        number: change.number,
        by: change.by.clone(),
        ..PartnerChange::default()
    };
    if change == empty {
        return Err("say what is to change; see `onetill partner set --help`".into());
    }
    let request = voucher::Request::SetPartner(change);
    let changed = admin_request(settings, Request::Voucher(request)).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_none() {
        assert_eq!(limit::<i64>("7"), Ok(Some(7)));
        assert_eq!(limit::<u32>("none"), Ok(None));
        for wrong in ["", "0", "-1", "many"] {
            assert!(limit::<i64>(wrong).is_err(), "{wrong}");
        }
    }
}
