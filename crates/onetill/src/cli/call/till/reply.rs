//! An answer, for people. The names are the dialect's, with what they mean beside them.

use crate::cli::output::{self, Side, Table, Tone};
use std::process::ExitCode;
use wire::jpos::{
    Body, Reply, Status, name,
    reply::{
        Balances, CardsReply, Difference, EntryResult, Holder, Points, Returned, SettleFlag,
        SettleReply, TicketsReply, Verdict,
    },
};

type Lines = Vec<(&'static str, String)>;

/// 0 for 00.
pub(super) fn exit_code(reply: &Reply) -> ExitCode {
    ExitCode::from(u8::from(reply.outcome.status() != Status::Approved))
}

/// The answer as lines.
pub(super) fn text(reply: &Reply) -> String {
    let mut parts = vec![title(reply)];
    let lines = lines(&reply.body);
    if !lines.is_empty() {
        parts.push(output::fields(&lines));
    }
    parts.extend(table(&reply.body));
    parts.join("\n")
}

fn title(reply: &Reply) -> String {
    let status = reply.outcome.status();
    let tone = if status == Status::Approved {
        Tone::Good
    } else {
        Tone::Bad
    };
    let meaning = MEANINGS.iter().find(|(known, _)| *known == status);
    let is_pin = status == Status::BadField && reply.outcome.message().ends_with(name::PASSWORD);
    let meaning = meaning.map(|(_, text)| match is_pin {
        true => "  (the card has a PIN: --ask-pin)".to_owned(),
        false => format!("  ({text})"),
    });
    let code = output::paint(status.code(), tone);
    let message = output::plain(reply.outcome.message());
    format!("{code}  {message}{}", meaning.unwrap_or_default())
}

/// What the statuses of this gateway mean, and what to do.
const MEANINGS: &[(Status, &str)] = &[
    (Status::Approved, "done"),
    (Status::UnknownStore, "no such store"),
    (
        Status::WrongIdentity,
        "wrong verification code or identity paper",
    ),
    (Status::NotAllowed, "not possible for this transaction"),
    (Status::BadAmount, "no amount, or a bad one"),
    (Status::UnknownCard, "no such card, or not the original's"),
    (
        Status::CardNotActive,
        "the card is not active: onetill call activate",
    ),
    (Status::Conflict, "done or taken back already"),
    (Status::OriginalMissing, "the original is not there"),
    (Status::BadField, "a field is missing or bad"),
    (Status::UnknownFunction, "the gateway does not serve this"),
    (Status::CardBlocked, "the card is lost or blocked"),
    (Status::TooLittle, "too few points, vouchers or tickets"),
    (Status::CardExpired, "the card has expired"),
    (Status::WrongPin, "wrong PIN, or none: --ask-pin"),
    (Status::CardRestricted, "the card may not be used"),
    (
        Status::TerminalBlocked,
        "the terminal is blocked, or not admitted from this address: onetill store set --network, \
         onetill terminal unblock",
    ),
    (Status::OverLimit, "over a limit of the program"),
    (Status::AmountDiffers, "not the original's amount"),
    (Status::TooMany, "too many of them; wait"),
    (
        Status::PinLocked,
        "the PIN is locked: onetill member reset-pin",
    ),
    (
        Status::CheckinNeeded,
        "not checked in, or another batch: onetill call checkin",
    ),
    (
        Status::DuplicateTrace,
        "this number was used for another message: go on from a higher one with --trace-no",
    ),
    (
        Status::Internal,
        "an error in the gateway; the outcome is not known",
    ),
    (Status::UnknownTerminal, "no such terminal in this store"),
    (
        Status::PinFormat,
        "the PIN block does not open: check in again",
    ),
    (
        Status::MacFailed,
        "the MAC is missing or wrong: check in again",
    ),
];

fn lines(body: &Body) -> Lines {
    match body {
        Body::Checkin(reply) => vec![
            (
                "batchNo",
                reply.batch_no.map_or("-".to_owned(), |no| no.to_string()),
            ),
            ("storeName", reply.store_name.clone()),
        ],
        Body::Cards(reply) => card(reply),
        Body::Consume(reply) => {
            let mut lines = reply.points.map_or_else(Vec::new, |it| points(&it));
            if !reply.advertisement.is_empty() {
                lines.push(("advertisement", reply.advertisement.clone()));
            }
            lines
        }
        Body::Cancel(reply) => reply.map_or_else(Vec::new, |it| points(&it)),
        Body::Refund(reply) => reply.0.map_or_else(Vec::new, |it| returned(&it)),
        Body::Tickets(reply) => reply.balances.map_or_else(Vec::new, balances),
        Body::TicketConsume(reply) => {
            let serial_no = reply.serial_no.map(|no| ("serialNo", no.to_string()));
            serial_no.into_iter().collect()
        }
        Body::CardActive(serial_no) => {
            let serial_no = serial_no.map(|no| ("serialNo", no.to_string()));
            serial_no.into_iter().collect()
        }
        Body::Settle(reply) => settled(reply),
        Body::SettleDetails(_) | Body::Plain => Vec::new(),
    }
}

fn balances(it: Balances) -> Lines {
    vec![
        ("pointBalance", format!("{}  (points)", it.total)),
        (
            "avaiablePointBalance",
            format!("{}  (to be spent now)", it.available),
        ),
    ]
}

fn points(it: &Points) -> Lines {
    let mut lines = vec![("serialNo", it.serial_no.to_string())];
    lines.extend(balances(it.balances));
    lines.push(("usePoint", it.used.to_string()));
    lines.push(("persentPoint", format!("{}  (earned)", it.present)));
    lines
}

fn returned(it: &Returned) -> Lines {
    let mut lines = vec![("serialNo", it.serial_no.to_string())];
    lines.extend(balances(it.balances));
    lines.push(("returnPoint", format!("{}  (points given back)", it.points)));
    lines.push((
        "returnPersentPoint",
        format!("{}  (earned points taken back)", it.present_points),
    ));
    lines.push(("returnCash", format!("{} yuan  (to the customer)", it.cash)));
    lines.push((
        "supplyCash",
        format!("{} yuan  (from the customer)", it.supply_cash),
    ));
    lines
}

fn card(reply: &CardsReply) -> Lines {
    let mut lines = reply.balances.map_or_else(Vec::new, balances);
    let Holder {
        id_type,
        id_no,
        name,
        gender,
        mobile_no,
        grade,
        address,
        email,
    } = &reply.holder;
    let coded = |code: Option<&'static str>| code.unwrap_or_default().to_owned();
    let held = [
        ("name", name.clone()),
        ("gender", coded(gender.map(|it| it.code()))),
        ("mobileNo", mobile_no.clone()),
        ("grade", coded(grade.map(|it| it.code()))),
        ("idType", coded(id_type.map(|it| it.code()))),
        ("idNo", id_no.clone()),
        ("address", address.clone()),
        ("email", email.clone()),
    ];
    lines.extend(held.into_iter().filter(|(_, value)| !value.is_empty()));
    lines
}

fn settled(reply: &SettleReply) -> Lines {
    let flag = reply.flag.map(|flag| match flag {
        SettleFlag::Balanced => "ss  (balanced; the batch is closed)",
        SettleFlag::Unbalanced => "ns  (not balanced; the batch stays open)",
    });
    flag.map(|flag| ("settleFlag", flag.to_owned()))
        .into_iter()
        .collect()
}

fn table(body: &Body) -> Option<String> {
    match body {
        Body::Cards(reply) if !reply.vouchers.is_empty() => {
            let mut table = pieces("vaucher");
            for it in &reply.vouchers {
                table.push([
                    it.id.to_string(),
                    it.name.clone(),
                    yuan(it.amount),
                    it.num.to_string(),
                ]);
            }
            Some(table.render())
        }
        Body::Tickets(TicketsReply { tickets, .. }) if !tickets.is_empty() => {
            let mut table = pieces("ticket");
            for it in tickets {
                let name = format!("{} {}", it.kind.code(), it.name);
                table.push([it.id.to_string(), name, yuan(it.amount), it.num.to_string()]);
            }
            Some(table.render())
        }
        Body::Settle(reply) if !reply.differences.is_empty() => {
            Some(differences(&reply.differences))
        }
        Body::SettleDetails(results) => Some(compared(results)),
        Body::Checkin(_)
        | Body::Cards(_)
        | Body::Consume(_)
        | Body::Cancel(_)
        | Body::Refund(_)
        | Body::Tickets(_)
        | Body::TicketConsume(_)
        | Body::CardActive(_)
        | Body::Settle(_)
        | Body::Plain => None,
    }
}

fn pieces(what: &str) -> Table {
    Table::new(&[
        (what, Side::Right),
        ("name", Side::Left),
        ("yuan", Side::Right),
        ("pieces", Side::Right),
    ])
}

fn yuan(amount: wire::jpos::Amount) -> String {
    output::yuan(amount.get().into())
}

fn differences(list: &[Difference]) -> String {
    let mut table = Table::new(&[
        ("field", Side::Left),
        ("host", Side::Right),
        ("terminal", Side::Right),
    ]);
    for it in list {
        table.push([
            it.field.to_string(),
            it.host.to_string(),
            it.terminal.to_string(),
        ]);
    }
    table.render()
}

/// What a comparison of journals found: only where they differ.
pub(super) fn compared(results: &[EntryResult]) -> String {
    let is_matched = |it: &&EntryResult| it.verdict == Verdict::Matched;
    let matched = results.iter().filter(is_matched).count();
    let mut table = Table::new(&[
        ("traceNo", Side::Left),
        ("function", Side::Left),
        ("serialNo", Side::Left),
        ("found", Side::Left),
    ]);
    for it in results.iter().filter(|it| !is_matched(it)) {
        let serial_no = it.serial_no.map_or("-".to_owned(), |no| no.to_string());
        let function = it.operation.function().to_owned();
        table.push([
            it.trace_no.to_string(),
            function,
            serial_no,
            verdict(&it.verdict),
        ]);
    }
    let summary = format!("{matched} of {} messages agree", results.len());
    if matched == results.len() {
        return summary;
    }
    format!("{summary}\n{}", table.render())
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Matched => "agrees".to_owned(),
        Verdict::OnlyAtTerminal => "only at the terminal".to_owned(),
        Verdict::OnlyAtHost => "only at the host".to_owned(),
        Verdict::AmountsDiffer(list) => {
            let differing = list.iter();
            let differing =
                differing.map(|it| format!("{} {} / {}", it.field, it.host, it.terminal));
            format!(
                "differs (host / terminal): {}",
                differing.collect::<Vec<_>>().join(", ")
            )
        }
    }
}
