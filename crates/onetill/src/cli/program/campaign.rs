//! `onetill program campaign`.

use super::{Whose, hundredths};
use crate::{
    admin::{
        Request, loyalty,
        loyalty::program_changes::{CampaignEnd, NewCampaign},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, text_of},
    },
};
use clap::Args;
use domain::{
    loyalty::{
        points::Points,
        program::{Campaign, Gift},
        store::StoreNo,
    },
    money::Fen,
};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Add a campaign: points on top, or just a line at the till.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill program campaign add 'Double points' --tenant demo --from 2026-12-01 \\
      --until 2026-12-24 --multiplier 2 --advertisement '双倍积分'
  onetill program campaign add 'Opening' --tenant demo --from 2026-12-01 --until 2026-12-07 \\
      --at 102100099990002 --bonus 100 --cash-min 50
  onetill program campaign add 'Hello' --tenant demo --from 2026-12-01 --until 2026-12-31 \\
      --advertisement '欢迎'")]
pub struct AddArgs {
    /// Its name, for people
    name: String,
    /// The first day, or a time
    #[arg(long, value_name = "DATE")]
    from: String,
    /// The last day, or a time
    #[arg(long, value_name = "DATE")]
    until: String,
    /// A store it runs in, by its number; may be given several times [default: all]
    #[arg(long, value_name = "STORE")]
    at: Vec<String>,
    /// Earned points are multiplied with this
    #[arg(long, value_name = "N", value_parser = hundredths::read)]
    multiplier: Option<i64>,
    /// Points on top of those earned
    #[arg(long, value_name = "POINTS", value_parser = hundredths::read,
          conflicts_with = "multiplier")]
    bonus: Option<i64>,
    /// The least cash, in yuan, that brings the bonus
    #[arg(long, value_name = "YUAN", value_parser = hundredths::read, requires = "bonus")]
    cash_min: Option<i64>,
    /// The line shown at the till
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    advertisement: String,
}

/// End a campaign.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill program campaign end 'Double points' --tenant demo
  onetill program campaign end 'Double points' --tenant demo --after 2026-12-20")]
pub struct EndArgs {
    /// Its name
    name: String,
    /// Its last day, or a time [default: now]
    #[arg(long, value_name = "DATE")]
    after: Option<String>,
}

pub(super) async fn add(
    settings: Settings,
    whose: Whose,
    args: AddArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let name = args.name.clone();
    let mut client = AdminClient::new(settings)?;
    let campaign = args.campaign(client.zone())?;
    let request = loyalty::Request::AddCampaign(NewCampaign {
        tenant: whose.tenant,
        by: whose.by,
        campaign,
    });
    let changed = client.ask(Request::Loyalty(request)).await;
    client.close().await;
    tell(&changed?, &format!("campaign {name} is added"), shape)
}

pub(super) async fn end(
    settings: Settings,
    whose: Whose,
    args: EndArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let text = format!("campaign {} is ended", args.name);
    let mut client = AdminClient::new(settings)?;
    let at = args.after.map(|day| dates::end(&day, client.zone()));
    let request = loyalty::Request::EndCampaign(CampaignEnd {
        tenant: whose.tenant,
        by: whose.by,
        name: args.name,
        at: at.transpose()?,
    });
    let changed = client.ask(Request::Loyalty(request)).await;
    client.close().await;
    tell(&changed?, &text, shape)
}

fn tell(changed: &Value, text: &str, shape: Shape) -> Result<(), CommandError> {
    match shape {
        Shape::Json => output::print_json(changed),
        Shape::Text => {
            let version = text_of(changed, "version");
            output::print(&format!("{text}; this is version {version} of the program"))
        }
    }
}

impl AddArgs {
    fn campaign(self, zone: &TimeZone) -> Result<Campaign, CommandError> {
        let store = |number: &String| {
            StoreNo::parse(number).ok_or_else(|| format!("{number} is no number of a store"))
        };
        let gift = match (self.multiplier, self.bonus) {
            (Some(times), _) => Gift::Multiplier(times),
            (None, Some(points)) => Gift::Bonus {
                points: Points::new(points),
                cash_min: Fen::new(self.cash_min.unwrap_or(0)),
            },
            (None, None) => Gift::None,
        };
        Ok(Campaign {
            name: self.name,
            from: dates::start(&self.from, zone)?,
            until: dates::end(&self.until, zone)?,
            stores: self.at.iter().map(store).collect::<Result<_, _>>()?,
            gift,
            advertisement: self.advertisement,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        add: AddArgs,
    }

    #[test]
    fn a_campaign_runs_from_its_first_to_the_end_of_its_last_day() {
        let words = "add X --from 2026-11-22 --until 2026-11-22 --at 88001 --bonus 10 --cash-min 5";
        let parsed = TestCli::try_parse_from(words.split(' ')).map_err(|it| it.to_string());
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let campaign = parsed.unwrap().add.campaign(&zone).unwrap();
        assert_eq!(campaign.until.since_ms(campaign.from), 24 * 3_600_000);
        let expected = Gift::Bonus {
            points: Points::new(1000),
            cash_min: Fen::new(500),
        };
        assert_eq!((campaign.gift, campaign.stores.len()), (expected, 1));
    }
}
