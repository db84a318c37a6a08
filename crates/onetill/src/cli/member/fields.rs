//! What a card has, as options and as columns of a file.

use clap::ValueEnum;
use domain::{
    loyalty::card::{CardStatus, Holding, TicketKind},
    money::Fen,
};
use wire::jpos::Amount;

/// Where a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    /// Printed, not yet given to a member
    Stocked,
    /// In use
    Active,
    /// Reported lost
    Lost,
    /// Blocked by an operator
    Blocked,
    /// May be looked at, not used
    Restricted,
}

impl StatusArg {
    /// As it is stored.
    pub const fn status(self) -> CardStatus {
        match self {
            Self::Stocked => CardStatus::Stocked,
            Self::Active => CardStatus::Active,
            Self::Lost => CardStatus::Lost,
            Self::Blocked => CardStatus::Blocked,
            Self::Restricted => CardStatus::Restricted,
        }
    }
}

/// Reads the word for where a card stands.
pub(super) fn status(text: &str) -> Result<CardStatus, String> {
    let read = <StatusArg as ValueEnum>::from_str(text, true);
    read.map(StatusArg::status).map_err(|_| {
        format!("{text} is no status; they are stocked, active, lost, blocked and restricted")
    })
}

/// Reads `ID:YUAN:PIECES[:NAME]`.
pub(super) fn voucher(text: &str) -> Result<Holding, String> {
    let wrong = || "write a voucher as ID:YUAN:PIECES or ID:YUAN:PIECES:NAME".to_owned();
    let mut parts = text.splitn(4, ':');
    let mut part = || parts.next();
    let (id, face, pieces) = (part(), part(), part());
    holding(TicketKind::Voucher, [id, face, pieces], part()).ok_or_else(wrong)
}

/// Reads `ID:KIND:YUAN:PIECES[:NAME]`.
pub(super) fn ticket(text: &str) -> Result<Holding, String> {
    let wrong = || {
        "write a ticket as ID:KIND:YUAN:PIECES or ID:KIND:YUAN:PIECES:NAME; kinds are 01 \
         group-buy, 02 exchange and 03 cash"
            .to_owned()
    };
    let mut parts = text.splitn(5, ':');
    let mut part = || parts.next();
    let (id, kind, face, pieces) = (part(), part(), part(), part());
    let kind = kind.and_then(ticket_kind).ok_or_else(wrong)?;
    holding(kind, [id, face, pieces], part()).ok_or_else(wrong)
}

/// Reads the kind of a ticket.
pub(super) fn ticket_kind(text: &str) -> Option<TicketKind> {
    match text {
        "01" => Some(TicketKind::GroupBuy),
        "02" => Some(TicketKind::Exchange),
        "03" => Some(TicketKind::Cash),
        _ => None,
    }
}

fn holding(kind: TicketKind, parts: [Option<&str>; 3], name: Option<&str>) -> Option<Holding> {
    let [id, face, pieces] = parts;
    let id = id?.parse().ok()?;
    let face = Amount::parse(face?, Amount::TRANSACTION_MAX).ok()?;
    Some(Holding {
        id,
        kind,
        name: name.map_or_else(|| format!("{id}"), str::to_owned),
        face: Fen::new(face.get()),
        pieces: pieces?.parse().ok()?,
        expires_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vouchers_and_tickets_are_read() {
        let read = voucher("1:0.50:2:半元券").unwrap();
        assert_eq!((read.id, read.face.get(), read.pieces), (1, 50, 2));
        assert_eq!(
            (read.kind, read.name.as_str()),
            (TicketKind::Voucher, "半元券")
        );
        let read = ticket("2:03:100:10").unwrap();
        assert_eq!(
            (read.kind, read.face.get(), read.name.as_str()),
            (TicketKind::Cash, 10_000, "2")
        );
        for wrong in ["1", "1:x:2", "1:1.005:2"] {
            assert!(voucher(wrong).is_err(), "{wrong}");
        }
        assert!(ticket("2:04:100:10").is_err());
        assert_eq!(status("LOST"), Ok(CardStatus::Lost));
        assert!(status("gone").unwrap_err().contains("stocked, active"));
    }
}
