//! `onetill program set`.

use super::{Whose, hundredths};
use crate::{
    admin::{Request, loyalty, loyalty::program_changes::ProgramPatch},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, text_of},
    },
};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::{fs, path::PathBuf};

/// Change rules; what is not named stays.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill program set --tenant demo --earn-rate 1.5 --grade-multipliers 1,1.2,1.5,2
  onetill program set --tenant demo --card-points-per-day 5000 --card-times-per-day none
  onetill program set --tenant demo --clawback negative --by 'Finance, Li'
  onetill program set --tenant demo --file rules.json
      several at once, as `onetill program show --json` names them")]
pub struct SetArgs {
    /// How many points pay one yuan
    #[arg(long, value_name = "N")]
    points_per_yuan: Option<i64>,
    /// Points earned for a yuan of cash
    #[arg(long, value_name = "POINTS", value_parser = hundredths::read)]
    earn_rate: Option<i64>,
    /// What grades 0, 1, 2 and 3 multiply earned points with
    #[arg(long, value_name = "N,N,N,N", value_delimiter = ',', value_parser = hundredths::read)]
    grade_multipliers: Option<Vec<i64>>,
    /// Days until earned points may be spent
    #[arg(long, value_name = "DAYS")]
    pending_days: Option<u32>,
    /// Months that points live, to the end of that month; none for ever
    #[arg(long, value_name = "MONTHS", value_parser = hundredths::count)]
    expiry_months: Option<Count>,
    /// When earned points that go back were spent: the member pays cash, owes points, or the sale
    /// cannot be taken back
    #[arg(long, value_enum)]
    clawback: Option<ClawbackArg>,
    /// The 12-month spending, in yuan, from which grades 1, 2 and 3 begin; none sets grades by hand
    #[arg(long, value_name = "YUAN,…", value_parser = grades)]
    grade_from: Option<Grades>,
    /// Whether a sale may be returned at any store of the retailer
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    refund_anywhere: Option<bool>,
    /// Whether track 2 must carry the card's expiry too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    track2_expiry: Option<bool>,
    #[command(flatten)]
    limits: LimitArgs,
    /// File with rules as a JSON object; what the options name wins
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

type Count = Option<u32>;
type Hundredths = Option<i64>;

/// Limits of a day and of one message; none takes a limit away.
#[derive(Args)]
#[command(next_help_heading = "Limits (none for no limit)")]
struct LimitArgs {
    /// Points that a card may spend in a day
    #[arg(long, value_name = "POINTS", value_parser = hundredths::limit)]
    card_points_per_day: Option<Hundredths>,
    /// How often a card may spend points or tickets in a day
    #[arg(long, value_name = "N", value_parser = hundredths::count)]
    card_times_per_day: Option<Count>,
    /// Points that a card may spend at once
    #[arg(long, value_name = "POINTS", value_parser = hundredths::limit)]
    card_points_at_once: Option<Hundredths>,
    /// Points that may be spent at a terminal in a day
    #[arg(long, value_name = "POINTS", value_parser = hundredths::limit)]
    terminal_points_per_day: Option<Hundredths>,
    /// How often points or tickets may be spent at a terminal in a day
    #[arg(long, value_name = "N", value_parser = hundredths::count)]
    terminal_times_per_day: Option<Count>,
    /// Points that may be spent at a terminal at once
    #[arg(long, value_name = "POINTS", value_parser = hundredths::limit)]
    terminal_points_at_once: Option<Hundredths>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClawbackArg {
    /// The member pays them in cash
    Cash,
    /// The member's points go below zero
    Negative,
    /// The sale cannot be taken back
    Refuse,
}

/// Amounts from which grades begin, in fen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grades(Vec<i64>);

fn grades(text: &str) -> Result<Grades, String> {
    if text == "none" {
        return Ok(Grades(Vec::new()));
    }
    let amounts = text.split(',').map(|it| hundredths::read(it.trim()));
    amounts.collect::<Result<_, _>>().map(Grades)
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    args: SetArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let rules = args.rules()?;
    if rules.is_empty() {
        return Err("say what is to change; see `onetill program set --help`".into());
    }
    let request = loyalty::Request::PatchProgram(ProgramPatch {
        tenant: whose.tenant,
        by: whose.by,
        rules,
    });
    let changed = admin_request(settings, Request::Loyalty(request)).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&format!(
            "the program is changed; this is version {}",
            text_of(&changed, "version")
        )),
    }
}

