//! `onetill simulate roster`: a store with terminals and cards, for `simulate till` and `bench`.

use crate::{
    admin::{
        Request, loyalty,
        loyalty::{stores::NewStore, terminals::NewTerminal},
    },
    cli::{
        CommandError, Place,
        admin_client::AdminClient,
        member::import,
        output::{self, Shape},
        terminal::add,
    },
    simulate_till::roster::{CARDS_FILE, TERMINALS_FILE},
};
use clap::Args;
use domain::loyalty::{card::CardStatus, terminal::Profile};
use jiff::{Timestamp, ToSpan, civil::Date};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// The first terminal's number.
const FIRST_TERMINAL: &str = "00000001";
/// The points that each card begins with, for a year as if it had been used before.
const POINTS: u32 = 1000;
/// From where the terminals speak.
const NETWORKS: [&str; 2] = ["127.0.0.0/8", "::1"];

/// Add a store with terminals and member cards, and write who they are.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill simulate roster shop
  onetill simulate till --roster shop
  onetill bench --roster shop --mix consume=1

For a gateway elsewhere, run it there, or use `store add --network`, `terminal add --make-key --json`
and `member import`: DIR/terminals.json and DIR/cards.csv are what those print and take.")]
pub struct RosterArgs {
    #[command(flatten)]
    place: Place,
    /// A new directory, for terminals.json, which holds the master keys, and cards.csv
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// How many terminals
    #[arg(long, value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    terminals: u32,
    /// How many cards
    #[arg(long, value_name = "N", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    cards: u32,
    /// The number of the new store
    #[arg(long, value_name = "NO", default_value = "700001")]
    store_no: String,
    /// The retailer; added when missing
    #[arg(
        long,
        env = "ONETILL_TENANT",
        value_name = "NAME",
        default_value = "simulated"
    )]
    tenant: String,
}

/// Adds them.
///
/// # Errors
/// When the directory is there already, or something was refused.
pub async fn run(args: RosterArgs, shape: Shape) -> Result<(), CommandError> {
    let name = args.directory.display();
    if args.directory.exists() {
        return Err(format!("{name} is there already; name a new directory").into());
    }
    let mut client = AdminClient::new(args.place.settings.clone())?;
    let added = add_all(&mut client, &args).await;
    client.close().await;
    added?;
    let (store, terminals, cards) = (&args.store_no, args.terminals, args.cards);
    match shape {
        Shape::Json => output::print_json(&json!({
            "directory": args.directory, "store": store, "terminals": terminals, "cards": cards,
        })),
        Shape::Text => output::print(&format!(
            "store {store} with {terminals} terminals, and {cards} cards, are added; {name} says \
             who they are"
        )),
    }
}

async fn add_all(client: &mut AdminClient, args: &RosterArgs) -> Result<(), CommandError> {
    // First, since its number may be taken.
    add_store(client, args).await?;
    let directory = &args.directory;
    let named = |error: io::Error| format!("{}: {error}", directory.display());
    fs::create_dir(directory).map_err(named)?;
    let cards = directory.join(CARDS_FILE);
    let today = Timestamp::now().to_zoned(client.zone().clone()).date();
    let last = today.saturating_add(1.year());
    write_cards(&cards, args.cards, last).map_err(named)?;
    import::file(client, &args.tenant, &cards, CardStatus::Active).await?;
    let terminals = Value::from(add_terminals(client, args).await?);
    fs::write(directory.join(TERMINALS_FILE), terminals.to_string()).map_err(named)?;
    Ok(())
}

async fn add_store(client: &mut AdminClient, args: &RosterArgs) -> Result<Value, CommandError> {
    let store = loyalty::Request::AddStore(NewStore {
        certificates: Vec::new(),
        number: args.store_no.clone(),
        tenant: args.tenant.clone(),
        name: args.store_no.clone(),
        networks: NETWORKS.map(str::to_owned).to_vec(),
    });
    client.ask(Request::Loyalty(store)).await
}

/// The terminals as they were added, with their master keys.
async fn add_terminals(
    client: &mut AdminClient,
    args: &RosterArgs,
) -> Result<Vec<Value>, CommandError> {
    let progress = output::bar(u64::from(args.terminals), "terminals");
    let mut added = Vec::new();
    for number in add::numbers(FIRST_TERMINAL, args.terminals)? {
        let terminal = NewTerminal {
            store: args.store_no.clone(),
            number,
            profile: Profile::default(),
        };
        added.push(add::add_with_made_key(client, terminal).await?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(added)
}

/// Cards as `onetill member import` takes them, with points that end on the day `last`.
fn write_cards(path: &Path, count: u32, last: Date) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    writeln!(file, "card,name,mobile,points,points_expire")?;
    for number in 1..=count {
        let (card, mobile) = (format!("88{number:014}"), format!("139{number:08}"));
        writeln!(file, "{card},Member {number},{mobile},{POINTS},{last}")?;
    }
    file.flush()
}
