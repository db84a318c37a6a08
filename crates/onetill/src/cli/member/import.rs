//! `onetill member import`: many cards from a file, read line by line.

use super::{fields, lists};
use crate::{
    admin::{Request, loyalty, loyalty::cards::NewCard},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        csv, dates,
        output::{self, Shape},
    },
};
use clap::Args;
use domain::loyalty::card::{CardStatus, Holder, Holding};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// How many cards one request adds: well below the longest request of the admin socket.
const CARDS_A_REQUEST: usize = 1000;
/// How many voucher codes they hold, at most a card's more.
const CODES_A_REQUEST: usize = 3000;
/// How many requests are under way at the same time.
const AT_ONCE: usize = 4;
/// How many of the cards that exist are named.
const NAMED_MAX: usize = 10;

/// Add the cards of a CSV file.
///
/// The first line names the columns: card, and any of status (stocked, active, lost, blocked,
/// restricted), name, gender, mobile, id_type, id_no, address, email, grade, points,
/// points_expire, vouchers, tickets, codes, expires, printed_expiry (YYMM), pin. The file is checked as a
/// whole before the first card is added. Cards that exist stay as they are, so an import that was
/// broken off is simply run again. PINs are hashed slowly on purpose: some 100 a second.
#[derive(Args)]
#[command(
    after_help = "Columns that hold lists, their items separated by semicolons:
  points    POINTS[@END][>FROM]               1000 or 12.50@2027-12-31;5@2027-12-31>2026-12-24
  vouchers  ID:YUAN:PIECES[@END][:NAME]       1:0.50:2:Half off
  tickets   ID:KIND:YUAN:PIECES[@END][:NAME]  2:03:100:10@2027-12-31:Gift; kinds are 01 group-buy,
                                              02 exchange, 03 cash
  codes     BOX:INDEX:KIND                    X22169-3141157-33475:0:03: where a voucher code that the
                                              card holds lies, as `onetill member show` tells; its box
                                              must be there
END is the last day, FROM the first one; moments inside of a day are written in milliseconds since
1970. Points without an END have that of points_expire, if any. In a name, write \\; for a semicolon
and \\\\ for a backslash. `onetill member export` writes all of this but PINs.

Examples:
  onetill member import members.csv --tenant demo
  onetill member import stock.csv --tenant demo --status stocked
      cards to be activated at the tills

members.csv:
  card,name,mobile,points
  9999999999025288,张三,13800000000,1000
  9999999999025320,\"李四\",13900000000,12.50"
)]
pub struct ImportArgs {
    /// The file
    file: PathBuf,
    /// Where cards stand that have no status of their own
    #[arg(long, value_enum, default_value = "active")]
    status: fields::StatusArg,
}

pub(super) async fn run(
    settings: Settings,
    tenant: String,
    args: ImportArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let mut client = AdminClient::new(settings)?;
    let done = file(&mut client, &tenant, &args.file, args.status.status()).await;
    client.close().await;
    let done = done?;
    match shape {
        Shape::Json => output::print_json(&json!({
            "added": done.added,
            "existing": done.existing,
            "took_s": done.took.as_secs_f64(),
        })),
        Shape::Text => output::print(&done.text()),
    }
}

/// Adds the cards of a file; `status` is where those stand that have none of their own.
///
/// # Errors
/// When the file does not do, or the gateway refused.
pub(in crate::cli) async fn file(
    client: &mut AdminClient,
    tenant: &str,
    file: &Path,
    status: CardStatus,
) -> Result<Done, CommandError> {
    let columns = Reader {
        zone: client.zone().clone(),
        status,
    };
    let len = check(file, &columns)?;
    let started = Instant::now();
    let done = import(client, tenant, file, &columns, len).await?;
    Ok(Done {
        took: started.elapsed(),
        ..done
    })
}

/// What an import did.
#[derive(Default)]
pub(in crate::cli) struct Done {
    pub(in crate::cli) added: u64,
    existing: u64,
    /// Some of those that exist.
    named: Vec<String>,
    took: Duration,
}

impl Done {
    fn add(&mut self, answer: &Value) {
        self.added += answer.get("added").and_then(Value::as_u64).unwrap_or(0);
        let taken = answer.get("taken").and_then(Value::as_array);
        for card in taken.into_iter().flatten().filter_map(Value::as_str) {
            self.existing += 1;
            if self.named.len() < NAMED_MAX {
                self.named.push(card.to_owned());
            }
        }
    }

    fn text(&self) -> String {
        let added = format!("{} cards are added", self.added);
        if self.existing == 0 {
            return added;
        }
        let more = if self.existing > self.named.len() as u64 {
            ", …"
        } else {
            ""
        };
        format!(
            "{added}; {} existed and stay as they are ({}{more})",
            self.existing,
            self.named.join(", ")
        )
    }
}

