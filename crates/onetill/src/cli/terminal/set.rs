//! `onetill terminal set`, and a terminal's profile as options.

use super::NameArgs;
use crate::{
    admin::{Request, loyalty, loyalty::terminals::TerminalChange},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        output::{self, Shape},
    },
};
use clap::{Args, ValueEnum};
use domain::loyalty::terminal::{KeyLayout, Profile, TimeUnit};
use serde_json::Value;

/// How a terminal is spoken to; what is absent stays, or is the default.
#[derive(Args, Clone)]
pub struct ProfileArgs {
    /// How many bytes its working keys have: 24 for keys of single length, 40 for a PIN key of
    /// double length [default: 24]
    #[arg(long, value_enum, value_name = "BYTES")]
    layout: Option<LayoutArg>,
    /// Each message but the check-in must carry a MAC [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    mac: Option<bool>,
    /// What transTime counts [default: s]
    #[arg(long, value_enum, value_name = "UNIT")]
    time_unit: Option<UnitArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LayoutArg {
    #[value(name = "24")]
    Bytes24,
    #[value(name = "40")]
    Bytes40,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UnitArg {
    /// Seconds since 1970
    S,
    /// Milliseconds since 1970
    Ms,
}

impl ProfileArgs {
    /// `before` with what was given.
    pub(super) fn changed(&self, before: Profile) -> Profile {
        Profile {
            key_layout: self.layout.map_or(before.key_layout, |it| match it {
                LayoutArg::Bytes24 => KeyLayout::Bytes24,
                LayoutArg::Bytes40 => KeyLayout::Bytes40,
            }),
            mac_required: self.mac.unwrap_or(before.mac_required),
            time_unit: self.time_unit.map_or(before.time_unit, |it| match it {
                UnitArg::S => TimeUnit::Seconds,
                UnitArg::Ms => TimeUnit::Milliseconds,
            }),
        }
    }

    const fn is_empty(&self) -> bool {
        self.layout.is_none() && self.mac.is_none() && self.time_unit.is_none()
    }
}

/// Change how a terminal is spoken to; what is not named stays.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal set 102100099990002/00000001 --mac
      each of its messages must carry a MAC from now on; --mac=false lets them go without
  onetill terminal set 102100099990002/00000001 --layout 40 --time-unit ms")]
pub struct SetArgs {
    #[command(flatten)]
    name: NameArgs,
    #[command(flatten)]
    profile: ProfileArgs,
}

pub(super) async fn run(
    settings: Settings,
    args: SetArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    if args.profile.is_empty() {
        return Err("say what is to change: --layout, --mac or --time-unit".into());
    }
    let mut client = AdminClient::new(settings)?;
    let changed = change(&mut client, &args).await;
    client.close().await;
    let changed = changed?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&format!("terminal {} is changed", args.name.name.number)),
    }
}

async fn change(client: &mut AdminClient, args: &SetArgs) -> Result<Value, CommandError> {
    let shown = super::list::find(client, &args.name).await?;
    let before = shown.get("profile").cloned().unwrap_or_default();
    let before: Profile = serde_json::from_value(before)?;
    let change = TerminalChange {
        store: args.name.name.store_no.clone(),
        number: args.name.name.number.clone(),
        blocked: None,
        profile: Some(args.profile.changed(before)),
    };
    let request = loyalty::Request::SetTerminal(change);
    client.ask(Request::Loyalty(request)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        profile: ProfileArgs,
    }

    #[test]
    fn what_is_not_named_stays() {
        let changed = |words: &[&str], before| {
            let words = std::iter::once("x").chain(words.iter().copied());
            let parsed = TestCli::try_parse_from(words).map_err(|error| error.to_string());
            parsed.unwrap().profile.changed(before)
        };
        let default = Profile::default();
        assert_eq!(changed(&[], default), default);
        let strict = changed(&["--mac", "--layout", "40", "--time-unit", "ms"], default);
        assert_eq!(strict.key_layout, KeyLayout::Bytes40);
        assert_eq!(strict.time_unit, TimeUnit::Milliseconds);
        let lax = changed(&["--mac=false"], strict);
        assert_eq!(
            (lax.mac_required, lax.key_layout),
            (false, KeyLayout::Bytes40)
        );
    }
}
