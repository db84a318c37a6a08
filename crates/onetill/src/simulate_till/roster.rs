//! Which terminals and cards take part.

use crate::{admin::loyalty::demo, cli::csv};
use serde_json::{Deserializer, Value};
use std::{fs, path::Path};
use wire::jpos::{Key, Pin};

/// The file of a roster's directory that has its terminals.
pub const TERMINALS_FILE: &str = "terminals.json";
/// The one that has its cards.
pub const CARDS_FILE: &str = "cards.csv";

/// A terminal that is set up at the gateway. No `Debug`: it has its master key.
#[derive(Clone)]
pub struct Seat {
    /// Its store's number.
    pub store_no: String,
    /// Its own number.
    pub terminal_no: String,
    /// Its master key.
    pub master: Key,
}

/// A card. No `Debug`: it has its PIN.
#[derive(Clone)]
pub struct Member {
    /// Its number.
    pub card_no: String,
    /// Its PIN, if it has one.
    pub pin: Option<Pin>,
}

/// Who takes part.
pub struct Roster {
    /// The terminals.
    pub seats: Vec<Seat>,
    /// The cards.
    pub members: Vec<Member>,
}

impl Roster {
    /// The demo's.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            seats: demo_seats(),
            members: demo_members(),
        }
    }

    /// The one that a directory holds.
    ///
    /// # Errors
    /// When a file cannot be read or is none of a roster.
    pub fn read(directory: &Path) -> Result<Self, String> {
        let (terminals, cards) = (directory.join(TERMINALS_FILE), directory.join(CARDS_FILE));
        let text = |path: &Path| {
            let text = fs::read_to_string(path);
            text.map_err(|error| format!("{}: {error}", path.display()))
        };
        let named = |path: &Path, error| format!("{}: {error}", path.display());
        let seats = read_seats(&text(&terminals)?).map_err(|error| named(&terminals, error))?;
        let members = read_members(&text(&cards)?).map_err(|error| named(&cards, error))?;
        Ok(Self { seats, members })
    }
}

/// The demo's terminals.
fn demo_seats() -> Vec<Seat> {
    let seats = [demo::TERMINAL, demo::MAC_TERMINAL].into_iter();
    let seats = seats.filter_map(|number| seat(demo::STORE, number, demo::MASTER_KEY).ok());
    seats.collect()
}

/// The demo's cards that are in use.
fn demo_members() -> Vec<Member> {
    vec![
        Member {
            card_no: demo::CARD.to_owned(),
            pin: None,
        },
        Member {
            card_no: demo::PIN_CARD.to_owned(),
            pin: Pin::parse(demo::PIN).ok(),
        },
    ]
}

/// Reads terminals as `onetill terminal add --json` prints them: objects with `store`,
/// `terminal` and `master_key`, one after the other or in lists.
///
/// # Errors
/// When the text is no such thing; the error names no key.
pub fn read_seats(text: &str) -> Result<Vec<Seat>, String> {
    let mut seats = Vec::new();
    for value in Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|error| format!("no JSON: {error}"))?;
        let all = match value.as_array() {
            Some(all) => all.clone(),
            None => vec![value],
        };
        for (index, it) in all.iter().enumerate() {
            let text = |name| {
                let found = it.get(name).and_then(Value::as_str);
                found.ok_or_else(|| format!("terminal {}: there is no {name}", index + 1))
            };
            seats.push(seat(
                text("store")?,
                text("terminal")?,
                text("master_key")?,
            )?);
        }
    }
    Ok(seats)
}

/// Reads cards: a number a line, and behind a comma its PIN if it has one. A first line that names
/// columns, as files for `onetill member import` have it, says where card and pin stand.
///
/// # Errors
/// When a line is no such thing; the error names its number only.
pub fn read_members(text: &str) -> Result<Vec<Member>, String> {
    let mut lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    let is_header = |line: &str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut columns = Columns {
        card: 0,
        pin: Some(1),
    };
    let mut first = lines.next();
    if let Some((_, line)) = first.filter(|(_, line)| is_header(line)) {
        columns = Columns::read(line)?;
        first = None;
    }
    let lines = first.into_iter().chain(lines);
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let member = |(number, line): (usize, &str)| {
        let member = columns.member(line);
        member.map_err(|error| format!("line {number}: {error}"))
    };
    lines.map(member).collect()
}

/// Where in a line what stands.
struct Columns {
    card: usize,
    pin: Option<usize>,
}

impl Columns {
    fn read(header: &str) -> Result<Self, String> {
        let names = csv::cells(&header.to_lowercase())?;
        let column = |name| names.iter().position(|it| it == name);
        Ok(Self {
            card: column("card").ok_or("there must be a column card")?,
            pin: column("pin"),
        })
    }

    fn member(&self, line: &str) -> Result<Member, String> {
        let cells = csv::cells(line)?;
        let card_no = cells.get(self.card).cloned().unwrap_or_default();
        if card_no.is_empty() || !card_no.bytes().all(|it| it.is_ascii_digit()) {
            return Err("no card number".to_owned());
        }
        let pin = self.pin.and_then(|it| cells.get(it));
        let pin = pin.filter(|it| !it.is_empty()).map(|it| Pin::parse(it));
        Ok(Member {
            card_no,
            pin: pin.transpose().map_err(|error| error.to_string())?,
        })
    }
}

fn seat(store_no: &str, terminal_no: &str, master_key: &str) -> Result<Seat, String> {
    let master = Key::parse_hex(master_key);
    Ok(Seat {
        store_no: store_no.to_owned(),
        terminal_no: terminal_no.to_owned(),
        master: master.map_err(|error| format!("terminal {terminal_no}: {error}"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_read_as_they_are_printed() {
        let key = demo::MASTER_KEY;
        let one = format!(r#"{{"store":"1","terminal":"7","master_key":"{key}","index":4}}"#);
        let text = format!("{one}\n[{one},{one}]\n");
        let seats = read_seats(&text).ok().unwrap();
        assert_eq!(seats.len(), 3);
        assert_eq!((&*seats[0].store_no, &*seats[0].terminal_no), ("1", "7"));
        assert_eq!(demo_seats().len(), 2);
        for (wrong, why) in [
            (r#"{"store":"1","terminal":"7"}"#, "no master_key"),
            (
                r#"{"store":"1","terminal":"7","master_key":"SECRET"}"#,
                "16 or 32",
            ),
            ("[", "no JSON"),
        ] {
            let error = read_seats(wrong).err().unwrap();
            assert!(error.contains(why) && !error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn cards_are_read_with_their_pins() {
        let members = read_members("card,pin\n9999999999025288\n\n9999999999025320, 123456\n");
        let members = members.ok().unwrap();
        let shown = members.iter().map(|it| (&*it.card_no, it.pin.is_some()));
        let expected = [("9999999999025288", false), ("9999999999025320", true)];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let imported = "Name,card,points\n\"Li, Si\",9999999999025288,1000\n";
        let members = read_members(imported).ok().unwrap();
        assert_eq!(
            (&*members[0].card_no, members[0].pin.is_some()),
            ("9999999999025288", false)
        );
        assert_eq!(
            read_members("1\nx\n").err().unwrap(),
            "line 2: no card number"
        );
        assert!(read_members("name\nx\n").err().unwrap().contains("card"));
        assert!(
            read_members("1,12\n")
                .err()
                .unwrap()
                .starts_with("line 1: a PIN")
        );
    }
}
