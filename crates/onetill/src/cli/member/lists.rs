//! What a card holds, as cells of a file: lists of lots, vouchers, tickets and codes.
//!
//! | column | items, separated by `;` |
//! |---|---|
//! | points | `POINTS[@END][>FROM]` |
//! | vouchers | `ID:YUAN:PIECES[@END][:NAME]` |
//! | tickets | `ID:KIND:YUAN:PIECES[@END][:NAME]` |
//! | codes | `BOX:INDEX:KIND` |
//!
//! END is a last day, FROM a first day; a moment that is neither stands in milliseconds since 1970.
//! A backslash in front of `;` or of another one makes it a part of a name.

use super::fields;
use crate::{admin::loyalty::held_codes::CodePlace, cli::dates};
use domain::{
    loyalty::{
        card::{Holding, Lot, TicketKind},
        points::Points,
    },
    time::UnixMs,
};
use jiff::tz::TimeZone;
use wire::jpos::Amount;

/// Reads lots; those without an end of their own have `end`.
pub(super) fn lots(cell: &str, end: Option<UnixMs>, zone: &TimeZone) -> Result<Vec<Lot>, String> {
    let lot = |item: String| {
        let (rest, from) = split(&item, '>');
        let (points, own_end) = split(rest, '@');
        let most = Amount::new(Points::MAX.get());
        let amount = Amount::parse(points.trim(), most).map_err(|error| error.to_string())?;
        let available_at = from.map_or(Ok(UnixMs(0)), |it| dates::start(it, zone));
        let own_end = own_end.map(|it| dates::end(it, zone)).transpose();
        Ok(Lot {
            points: Points::new(amount.get()),
            available_at: available_at.map_err(|error| error.to_string())?,
            expires_at: own_end.map_err(|error| error.to_string())?.or(end),
        })
    };
    let lots: Result<Vec<Lot>, String> = items(cell).into_iter().map(lot).collect();
    let mut lots = lots.map_err(|error| format!("points: {error}"))?;
    lots.retain(|it| it.points.is_some());
    Ok(lots)
}

/// Reads vouchers.
pub(super) fn vouchers(cell: &str, zone: &TimeZone) -> Result<Vec<Holding>, String> {
    let read = |item: &String| holding(item, 2, zone, fields::voucher);
    let read: Result<_, String> = items(cell).iter().map(read).collect();
    read.map_err(|error| format!("vouchers: {error}"))
}

/// Reads tickets.
pub(super) fn tickets(cell: &str, zone: &TimeZone) -> Result<Vec<Holding>, String> {
    let read = |item: &String| holding(item, 3, zone, fields::ticket);
    let read: Result<_, String> = items(cell).iter().map(read).collect();
    read.map_err(|error| format!("tickets: {error}"))
}

/// Reads voucher codes, by where they lie. What is wrong is told without the cell: it may hold a
/// code's text.
pub(super) fn codes(cell: &str) -> Result<Vec<CodePlace>, String> {
    let read = |item: String| {
        let mut parts = item.trim().split(':');
        let place = CodePlace {
            carton: parts.next().filter(|it| !it.is_empty())?.to_owned(),
            index: parts.next()?.parse().ok()?,
            kind: fields::ticket_kind(parts.next()?)?,
        };
        parts.next().is_none().then_some(place)
    };
    let read: Option<Vec<CodePlace>> = items(cell).into_iter().map(read).collect();
    read.ok_or_else(|| {
        "codes: write a code as BOX:INDEX:KIND; kinds are 01 group-buy, 02 exchange and 03 cash"
            .to_owned()
    })
}

/// Reads an item whose pieces stand at `place` and may have an end behind them.
fn holding(
    item: &str,
    place: usize,
    zone: &TimeZone,
    read: impl Fn(&str) -> Result<Holding, String>,
) -> Result<Holding, String> {
    let mut parts: Vec<&str> = item.splitn(place + 2, ':').collect();
    let mut end = None;
    if let Some(pieces) = parts.get_mut(place) {
        (*pieces, end) = split(pieces, '@');
    }
    let expires_at = end.map(|it| dates::end(it, zone)).transpose();
    Ok(Holding {
        expires_at: expires_at.map_err(|error| error.to_string())?,
        ..read(&parts.join(":"))?
    })
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// The items of a list.
fn items(cell: &str) -> Vec<String> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => item.extend(chars.next()),
            ';' => items.push(std::mem::take(&mut item)),
            _ => item.push(c),
        }
    }
    items.push(item);
    items.retain(|it| !it.trim().is_empty());
    items
}

/// Lots as [`lots`] reads them.
pub(super) fn write_lots(lots: &[Lot], zone: &TimeZone) -> String {
    let items = lots.iter().filter(|it| it.points.is_some()).map(|it| {
        let mut item = format!("{}{}", it.points, written_end(it.expires_at, zone));
        if it.available_at > UnixMs(0) {
            item.push('>');
            item.push_str(&dates::write_start(it.available_at, zone));
        }
        item
    });
    items.collect::<Vec<_>>().join(";")
}

/// Vouchers, or tickets, as [`vouchers`] and [`tickets`] read them.
pub(super) fn write_holdings(holdings: &[Holding], vouchers: bool, zone: &TimeZone) -> String {
    let wanted = |it: &&Holding| it.pieces > 0 && it.ticket().voucher == vouchers;
    let items = holdings.iter().filter(wanted).map(|it| {
        let kind = kind(it.kind).map_or_else(String::new, |kind| format!("{kind}:"));
        let (id, pieces, face) = (it.id, it.pieces, Amount::new(it.face.get()));
        let end = written_end(it.expires_at, zone);
        let name = it.name.replace('\\', r"\\").replace(';', r"\;");
        format!("{id}:{kind}{face}:{pieces}{end}:{name}")
    });
    items.collect::<Vec<_>>().join(";")
}