async fn import(
    client: &mut AdminClient,
    tenant: &str,
    file: &Path,
    columns: &Reader,
    len: u64,
) -> Result<Done, CommandError> {
    let mut done = Done::default();
    // The first request finds the gateway, or opens the store, and names a wrong retailer.
    client.ask(request(tenant, Vec::new())).await?;
    let asker = client.asker();
    let progress = output::bar(len, "importing");
    let mut running = JoinSet::new();
    let mut rows = Rows::open(file, columns)?;
    loop {
        let cards = rows.take(CARDS_A_REQUEST)?;
        let is_end = cards.is_empty();
        while running.len() >= AT_ONCE || (is_end && !running.is_empty()) {
            if let Some(answer) = running.join_next().await {
                let (count, answer): (u64, Result<Value, CommandError>) = answer?;
                let answer = answer.map_err(|error| {
                    let so_far = done.added;
                    format!("after {so_far} cards were added: {error}; run it again to go on")
                })?;
                done.add(&answer);
                progress.inc(count);
            }
        }
        if is_end {
            progress.finish_and_clear();
            return Ok(done);
        }
        let (asker, request) = (asker.clone(), request(tenant, cards));
        let count = rows.last_taken;
        running.spawn(async move { (count, asker.ask(request).await) });
    }
}

fn request(tenant: &str, cards: Vec<NewCard>) -> Request {
    Request::Loyalty(loyalty::Request::AddCards {
        tenant: tenant.to_owned(),
        cards,
    })
}

/// Reads the whole file once, so that nothing is added of one that does not do; says how many
/// cards it has.
fn check(file: &Path, columns: &Reader) -> Result<u64, CommandError> {
    let mut rows = Rows::open(file, columns)?;
    let mut seen = HashSet::new();
    let mut count = 0;
    while let Some((line, card)) = rows.next()? {
        if !seen.insert(card.number.parse::<u128>().unwrap_or_default()) {
            let (name, number) = (file.display(), card.number);
            return Err(format!("{name}: line {line}: card {number} is there twice").into());
        }
        count += 1;
    }
    Ok(count)
}

/// How lines become cards.
struct Reader {
    zone: TimeZone,
    status: CardStatus,
}

/// The cards of a file, one after the other.
struct Rows<'a> {
    name: String,
    lines: std::iter::Enumerate<std::io::Lines<BufReader<File>>>,
    names: Vec<String>,
    reader: &'a Reader,
    /// How many cards the last [`Rows::take`] brought.
    last_taken: u64,
}

impl<'a> Rows<'a> {
    fn open(file: &Path, reader: &'a Reader) -> Result<Self, CommandError> {
        let name = file.display().to_string();
        let opened = File::open(file).map_err(|error| format!("{name}: {error}"))?;
        let mut lines = BufReader::new(opened).lines().enumerate();
        let (_, header) = lines
            .next()
            .ok_or_else(|| format!("{name}: the file is empty"))?;
        let names = read_header(&header?).map_err(|error| format!("{name}: line 1: {error}"))?;
        Ok(Self {
            name,
            lines,
            names,
            reader,
            last_taken: 0,
        })
    }

