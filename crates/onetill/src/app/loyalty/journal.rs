//! A terminal's journal of a batch against the host's, line by line.

use domain::{
    loyalty::{
        card::{TicketId, TicketKind},
        journal::{Compared, Difference, Figure, Finding},
        totals::Totals,
        trans::{Effect, TicketUse, TraceNo, Trans, TransKind, TransNo, TransState},
    },
    money::Fen,
};
use std::collections::HashMap;

/// One message in a terminal's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it was.
    pub kind: TransKind,
    /// Its number in the batch.
    pub trace: TraceNo,
    /// The host's number, if the terminal was told one.
    pub number: Option<TransNo>,
    /// What was paid or given back in points, at their value.
    pub point_amount: Fen,
    /// What was paid in cash.
    pub cash: Fen,
    /// Pieces of vouchers and tickets.
    pub pieces: Vec<Pieces>,
}

/// Pieces of one ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Which.
    pub ticket: TicketId,
    /// How many.
    pub pieces: i64,
}

/// A terminal's journal on its way along the host's events of the batch, which come page by page:
/// however many there are, none is kept.
pub struct Comparison<'e> {
    /// The terminal's entries by their numbers, those of one number in the terminal's order.
    entries: Vec<&'e Entry>,
    /// How many of them lie before the host's next event.
    passed: usize,
    /// The face values that the host's events name.
    faces: HashMap<TicketId, Fen>,
    /// What was found so far, in the order of the numbers.
    found: Vec<Compared>,
}

impl<'e> Comparison<'e> {
    /// Of these entries, before the host's first event.
    #[must_use]
    pub fn of(entries: &'e [Entry]) -> Self {
        let mut entries: Vec<&Entry> = entries.iter().collect();
        entries.sort_by_key(|it| it.trace);
        Self {
            found: Vec::with_capacity(entries.len()),
            entries,
            passed: 0,
            faces: HashMap::new(),
        }
    }

    /// Takes the host's next event, behind all it was given.
    pub fn take(&mut self, host: &Trans) {
        let tickets = host.effect.tickets.iter();
        self.faces.extend(tickets.map(|it| (it.ticket(), it.face)));
        let Some(place) = host.place.filter(|_| is_counted(host)) else {
            return;
        };
        self.pass(|it| i64::from(it.trace.get()) < place.trace());
        let mut left = Some(host);
        self.pass_with(
            |it| i64::from(it.trace.get()) == place.trace(),
            |it| left.take_if(|host| host.kind == it.kind),
        );
        self.found.extend(left.and_then(only_at_host));
    }

    /// What was found, in the order of the numbers, and what the terminal's journal adds up to. It
    /// names no face values: those of the host's events of the batch are taken, and tickets that the
    /// host knows nothing of are worth nothing.
    #[must_use]
    pub fn end(mut self) -> (Vec<Compared>, Totals) {
        self.pass(|_| true);
        let mut totals = Totals::default();
        for entry in &self.entries {
            totals.count(entry.kind, &entry.effect(&self.faces), 1);
        }
        (self.found, totals)
    }

    /// Passes the next entries that `is_next`: the host has none of them.
    fn pass(&mut self, is_next: impl Fn(&Entry) -> bool) {
        self.pass_with(is_next, |_| None);
    }

    /// The same, with the host's event that is each entry's.
    fn pass_with<'h>(
        &mut self,
        is_next: impl Fn(&Entry) -> bool,
        mut host: impl FnMut(&Entry) -> Option<&'h Trans>,
    ) {
        let left = self.entries.get(self.passed..).unwrap_or_default();
        let next = left.iter().take_while(|it| is_next(it));
        let before = self.found.len();
        self.found.extend(next.map(|it| it.compared(host(it))));
        self.passed += self.found.len() - before;
    }
}

/// Whether a batch's totals count an event.
fn is_counted(trans: &Trans) -> bool {
    let stands = match trans.state {
        TransState::Approved | TransState::GivenBack(_) => true,
        TransState::Declined(_) | TransState::Reversed(_) | TransState::Tombstone => false,
    };
    stands && trans.kind.is_counted()
}

fn only_at_host(trans: &Trans) -> Option<Compared> {
    let trace = u32::try_from(trans.place?.trace()).ok()?;
    Some(Compared {
        kind: trans.kind,
        trace: TraceNo::new(trace)?,
        number: trans.number,
        finding: Finding::OnlyAtHost,
    })
}

