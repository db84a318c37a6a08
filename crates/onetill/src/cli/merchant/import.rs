//! `onetill merchant import`.

use crate::{
    admin::{Request, merchants::NewMerchant},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        csv::cells,
        output::{self, Shape},
    },
};
use clap::Args;
use domain::merchant::MerchantSettings;
use serde_json::{Value, json};
use std::{collections::HashSet, fs, path::PathBuf};

/// How many merchants one request adds.
const BATCH: usize = 100;

/// Add the merchants of a CSV file.
///
/// The first line names the columns: code, key, and optionally name. The file is checked as a
/// whole before the first merchant is added.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill merchant import merchants.csv --tenant acme
  onetill merchant import merchants.csv --tenant acme --skip-existing
      again, after the file has grown

merchants.csv:
  code,key,name
  0020000007,kyxq2v…,Acme high street
  0020000008,p7gw4c…,\"Acme, station\"")]
pub struct ImportArgs {
    /// The file
    file: PathBuf,
    /// The retailer they belong to; added when missing
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// The wallets they have contracts for [default: all]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    channels: Option<Vec<u8>>,
    /// Leave merchants that exist as they are, instead of refusing the file
    #[arg(long)]
    skip_existing: bool,
}

pub(super) async fn run(
    settings: Settings,
    args: ImportArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let name = args.file.display().to_string();
    let text = fs::read_to_string(&args.file).map_err(|error| format!("{name}: {error}"))?;
    let rows = read(&text).map_err(|error| format!("{name}: {error}"))?;
    let mut client = AdminClient::new(settings)?;
    let done = import(&mut client, &args, rows).await;
    client.close().await;
    let (added, skipped) = done?;
    match shape {
        Shape::Json => output::print_json(&json!({ "added": added, "skipped": skipped })),
        Shape::Text if skipped == 0 => output::print(&format!("{added} merchants are added")),
        Shape::Text => output::print(&format!(
            "{added} merchants are added, {skipped} were there already"
        )),
    }
}

async fn import(
    client: &mut AdminClient,
    args: &ImportArgs,
    rows: Vec<Row>,
) -> Result<(usize, usize), CommandError> {
    // A store that is not there yet is begun by adding nothing to it.
    let nobody = Vec::new();
    client
        .ask(Request::AddMerchants { merchants: nobody })
        .await?;
    let known = codes(&client.ask(Request::ListMerchants).await?);
    let (old, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| known.contains(&row.code));
    if let Some(row) = old.first().filter(|_| !args.skip_existing) {
        let text = format!(
            "line {}: merchant {} exists; leave those out, or let --skip-existing do it",
            row.line, row.code
        );
        return Err(text.into());
    }
    let progress = output::bar(new.len() as u64, "importing");
    let added = new.len();
    for batch in new.chunks(BATCH) {
        let merchants = batch.iter().map(|row| row.merchant(args)).collect();
        let done = progress.position();
        client
            .ask(Request::AddMerchants { merchants })
            .await
            .map_err(|error| format!("after {done} merchants were added: {error}"))?;
        progress.inc(batch.len() as u64);
    }
    progress.finish_and_clear();
    Ok((added, old.len()))
}

fn codes(merchants: &Value) -> HashSet<String> {
    let all = merchants.as_array().into_iter().flatten();
    all.filter_map(|it| it.get("code")?.as_str().map(str::to_owned))
        .collect()
}

/// A merchant of the file. No `Debug`: it holds a key.
struct Row {
    line: usize,
    code: String,
    key: String,
    name: String,
}

impl Row {
    fn merchant(&self, args: &ImportArgs) -> NewMerchant {
        NewMerchant {
            code: self.code.clone(),
            tenant: args.tenant.clone(),
            name: self.name.clone(),
            key: self.key.clone(),
            channels: args.channels.clone(),
            settings: MerchantSettings::default(),
        }
    }
}

/// Reads the file. What is wrong is told by its line, never by its content: it holds keys.
fn read(text: &str) -> Result<Vec<Row>, String> {
    // Spreadsheets put a mark in front of UTF-8.
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = (1..).zip(text.lines());
    let header = lines.next().map(|(_, line)| cells(line));
    let header = header.ok_or("the file is empty")??;
    let column = |name: &str| header.iter().position(|it| it.eq_ignore_ascii_case(name));
    let (Some(code), Some(key)) = (column("code"), column("key")) else {
        return Err("the first line must name the columns: code,key,name".to_owned());
    };
    let name = column("name");
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let cells = cells(text).map_err(|error| format!("line {line}: {error}"))?;
        let cell = |column: usize| cells.get(column).filter(|cell| !cell.is_empty()).cloned();
        let missing = |what: &str| format!("line {line}: there is no {what}");
        let code = cell(code).ok_or_else(|| missing("code"))?;
        if !seen.insert(code.clone()) {
            return Err(format!("line {line}: merchant {code} is there twice"));
        }
        rows.push(Row {
            line,
            key: cell(key).ok_or_else(|| missing("key"))?,
            name: name.and_then(cell).unwrap_or_else(|| code.clone()),
            code,
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(text).err().unwrap()
    }

    #[test]
    fn columns_are_found_by_name() {
        let text = "\u{feff}name,Code,key\r\n\"Acme, \"\"old\"\"\",M1,KEY1\r\n\r\n,M2,KEY2\r\n";
        let rows = read(text).ok().unwrap();
        let shown: Vec<_> = rows
            .iter()
            .map(|it| (&*it.code, &*it.key, &*it.name))
            .collect();
        assert_eq!(
            shown,
            [("M1", "KEY1", "Acme, \"old\""), ("M2", "KEY2", "M2")]
        );
    }

    #[test]
    fn what_is_wrong_is_told_by_line_without_keys() {
        assert!(error("").contains("empty"));
        assert!(error("M1,SECRET\n").contains("must name the columns"));
        assert_eq!(error("code,key\nM1,\n"), "line 2: there is no key");
        assert_eq!(error("code,key\n,SECRET\n"), "line 2: there is no code");
        assert!(error("code,key\nM1,SECRET1\nM1,SECRET2\n").contains("line 3: merchant M1 is"));
        assert!(error("code,key\nM1,\"SECRET\n").starts_with("line 2: a quotation mark"));
        for text in [
            "M1,SECRET\n",
            "code,key\n,SECRET\n",
            "code,key\nM1,\"SECRET\n",
        ] {
            assert!(!error(text).contains("SECRET"));
        }
    }
}