impl SetArgs {
    /// The rules that change, by name.
    fn rules(self) -> Result<Map<String, Value>, CommandError> {
        let mut rules = match &self.file {
            None => Map::new(),
            Some(path) => {
                let name = path.display();
                let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
                let read = serde_json::from_str(&text);
                read.map_err(|error| format!("{name}: no JSON object: {error}"))?
            }
        };
        let clawback = self.clawback.map(|it| match it {
            ClawbackArg::Cash => "cash",
            ClawbackArg::Negative => "negative",
            ClawbackArg::Refuse => "refuse",
        });
        let named = [
            ("points_per_yuan", self.points_per_yuan.map(|it| json!(it))),
            ("earn_rate", self.earn_rate.map(|it| json!(it))),
            (
                "grade_multipliers",
                self.grade_multipliers.map(|it| json!(it)),
            ),
            ("pending_days", self.pending_days.map(|it| json!(it))),
            ("expiry_months", self.expiry_months.map(|it| json!(it))),
            ("clawback", clawback.map(|it| json!(it))),
            ("grade_from", self.grade_from.map(|it| json!(it.0))),
            ("refund_anywhere", self.refund_anywhere.map(|it| json!(it))),
            ("track2_expiry", self.track2_expiry.map(|it| json!(it))),
            ("card_limits", self.limits.card()),
            ("terminal_limits", self.limits.terminal()),
        ];
        let named = named.into_iter();
        rules.extend(named.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(rules)
    }
}

impl LimitArgs {
    fn card(&self) -> Option<Value> {
        limits(
            self.card_points_per_day,
            self.card_times_per_day,
            self.card_points_at_once,
        )
    }

    fn terminal(&self) -> Option<Value> {
        limits(
            self.terminal_points_per_day,
            self.terminal_times_per_day,
            self.terminal_points_at_once,
        )
    }
}

/// The limits that were given, by name.
fn limits(
    points_per_day: Option<Hundredths>,
    count_per_day: Option<Count>,
    points_per_trans: Option<Hundredths>,
) -> Option<Value> {
    let named = [
        ("points_per_day", points_per_day.map(|it| json!(it))),
        ("count_per_day", count_per_day.map(|it| json!(it))),
        ("points_per_trans", points_per_trans.map(|it| json!(it))),
    ];
    let named = named.into_iter();
    let given: Map<String, Value> = named
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    (!given.is_empty()).then_some(Value::Object(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        set: SetArgs,
    }

    fn rules(words: &str) -> Value {
        let words = std::iter::once("set").chain(words.split(' '));
        let parsed = TestCli::try_parse_from(words).map_err(|error| error.to_string());
        parsed.unwrap().set.rules().unwrap().into()
    }

    #[test]
    fn only_what_is_named_is_sent() {
        let sent = rules("--earn-rate 1.5 --grade-multipliers 1,1.2,1.5,2 --clawback negative");
        let expected = json!({ "earn_rate": 150, "grade_multipliers": [100, 120, 150, 200],
                               "clawback": "negative" });
        assert_eq!(sent, expected);
        let sent = rules("--expiry-months none --grade-from 1000,5000 --refund-anywhere");
        let expected = json!({ "expiry_months": null, "grade_from": [100_000, 500_000],
                               "refund_anywhere": true });
        assert_eq!(sent, expected);
        let sent = rules("--card-points-per-day 50 --card-times-per-day none --grade-from none");
        let expected = json!({ "card_limits": { "points_per_day": 5000, "count_per_day": null },
                               "grade_from": [] });
        assert_eq!(sent, expected);
    }
}