impl Entry {
    fn compared(&self, host: Option<&Trans>) -> Compared {
        let finding = host.map_or(Finding::OnlyAtTerminal, |host| {
            let differences = self.differences(host);
            if differences.is_empty() {
                Finding::Matched
            } else {
                Finding::Differs(differences)
            }
        });
        Compared {
            kind: self.kind,
            trace: self.trace,
            number: host.and_then(|it| it.number).or(self.number),
            finding,
        }
    }

    fn differences(&self, host: &Trans) -> Vec<Difference> {
        let effect = &host.effect;
        let number = |it: Option<TransNo>| it.map_or(0, TransNo::get);
        let (vouchers, tickets) = (pieces_of(effect, true), pieces_of(effect, false));
        let mut figures = vec![
            (
                Figure::PointAmount,
                effect.point_amount.get(),
                self.point_amount.get(),
            ),
            (Figure::Vouchers, vouchers, self.pieces_of(true)),
            (Figure::Tickets, tickets, self.pieces_of(false)),
        ];
        // Terminals do not write down what cash they gave back.
        if self.kind == TransKind::Consume {
            figures.push((Figure::Cash, effect.cash.get(), self.cash.get()));
        }
        if self.number.is_some() {
            figures.push((Figure::Number, number(host.number), number(self.number)));
        }
        let differ = |(figure, host, terminal)| Difference {
            figure,
            host,
            terminal,
        };
        let differing = figures
            .into_iter()
            .filter(|(_, host, terminal)| host != terminal);
        differing.map(differ).collect()
    }

    /// What it moved, as far as totals count that.
    fn effect(&self, faces: &HashMap<TicketId, Fen>) -> Effect {
        let uses = self.pieces.iter().map(|it| used(it, faces));
        Effect {
            point_amount: self.point_amount,
            cash: self.cash,
            tickets: uses.collect(),
            ..Effect::default()
        }
    }

    fn pieces_of(&self, voucher: bool) -> i64 {
        let pieces = self.pieces.iter().filter(|it| it.ticket.voucher == voucher);
        pieces.map(|it| it.pieces).sum()
    }
}

fn pieces_of(effect: &Effect, voucher: bool) -> i64 {
    let tickets = effect.tickets.iter();
    let tickets = tickets.filter(|it| it.ticket().voucher == voucher);
    tickets.map(|it| it.pieces).sum()
}