/// Codes as [`codes`] reads them.
pub(super) fn write_codes(codes: &[CodePlace]) -> String {
    let items = codes.iter().map(|it| {
        let kind = kind(it.kind).unwrap_or_default();
        format!("{}:{}:{kind}", it.carton, it.index)
    });
    items.collect::<Vec<_>>().join(";")
}

const fn kind(kind: TicketKind) -> Option<&'static str> {
    match kind {
        TicketKind::Voucher => None,
        TicketKind::GroupBuy => Some("01"),
        TicketKind::Exchange => Some("02"),
        TicketKind::Cash => Some("03"),
    }
}

fn written_end(end: Option<UnixMs>, zone: &TimeZone) -> String {
    end.map_or_else(String::new, |it| format!("@{}", dates::write_end(it, zone)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Fen;

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Shanghai").unwrap()
    }

    /// The end of 2026-11-22 in Shanghai.
    const DAY_END: UnixMs = UnixMs(1_795_363_200_000);

    #[test]
    fn lots_are_written_as_they_are_read() {
        let lot = |points, available_at, expires_at| Lot {
            points: Points::new(points),
            available_at: UnixMs(available_at),
            expires_at,
        };
        let all = [
            lot(100_000, 0, None),
            lot(1_250, 0, Some(DAY_END)),
            lot(1, DAY_END.0, Some(UnixMs(1_795_363_200_001))),
        ];
        let cell = write_lots(&all, &zone());
        assert_eq!(
            cell,
            "1000.00;12.50@2026-11-22;0.01@1795363200001>2026-11-23"
        );
        assert_eq!(lots(&cell, None, &zone()).unwrap(), all);
        let short = lots("12.5; 3@2026-11-21", Some(DAY_END), &zone()).unwrap();
        assert_eq!(short[0], lot(1_250, 0, Some(DAY_END)));
        assert_eq!(short[1].expires_at, Some(DAY_END.plus_s(-24 * 3600)));
        assert_eq!(lots("0", None, &zone()), Ok(Vec::new()));
        for wrong in ["x", "1@", "1@22.11.", "1>x", "-1", "1.005"] {
            let error = lots(wrong, None, &zone()).unwrap_err();
            assert!(error.starts_with("points: "), "{error}");
        }
    }

    #[test]
    fn holdings_are_written_as_they_are_read() {
        let holding = |id, kind, name: &str, pieces, expires_at| Holding {
            id,
            kind,
            name: name.to_owned(),
            face: Fen::new(50 * id),
            pieces,
            expires_at,
        };
        let all = [
            holding(1, TicketKind::Voucher, "半元券", 2, None),
            holding(2, TicketKind::Voucher, r"a;b\c:d@e>f", 1, Some(DAY_END)),
            holding(1, TicketKind::GroupBuy, "g", 5, Some(UnixMs(DAY_END.0 - 1))),
            holding(2, TicketKind::Exchange, "e", 1, None),
            holding(3, TicketKind::Cash, "c", 1, None),
        ];
        let spent = holding(4, TicketKind::Cash, "spent", 0, None);
        let given = [&all[..], &[spent]].concat();
        let (vouchers_cell, tickets_cell) = (
            write_holdings(&given, true, &zone()),
            write_holdings(&given, false, &zone()),
        );
        assert_eq!(
            vouchers_cell,
            r"1:0.5:2:半元券;2:1:1@2026-11-22:a\;b\\c:d@e>f"
        );
        assert_eq!(
            tickets_cell,
            "1:01:0.5:5@1795363199999:g;2:02:1:1:e;3:03:1.5:1:c"
        );
        assert_eq!(vouchers(&vouchers_cell, &zone()).unwrap(), all[..2]);
        assert_eq!(tickets(&tickets_cell, &zone()).unwrap(), all[2..]);
        for wrong in ["1:1", "1:x:1", "1:1:1@x:n"] {
            assert!(vouchers(wrong, &zone()).is_err(), "{wrong}");
        }
        assert!(tickets("1:04:1:1", &zone()).unwrap_err().contains("kinds"));
    }

    #[test]
    fn codes_are_written_as_they_are_read() {
        let code = |carton: &str, index, kind| CodePlace {
            carton: carton.to_owned(),
            index,
            kind,
        };
        let all = [
            code("X22169-3141157-33475", 0, TicketKind::Cash),
            code("X22169-3141157-33475", u32::MAX, TicketKind::GroupBuy),
            code("1001901070000000258=", 7, TicketKind::Exchange),
        ];
        let cell = write_codes(&all);
        assert_eq!(
            cell,
            "X22169-3141157-33475:0:03;X22169-3141157-33475:4294967295:01;1001901070000000258=:7:02"
        );
        assert_eq!(codes(&cell), Ok(all.to_vec()));
        assert_eq!(codes(" ; "), Ok(Vec::new()));
        for wrong in [
            "1001901070000000258-M4DEDSfV",
            "X1:1",
            ":1:03",
            "X1:-1:03",
            "X1:4294967296:03",
            "X1:1:04",
            "X1:1:03:x",
        ] {
            let error = codes(wrong).unwrap_err();
            assert!(error.starts_with("codes: "), "{error}");
            assert!(!error.contains(wrong), "{error}");
        }
    }
}
