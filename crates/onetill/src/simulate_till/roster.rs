//! Which terminals and cards take part.

use crate::admin::loyalty::demo;
use serde_json::{Deserializer, Value};
use wire::jpos::{Key, Pin};

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

/// The demo's terminals.
#[must_use]
pub fn demo_seats() -> Vec<Seat> {
    let seats = [demo::TERMINAL, demo::MAC_TERMINAL].into_iter();
    let seats = seats.filter_map(|number| seat(demo::STORE, number, demo::MASTER_KEY).ok());
    seats.collect()
}

/// The demo's cards that are in use.
#[must_use]
pub fn demo_members() -> Vec<Member> {
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

/// Reads cards: a number a line, and behind a comma its PIN if it has one.
///
/// # Errors
/// When a line is no such thing; the error names its number only.
pub fn read_members(text: &str) -> Result<Vec<Member>, String> {
    let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    let lines = lines.filter(|(number, line)| {
        let is_header = *number == 1 && line.starts_with(|c: char| c.is_ascii_alphabetic());
        !is_header && !line.trim().is_empty()
    });
    let member = |(number, line): (usize, &str)| {
        let (card_no, pin) = line.split_once(',').unwrap_or((line, ""));
        let (card_no, pin) = (card_no.trim(), pin.trim());
        let is_card = !card_no.is_empty() && card_no.bytes().all(|it| it.is_ascii_digit());
        let pin = if pin.is_empty() {
            Ok(None)
        } else {
            Pin::parse(pin).map(Some)
        };
        match (is_card, pin) {
            (true, Ok(pin)) => Ok(Member {
                card_no: card_no.to_owned(),
                pin,
            }),
            (false, _) => Err(format!("line {number}: no card number")),
            (true, Err(error)) => Err(format!("line {number}: {error}")),
        }
    };
    lines.map(member).collect()
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
        assert_eq!(
            read_members("1\nx\n").err().unwrap(),
            "line 2: no card number"
        );
        assert!(
            read_members("1,12\n")
                .err()
                .unwrap()
                .starts_with("line 1: a PIN")
        );
    }
}