fn used(pieces: &Pieces, faces: &HashMap<TicketId, Fen>) -> TicketUse {
    let kind = if pieces.ticket.voucher {
        TicketKind::Voucher
    } else {
        // Totals do not tell the kinds of tickets apart.
        TicketKind::Cash
    };
    TicketUse {
        id: pieces.ticket.id,
        kind,
        name: String::new(),
        face: faces.get(&pieces.ticket).copied().unwrap_or_default(),
        pieces: pieces.pieces,
        expires_at: None,
        code: None,
        written_off: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        ids::{Serial, TenantId},
        loyalty::{
            card::Balance,
            terminal::BatchNo,
            trans::{Place, Refusal},
        },
        time::UnixMs,
    };

    const VOUCHER: TicketId = TicketId {
        voucher: true,
        id: 1,
    };

    fn trace(number: u32) -> TraceNo {
        TraceNo::new(number).unwrap()
    }

    fn host(number: u32, kind: TransKind, point_amount: i64) -> Trans {
        let ticket = TicketUse {
            id: 1,
            kind: TicketKind::Voucher,
            name: String::new(),
            face: Fen::new(500),
            pieces: 2,
            expires_at: None,
            code: None,
            written_off: false,
        };
        Trans {
            tenant: TenantId(1),
            serial: Serial(i64::from(number)),
            place: Some(Place::new(1, BatchNo::FIRST, trace(number))),
            number: Some(TransNo::new(1, i64::from(number))),
            kind,
            state: TransState::Approved,
            store: None,
            store_account: 1,
            card: None,
            card_account: None,
            at: UnixMs(0),
            content: 0,
            register_trace: None,
            entry_mode: None,
            advertisement: String::new(),
            original: None,
            undoes: None,
            effect: Effect {
                point_amount: Fen::new(point_amount),
                cash: Fen::new(100),
                tickets: vec![ticket],
                ..Effect::default()
            },
            balance: Balance::default(),
            settlement: None,
        }
    }

    fn entry(number: u32, kind: TransKind, point_amount: i64) -> Entry {
        Entry {
            kind,
            trace: trace(number),
            number: None,
            point_amount: Fen::new(point_amount),
            cash: Fen::new(100),
            pieces: vec![Pieces {
                ticket: VOUCHER,
                pieces: 2,
            }],
        }
    }

    fn compare(entries: &[Entry], host: &[Trans]) -> (Vec<Compared>, Totals) {
        let mut comparison = Comparison::of(entries);
        host.iter().for_each(|it| comparison.take(it));
        comparison.end()
    }

    fn found(entries: &[Entry], host: &[Trans]) -> Vec<(u32, Finding)> {
        let compared = compare(entries, host).0.into_iter();
        compared.map(|it| (it.trace.get(), it.finding)).collect()
    }

    #[test]
    fn lines_are_found_by_their_numbers_and_listed_in_their_order() {
        let ours = [
            host(1, TransKind::Consume, 100),
            host(3, TransKind::Cancel, 100),
        ];
        let theirs = [
            entry(4, TransKind::Refund, 1),
            entry(1, TransKind::Consume, 100),
        ];
        let expected = [
            (1, Finding::Matched),
            (3, Finding::OnlyAtHost),
            (4, Finding::OnlyAtTerminal),
        ];
        assert_eq!(found(&theirs, &ours), expected);
    }

    #[test]
    fn a_line_of_another_kind_or_twice_is_another_line() {
        let ours = [host(1, TransKind::Consume, 100)];
        let other = [entry(1, TransKind::Refund, 100)];
        let expected = [(1, Finding::OnlyAtTerminal), (1, Finding::OnlyAtHost)];
        assert_eq!(found(&other, &ours), expected);
        let twice = [
            entry(1, TransKind::Consume, 100),
            entry(1, TransKind::Consume, 100),
        ];
        let expected = [(1, Finding::Matched), (1, Finding::OnlyAtTerminal)];
        assert_eq!(found(&twice, &ours), expected);
    }

    #[test]
    fn what_does_not_stand_is_not_the_hosts() {
        let states = [
            TransState::Declined(Refusal::TooFew),
            TransState::Reversed(Serial(9)),
            TransState::Tombstone,
        ];
        for state in states {
            let ours = Trans {
                state,
                ..host(1, TransKind::Consume, 100)
            };
            assert_eq!(found(&[], &[ours]), [], "{state:?}");
        }
        let given_back = Trans {
            state: TransState::GivenBack(Serial(9)),
            ..host(1, TransKind::Consume, 100)
        };
        assert_eq!(found(&[], &[given_back]), [(1, Finding::OnlyAtHost)]);
        let settled = host(2, TransKind::Settle, 0);
        assert_eq!(found(&[], &[settled]), []);
    }

    #[test]
    fn every_figure_that_differs_is_named() {
        let ours = [host(1, TransKind::Consume, 100)];
        let theirs = Entry {
            number: Some(TransNo::new(1, 7)),
            cash: Fen::new(99),
            pieces: vec![Pieces {
                ticket: TicketId {
                    voucher: false,
                    id: 1,
                },
                pieces: 1,
            }],
            ..entry(1, TransKind::Consume, 101)
        };
        let (compared, _) = compare(&[theirs], &ours);
        let Finding::Differs(differences) = &compared[0].finding else {
            panic!("{compared:?}");
        };
        let named: Vec<_> = differences
            .iter()
            .map(|it| (it.figure, it.host, it.terminal))
            .collect();
        let expected = [
            (Figure::PointAmount, 100, 101),
            (Figure::Vouchers, 2, 0),
            (Figure::Tickets, 0, 1),
            (Figure::Cash, 100, 99),
            (Figure::Number, 10_000_001, 10_000_007),
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn cash_given_back_is_not_compared() {
        let ours = [host(1, TransKind::Cancel, 100)];
        let theirs = Entry {
            cash: Fen::ZERO,
            ..entry(1, TransKind::Cancel, 100)
        };
        assert_eq!(found(&[theirs], &ours), [(1, Finding::Matched)]);
    }

    #[test]
    fn a_journal_adds_up_at_the_hosts_face_values() {
        let ours = [host(1, TransKind::Consume, 100)];
        let theirs = [
            entry(1, TransKind::Consume, 100),
            entry(2, TransKind::Cancel, 40),
        ];
        let expected = Totals {
            point_debit_count: 1,
            point_debit_amount: Fen::new(100),
            point_credit_count: 1,
            point_credit_amount: Fen::new(40),
            ticket_debit_count: 2,
            ticket_debit_amount: Fen::new(1_000),
            ticket_credit_count: 2,
            ticket_credit_amount: Fen::new(1_000),
            trans_count: 2,
            cancel_count: 1,
            ..Totals::default()
        };
        assert_eq!(compare(&theirs, &ours).1, expected);
        assert_eq!(compare(&theirs, &[]).1.ticket_debit_amount, Fen::ZERO);
    }
}
