//! `onetill member add`.

use super::fields::{StatusArg, ticket, voucher};
use crate::{
    admin::{Request, loyalty, loyalty::cards::NewCard},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates,
        output::{self, Shape},
        prompt,
    },
};
use clap::Args;
use domain::loyalty::card::{Holder, Holding};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::path::PathBuf;

/// Add a card.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill member add 9999999999025288 --tenant demo --name 张三 --mobile 13800000000 --points 1000
  onetill member add 9999999999025296 --tenant demo --status stocked
      to be activated at a till
  onetill member add 9999999999025320 --tenant demo --ask-pin --voucher 1:1.00:2:1元代金券 \\
      --ticket 2:03:100:10:100元代金券")]
pub struct AddArgs {
    /// Its number, 8 to 19 digits
    #[arg(value_name = "CARD")]
    number: String,
    /// Where it stands
    #[arg(long, value_enum, default_value = "active")]
    status: StatusArg,
    /// The last day on which it may be used [default: for ever]
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// The month printed on it and on its stripe, YYMM
    #[arg(long, value_name = "YYMM")]
    printed_expiry: Option<String>,
    /// The member's name
    #[arg(long, default_value = "")]
    name: String,
    /// 01 male, 02 female, 00 not known
    #[arg(
        long,
        value_name = "CODE",
        default_value = "",
        hide_default_value = true
    )]
    gender: String,
    /// The member's mobile number
    #[arg(long, value_name = "NO", default_value = "", hide_default_value = true)]
    mobile: String,
    /// Kind of identity paper, 01 to 07
    #[arg(
        long,
        value_name = "CODE",
        default_value = "",
        hide_default_value = true
    )]
    id_type: String,
    /// Its number
    #[arg(long, value_name = "NO", default_value = "", hide_default_value = true)]
    id_no: String,
    /// Postal address
    #[arg(long, default_value = "", hide_default_value = true)]
    address: String,
    /// Email address
    #[arg(long, default_value = "", hide_default_value = true)]
    email: String,
    /// The member's grade, 0 to 3
    #[arg(long, value_name = "N", default_value_t = 0)]
    grade: u8,
    /// The points it begins with
    #[arg(long, value_name = "POINTS")]
    points: Option<String>,
    /// The last day of these points [default: for ever]
    #[arg(long, value_name = "DATE", requires = "points")]
    points_expire: Option<String>,
    /// A voucher it begins with; may be given several times
    #[arg(long, value_name = "ID:YUAN:PIECES[:NAME]", value_parser = voucher)]
    voucher: Vec<Holding>,
    /// A ticket it begins with; kinds are 01 group-buy, 02 exchange, 03 cash
    #[arg(long, value_name = "ID:KIND:YUAN:PIECES[:NAME]", value_parser = ticket)]
    ticket: Vec<Holding>,
    /// Ask for its PIN, or take a line of stdin
    #[arg(long)]
    ask_pin: bool,
    /// File that holds its PIN; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "ask_pin")]
    pin_file: Option<PathBuf>,
}

pub(super) async fn run(
    settings: Settings,
    tenant: String,
    args: AddArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let number = args.number.clone();
    let mut client = AdminClient::new(settings)?;
    let card = args.card(client.zone())?;
    let request = loyalty::Request::AddCards {
        tenant,
        cards: vec![card],
    };
    let answer = client.ask(Request::Loyalty(request)).await;
    client.close().await;
    let answer = answer?;
    if answer.get("added").and_then(Value::as_u64) != Some(1) {
        let text = format!("card {number} exists and stays as it is; see `onetill member show`");
        return Err(text.into());
    }
    match shape {
        Shape::Json => output::print_json(&answer),
        Shape::Text => output::print(&format!("card {number} is added")),
    }
}

impl AddArgs {
    fn card(self, zone: &TimeZone) -> Result<NewCard, CommandError> {
        let last_day = |day: Option<String>| day.map(|it| dates::end(&it, zone)).transpose();
        let pin = if self.ask_pin || self.pin_file.is_some() {
            Some(prompt::secret(self.pin_file.as_deref(), None, "PIN")?)
        } else {
            None
        };
        Ok(NewCard {
            number: self.number,
            status: self.status.status(),
            expires_at: last_day(self.expires)?,
            expiry_yymm: self.printed_expiry,
            holder: Holder {
                name: self.name,
                gender: self.gender,
                mobile: self.mobile,
                id_type: self.id_type,
                id_no: self.id_no,
                address: self.address,
                email: self.email,
            },
            grade: self.grade,
            pin: pin.map(|pin| pin.to_string()),
            points: self.points,
            points_expire_at: last_day(self.points_expire)?,
            lots: Vec::new(),
            tickets: self.voucher.into_iter().chain(self.ticket).collect(),
            codes: Vec::new(),
        })
    }
}
