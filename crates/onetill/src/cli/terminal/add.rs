//! `onetill terminal add`.

use super::{NameArgs, set::ProfileArgs};
use crate::{
    admin::{
        Request, loyalty,
        loyalty::terminals::{KeyInjection, NewTerminal},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        output::{self, Shape},
        secret,
    },
    vault::encode_hex,
};
use clap::Args;
use domain::loyalty::terminal::Profile;
use serde_json::{Value, json};
use std::path::PathBuf;
use wire::jpos::{Layout, WorkingKeys, working_keys};
use zeroize::Zeroizing;

/// Add a terminal. It checks in once it has its master key.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal add 102100099990002/00000001 --make-key
      its master key is made up and printed this once
  onetill terminal add 102100099990002/00000001 --mac --layout 40 --key-file tmk.key
      it must send MACs, and gets keys of 40 bytes
  onetill terminal add 88001/1000 --count 50 --make-key --json > terminals.json
      1000 to 1049, for `onetill simulate till --terminals-file` (or, with a store and cards as
      well: `onetill simulate roster`)")]
pub struct AddArgs {
    #[command(flatten)]
    name: NameArgs,
    /// Add this many, with numbers that go on from the one given
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    #[command(flatten)]
    profile: ProfileArgs,
    /// Make up a master key for each and print it, this once
    #[arg(long)]
    make_key: bool,
    /// File with the master key in hexadecimal digits; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["make_key", "count"])]
    key_file: Option<PathBuf>,
}

pub(super) async fn run(
    settings: Settings,
    args: AddArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let key = args
        .key_file
        .as_deref()
        .map(secret::read_line)
        .transpose()?;
    let numbers = numbers(&args.name.name.number, args.count)?;
    let mut client = AdminClient::new(settings)?;
    let progress = output::bar(numbers.len() as u64, "adding");
    let mut added = Vec::new();
    for number in &numbers {
        let one = add(&mut client, &args, number, key.as_deref()).await;
        let done = added.len();
        let one = one.map_err(|error| match done {
            0 => error,
            _ => format!("after {done} terminals were added: {number}: {error}").into(),
        });
        match one {
            Ok(one) => added.push(one),
            Err(error) => {
                client.close().await;
                return Err(error);
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    client.close().await;
    match (shape, added.as_slice()) {
        (Shape::Json, [one]) => output::print_json(one),
        (Shape::Json, _) => output::print_json(&added.into()),
        (Shape::Text, _) => output::print(&text(&added)),
    }
}

async fn add(
    client: &mut AdminClient,
    args: &AddArgs,
    number: &str,
    key: Option<&String>,
) -> Result<Value, CommandError> {
    let terminal = NewTerminal {
        store: args.name.name.store_no.clone(),
        number: number.to_owned(),
        profile: args.profile.changed(Profile::default()),
    };
    if args.make_key {
        return add_with_made_key(client, terminal).await;
    }
    let added = add_bare(client, &terminal).await?;
    match key {
        Some(key) => inject(client, &terminal, key).await,
        None => Ok(added),
    }
}

/// Adds a terminal with a master key that is made up; the answer has it as `master_key`.
///
/// # Errors
/// When it was refused.
pub(in crate::cli) async fn add_with_made_key(
    client: &mut AdminClient,
    terminal: NewTerminal,
) -> Result<Value, CommandError> {
    let key = master_key()?;
    add_bare(client, &terminal).await?;
    let mut added = inject(client, &terminal, &key).await?;
    if let Some(members) = added.as_object_mut() {
        members.insert("master_key".to_owned(), json!(key.as_str()));
    }
    Ok(added)
}

async fn add_bare(client: &mut AdminClient, it: &NewTerminal) -> Result<Value, CommandError> {
    let request = loyalty::Request::AddTerminal(it.clone());
    client.ask(Request::Loyalty(request)).await
}

async fn inject(
    client: &mut AdminClient,
    it: &NewTerminal,
    key: &str,
) -> Result<Value, CommandError> {
    let request = loyalty::Request::InjectKey(KeyInjection {
        store: it.store.clone(),
        number: it.number.clone(),
        key: key.to_owned(),
        second_part: None,
        check: None,
    });
    client.ask(Request::Loyalty(request)).await
}

/// A master key of two halves, neither of them weak.
fn master_key() -> Result<Zeroizing<String>, CommandError> {
    loop {
        let mut random = Zeroizing::new([0; working_keys::RANDOM_LEN]);
        getrandom::fill(&mut random[..])?;
        // Working keys are made with the same care as a master key needs.
        if let Some(keys) = WorkingKeys::from_random(Layout::Long, &random) {
            let mut hex = Zeroizing::new(encode_hex(keys.pin.bytes()));
            hex.make_ascii_uppercase();
            return Ok(hex);
        }
    }
}

/// `count` numbers from `first` on, as wide as it is.
///
/// # Errors
/// When the first is none that others could follow.
pub(in crate::cli) fn numbers(first: &str, count: u32) -> Result<Vec<String>, CommandError> {
    if count == 1 {
        return Ok(vec![first.to_owned()]);
    }
    let start: u64 = first
        .parse()
        .map_err(|_| format!("{first}: --count goes on from a number of digits"))?;
    let end = start.saturating_add(u64::from(count));
    Ok((start..end)
        .map(|number| format!("{number:0width$}", width = first.len()))
        .collect())
}

fn text(added: &[Value]) -> String {
    let line = |it: &Value| {
        let member = |name| it.get(name).and_then(Value::as_str);
        let number = member("terminal").unwrap_or_default();
        let key = match (member("master_key"), member("master_key_check")) {
            (Some(key), Some(check)) => format!("\nmaster key  {key}\ncheck value {check}"),
            (None, Some(check)) => format!("\ncheck value {check}"),
            (_, None) => "; give it its master key with `onetill terminal inject-key`".to_owned(),
        };
        format!("terminal {number} is added{key}")
    };
    let mut lines: Vec<String> = added.iter().map(line).collect();
    let is_shown = |it: &Value| it.get("master_key").is_some();
    if added.iter().any(is_shown) {
        // The one time that a secret is shown, on purpose: nobody else knows it yet.
        lines.push("Keep the master key: it is not shown again.".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_as_wide_as_the_first() {
        assert_eq!(numbers("0009", 3).unwrap(), ["0009", "0010", "0011"]);
        assert_eq!(numbers("A1", 1).unwrap(), ["A1"]);
        assert!(numbers("A1", 2).is_err());
    }

    #[test]
    fn made_keys_are_keys_and_differ() {
        let (one, other) = (master_key().unwrap(), master_key().unwrap());
        assert!(wire::jpos::Key::parse_hex(&one).is_ok() && *one != *other);
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn only_a_made_up_key_is_shown() {
        let bare = json!({ "terminal": "7", "master_key_check": null });
        assert!(text(&[bare]).contains("inject-key"));
        let given = json!({ "terminal": "7", "master_key_check": "AABBCCDD" });
        assert_eq!(text(&[given]), "terminal 7 is added\ncheck value AABBCCDD");
        let made = json!({ "terminal": "7", "master_key_check": "AABBCCDD", "master_key": "K" });
        assert!(text(&[made]).contains("master key  K\n"));
    }
}