    /// The next card with its line.
    fn next(&mut self) -> Result<Option<(usize, NewCard)>, CommandError> {
        for (index, text) in self.lines.by_ref() {
            let text = text?;
            if text.trim().is_empty() {
                continue;
            }
            let line = index + 1;
            let card = self.reader.card(&self.names, &text);
            let card = card.map_err(|error| format!("{}: line {line}: {error}", self.name))?;
            return Ok(Some((line, card)));
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Result<Vec<NewCard>, CommandError> {
        let (mut cards, mut codes) = (Vec::with_capacity(count), 0);
        while cards.len() < count && codes < CODES_A_REQUEST {
            match self.next()? {
                Some((_, card)) => {
                    codes += card.codes.len();
                    cards.push(card);
                }
                None => break,
            }
        }
        self.last_taken = cards.len() as u64;
        Ok(cards)
    }
}

/// Reads the vouchers or tickets of a cell.
type ReadHoldings = fn(&str, &TimeZone) -> Result<Vec<Holding>, String>;

const COLUMNS: [&str; 18] = [
    "card",
    "status",
    "name",
    "gender",
    "mobile",
    "id_type",
    "id_no",
    "address",
    "email",
    "grade",
    "points",
    "points_expire",
    "vouchers",
    "tickets",
    "codes",
    "expires",
    "printed_expiry",
    "pin",
];

fn read_header(line: &str) -> Result<Vec<String>, String> {
    // Spreadsheets put a mark in front of UTF-8.
    let names = csv::cells(line.trim_start_matches('\u{feff}'))?;
    let names: Vec<String> = names.iter().map(|it| it.to_lowercase()).collect();
    if let Some(unknown) = names.iter().find(|it| !COLUMNS.contains(&it.as_str())) {
        return Err(format!(
            "there is no column {unknown}; columns are {}",
            COLUMNS.join(", ")
        ));
    }
    if !names.iter().any(|it| it == "card") {
        return Err("there must be a column card".to_owned());
    }
    Ok(names)
}

impl Reader {
    /// A card of a line. What is wrong is told without the line: it may hold a PIN.
    fn card(&self, names: &[String], line: &str) -> Result<NewCard, CommandError> {
        let cells = csv::cells(line)?;
        if cells.len() > names.len() {
            return Err("there are more cells than columns".into());
        }
        let cell = |name: &str| {
            let column = names.iter().position(|it| it == name)?;
            cells.get(column).filter(|it| !it.is_empty()).cloned()
        };
        let text = |name: &str| cell(name).unwrap_or_default();
        let last_day = |name: &str| {
            let day = cell(name).map(|it| dates::end(&it, &self.zone));
            day.transpose()
        };
        let list = |name: &str, read: ReadHoldings| {
            let list = cell(name).map(|it| read(&it, &self.zone));
            list.transpose().map(Option::unwrap_or_default)
        };
        let number = text("card");
        if !(8..=19).contains(&number.len()) || !number.bytes().all(|it| it.is_ascii_digit()) {
            return Err("card: a card's number is 8 to 19 digits".into());
        }
        Ok(NewCard {
            number,
            status: cell("status").map_or(Ok(self.status), |it| fields::status(&it))?,
            expires_at: last_day("expires")?,
            expiry_yymm: cell("printed_expiry"),
            holder: Holder {
                name: text("name"),
                gender: text("gender"),
                mobile: text("mobile"),
                id_type: text("id_type"),
                id_no: text("id_no"),
                address: text("address"),
                email: text("email"),
            },
            grade: grade(cell("grade"))?,
            pin: cell("pin"),
            points: None,
            points_expire_at: None,
            lots: lists::lots(&text("points"), last_day("points_expire")?, &self.zone)?,
            tickets: [
                list("vouchers", lists::vouchers)?,
                list("tickets", lists::tickets)?,
            ]
            .concat(),
            codes: lists::codes(&text("codes"))?,
        })
    }
}

fn grade(cell: Option<String>) -> Result<u8, String> {
    let grade = cell.map_or(Some(0), |it| it.parse().ok().filter(|it| *it <= 3));
    grade.ok_or_else(|| "grade: a grade is 0 to 3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn reader() -> Reader {
        Reader {
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
            status: CardStatus::Active,
        }
    }

    fn checked(text: &str) -> Result<u64, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("members.csv");
        fs::write(&path, text).unwrap();
        check(&path, &reader()).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_found_by_name() {
        let names = read_header("\u{feff}Name,card,points,expires,status").unwrap();
        let line = "\"李四, 女士\",9999999999025320,12.5,2026-11-22,stocked";
        let card = reader().card(&names, line).unwrap();
        assert_eq!(
            (&*card.number, &*card.holder.name),
            ("9999999999025320", "李四, 女士")
        );
        assert_eq!(card.status, CardStatus::Stocked);
        let points: Vec<_> = card.lots.iter().map(|it| it.points.get()).collect();
        assert_eq!(points, [1_250]);
        assert_eq!(card.expires_at.map(|it| it.0), Some(1_795_363_200_000));
        let short = reader().card(&names, ",9999999999025320").unwrap();
        assert_eq!(
            (short.status, short.grade, short.pin),
            (CardStatus::Active, 0, None)
        );
    }

    #[test]
    fn a_file_is_checked_as_a_whole_and_wrong_lines_are_named_without_their_content() {
        assert_eq!(checked("card,pin\n99999999,1234\n\n99999998,\n"), Ok(2));
        for (text, why) in [
            ("", "empty"),
            ("card,pni\n", "no column pni"),
            ("name\n", "a column card"),
            (
                "card,pin\n99999999,1234\n99999999,1234\n",
                "line 3: card 99999999 is there twice",
            ),
            (
                "card,pin\n12,1234\n",
                "line 2: card: a card's number is 8 to 19",
            ),
            ("card,grade,pin\n99999999,4,1234\n", "line 2: grade"),
            (
                "card,status,pin\n99999999,gone,1234\n",
                "line 2: gone is no status",
            ),
            ("card\n99999999,1234\n", "line 2: there are more cells"),
            ("card,points,pin\n99999999,x,1234\n", "line 2: points: "),
            (
                "card,vouchers,pin\n99999999,1:1,1234\n",
                "line 2: vouchers: ",
            ),
            (
                "card,tickets,pin\n99999999,1:04:1:1,1234\n",
                "line 2: tickets: ",
            ),
            ("card,codes,pin\n99999999,X1:1,1234\n", "line 2: codes: "),
        ] {
            let error = checked(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("1234"), "{error}");
        }
    }

    #[test]
    fn what_existed_is_counted_and_the_first_are_named() {
        let mut done = Done::default();
        done.add(&json!({ "added": 2, "taken": [] }));
        assert_eq!(done.text(), "2 cards are added");
        let taken: Vec<String> = (0..12).map(|it| format!("c{it}")).collect();
        done.add(&json!({ "added": 0, "taken": taken }));
        assert!(
            done.text()
                .contains("12 existed and stay as they are (c0, "),
            "{}",
            done.text()
        );
        assert!(done.text().ends_with("c9, …)"));
    }
}
