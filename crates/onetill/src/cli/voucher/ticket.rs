//! `onetill voucher ticket`: what a code is good for.

use super::Whose;
use crate::{
    admin::{
        Request,
        voucher::{self, tickets::NewTicket},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::{Args, Subcommand};
use domain::{
    money::Fen,
    voucher::ticket::{Terms, Validity},
};
use jiff::tz::TimeZone;
use serde_json::Value;

#[derive(Subcommand)]
pub enum TicketCommand {
    /// Add a ticket type
    Add(AddArgs),
    /// Show all ticket types
    List,
}

/// Add a ticket type. Codes keep the terms they were issued under.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill voucher ticket add 500813 --tenant demo --name '50元代金券' --face-value 50 --days 365
  onetill voucher ticket add 500814 --tenant demo --name '中杯饮品券' --uses 2
      goods: the till knows what they cost
  onetill voucher ticket add 500815 --tenant demo --name 'Spring' --face-value 5 \\
      --from 2027-03-01 --until 2027-05-31")]
pub struct AddArgs {
    /// Its number
    #[arg(value_name = "TICKET")]
    number: u32,
    /// Its name
    #[arg(long)]
    name: String,
    /// How often a code may be used
    #[arg(long, value_name = "N", default_value_t = 1)]
    uses: u32,
    /// What one use pays, in yuan; nothing for goods
    #[arg(long, value_name = "YUAN", value_parser = fen, default_value = "0")]
    face_value: i64,
    /// Valid for so many days, the one of the activation included [default: for ever]
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "until"])]
    days: Option<u32>,
    /// Valid from this day on, or this time
    #[arg(long, value_name = "DATE", requires = "until")]
    from: Option<String>,
    /// Valid until the end of this day, or this time
    #[arg(long, value_name = "DATE", requires = "from")]
    until: Option<String>,
    /// Take the place of the one that is there, for boxes that are issued from now on
    #[arg(long)]
    replace: bool,
}

/// Yuan with at most two decimals, in fen.
fn fen(text: &str) -> Result<i64, String> {
    let most = wire::jpos::Amount::new(100_000_000);
    let read = wire::jpos::Amount::parse(text, most);
    read.map(|it| it.get()).map_err(|error| error.to_string())
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    command: TicketCommand,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let (request, is_list) = match command {
        TicketCommand::Add(args) => {
            let new = args.ticket(whose, &zone)?;
            (voucher::Request::PutTicket(new), false)
        }
        TicketCommand::List => (voucher::Request::ListTickets, true),
    };
    let answer = client.ask(Request::Voucher(request)).await;
    client.close().await;
    let answer = answer?;
    match shape {
        Shape::Json => output::print_json(&answer),
        Shape::Text if is_list => output::print(&text(&answer, &zone)),
        Shape::Text => output::print(&format!(
            "ticket type {} is there; boxes of it are made with `onetill voucher issue`",
            text_of(&answer, "ticket")
        )),
    }
}

impl AddArgs {
    fn ticket(self, whose: Whose, zone: &TimeZone) -> Result<NewTicket, CommandError> {
        let tenant = whose.tenant;
        let validity = match (self.days, self.from, self.until) {
            (Some(days), _, _) => Validity::Days(days),
            (None, Some(from), Some(until)) => {
                Validity::Between(dates::start(&from, zone)?, dates::end(&until, zone)?)
            }
            (None, _, _) => Validity::Forever,
        };
        Ok(NewTicket {
            tenant: tenant.ok_or("name the retailer with --tenant, or in ONETILL_TENANT")?,
            number: self.number,
            name: self.name,
            terms: Terms {
                uses: self.uses,
                face_value: Fen::new(self.face_value),
                validity,
            },
            replace: self.replace,
        })
    }
}

fn text(tickets: &Value, zone: &TimeZone) -> String {
    let all = tickets.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "there are no ticket types; add one with `onetill voucher ticket add`".to_owned();
    }
    let mut table = Table::new(&[
        ("ticket", Side::Right),
        ("retailer", Side::Left),
        ("name", Side::Left),
        ("uses", Side::Right),
        ("face value", Side::Right),
        ("valid", Side::Left),
    ]);
    for it in all {
        let fen = it.get("face_value_fen").and_then(Value::as_i64);
        table.push([
            text_of(it, "ticket"),
            text_of(it, "tenant"),
            text_of(it, "name"),
            text_of(it, "uses"),
            output::yuan(fen.unwrap_or(0).into()),
            validity(it.get("validity").unwrap_or(&Value::Null), zone),
        ]);
    }
    table.render()
}

fn validity(it: &Value, zone: &TimeZone) -> String {
    if let Some(days) = it.get("Days").and_then(Value::as_u64) {
        return format!("{days} days");
    }
    match it
        .get("Between")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([from, until]) => format!(
            "{} to {}",
            dates::show(from.as_i64(), zone),
            dates::show(until.as_i64(), zone)
        ),
        Some(_) | None => "for ever".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ticket_types_are_a_table() {
        let all = json!([{ "ticket": 500_812, "tenant": "demo", "name": "20元代金券", "uses": 1,
            "face_value_fen": 2000, "validity": { "Days": 365 } }]);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected = "\
ticket  retailer  name        uses  face value  valid
500812  demo      20元代金券     1       20.00  365 days";
        assert_eq!(text(&all, &zone), expected);
        let between = json!({ "Between": [1_795_276_800_000_i64, 1_795_363_200_000_i64] });
        assert_eq!(
            validity(&between, &zone),
            "2026-11-22 00:00 to 2026-11-23 00:00"
        );
        assert_eq!(validity(&json!("Forever"), &zone), "for ever");
    }

    #[test]
    fn a_face_value_is_in_yuan() {
        assert_eq!((fen("20"), fen("0.5")), (Ok(2_000), Ok(50)));
        assert!(fen("-1").is_err() && fen("0.001").is_err());
    }
}
