//! `onetill terminal work`: what waits for an operator's eyes.

use crate::{
    admin::{
        Request,
        loyalty::{self, work::Finished},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        dates, operator,
        output::{self, Shape, Side, Table, text_of},
    },
};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Show what waits for an operator: batches that did not balance, late reversals.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal work
  onetill terminal work done 20261122000000000742 --note 'refunded 3.00 at the till'
      takes it off the list; who did it and when stays in the history
  onetill terminal work history")]
pub struct WorkArgs {
    #[command(subcommand)]
    command: Option<WorkCommand>,
}

#[derive(Subcommand)]
enum WorkCommand {
    /// Take items off the list
    Done(DoneArgs),
    /// Show what was taken off the list, by whom and when
    History,
}

#[derive(Args)]
struct DoneArgs {
    /// The items, by their numbers in the list
    #[arg(value_name = "ITEM", required = true)]
    items: Vec<String>,
    /// Who looked at them, for the history [default: the user of this machine]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// What was done about it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

pub(super) async fn run(
    settings: Settings,
    args: WorkArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let (request, show): (_, Show) = match args.command {
        None => (loyalty::Request::ListWork, waiting),
        Some(WorkCommand::History) => (loyalty::Request::ListWorkDone, history),
        Some(WorkCommand::Done(done)) => (loyalty::Request::FinishWork(done.finished()), history),
    };
    let (items, zone) = ask(settings, request).await?;
    match shape {
        Shape::Json => output::print_json(&items),
        Shape::Text => output::print(&show(&items, &zone)),
    }
}

/// Items for people.
type Show = fn(&Value, &TimeZone) -> String;

impl DoneArgs {
    fn finished(self) -> Finished {
        Finished {
            transactions: self.items,
            by: operator::named(self.by),
            note: self.note,
        }
    }
}

async fn ask(
    settings: Settings,
    request: loyalty::Request,
) -> Result<(Value, TimeZone), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let zone = client.zone().clone();
    let answer = client.ask(Request::Loyalty(request)).await;
    client.close().await;
    Ok((answer?, zone))
}

fn waiting(items: &Value, zone: &TimeZone) -> String {
    let all = items.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "nothing waits for an operator".to_owned();
    }
    let columns = ["item", "at", "tenant", "terminal", "batch", "matter"];
    let mut table = Table::new(&columns.map(|name| (name, Side::Left)));
    for it in all {
        table.push([
            text_of(it, "transaction"),
            at(it, zone),
            text_of(it, "tenant"),
            text_of(it, "terminal"),
            text_of(it, "batch"),
            matter(it),
        ]);
    }
    format!(
        "{}\n\nonetill terminal work done ITEM takes it off the list",
        table.render()
    )
}

fn history(items: &Value, zone: &TimeZone) -> String {
    let all = items.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        return "nothing was taken off the list yet".to_owned();
    }
    let columns = ["item", "terminal", "batch", "matter", "done", "by", "note"];
    let mut table = Table::new(&columns.map(|name| (name, Side::Left)));
    for it in all {
        let done = it.get("done").unwrap_or(&Value::Null);
        table.push([
            text_of(it, "transaction"),
            text_of(it, "terminal"),
            text_of(it, "batch"),
            matter(it),
            at(done, zone),
            text_of(done, "by"),
            text_of(done, "note"),
        ]);
    }
    table.render()
}

fn at(it: &Value, zone: &TimeZone) -> String {
    dates::show(it.get("at").and_then(Value::as_i64), zone)
}

fn matter(it: &Value) -> String {
    let differing = it.get("differing").and_then(Value::as_i64);
    let number = it.get("number").and_then(Value::as_str);
    let more = match (differing, number) {
        (Some(1), _) => ": 1 message".to_owned(),
        (Some(count), _) => format!(": {count} messages"),
        (None, Some(number)) => format!(": {number}"),
        (None, None) => String::new(),
    };
    format!("{}{more}", text_of(it, "matter"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_tables() {
        let items = json!([{ "tenant": "demo", "transaction": "20261122000000000742",
            "at": 1_795_276_800_000_i64, "terminal": "1001/7",
            "matter": "settled with differences", "batch": "000004", "differing": 1,
            "done": { "by": "Li", "at": 1_795_276_860_000_i64, "note": "counted again" } }]);
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let expected = "\
item                  at                tenant  terminal  batch   matter
20261122000000000742  2026-11-22 00:00  demo    1001/7    000004  settled with differences: 1 message

onetill terminal work done ITEM takes it off the list";
        assert_eq!(waiting(&items, &zone), expected);
        let expected = "\
item                  terminal  batch   matter                               done              by  note
20261122000000000742  1001/7    000004  settled with differences: 1 message  2026-11-22 00:01  Li  counted again";
        assert_eq!(history(&items, &zone), expected);
        assert!(waiting(&json!([]), &zone).contains("nothing"));
    }
}
