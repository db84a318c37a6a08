//! A reply of dialect 3, for people and as JSON.

use super::Message;
use crate::cli::{
    CommandError,
    call::http::Answer,
    output::{self, Shape, Side, Table, Tone},
};
use std::process::ExitCode;
use wire::{
    Locale,
    voucher::{
        CodesReply, Document, PartNoReply, ReturnCode, Sign, TraceReply, VerifyingKey,
        reply::{Reply, TraceEntry, Tree},
    },
};

/// Prints the reply.
pub(super) fn show(
    message: &Message,
    answer: &Answer,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let Ok(reply) = Reply::decode(message.action, &answer.body) else {
        return Err(unreadable(message, answer).into());
    };
    match shape {
        Shape::Json => output::print(String::from_utf8_lossy(&answer.body).trim())?,
        Shape::Text => output::print(&text(&reply))?,
    }
    let is_done = answer.status == 200 && is_success(&reply);
    Ok(if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Refuses a reply that this key did not sign.
pub(super) fn check_signature(body: &[u8], key: &VerifyingKey) -> Result<(), CommandError> {
    let document = Document::decode(body).map_err(|error| error.to_string())?;
    let verified = Sign::of(&document).verify(key, &document);
    verified.map_err(|error| format!("the reply's signature: {error}").into())
}

fn unreadable(message: &Message, answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let text: String = output::plain(text.trim()).chars().take(200).collect();
    let what = match answer.status {
        404 => "nothing is served at this path; is --url right?".to_owned(),
        429 => "too many requests; wait".to_owned(),
        503 => "the gateway is overloaded or stopping; nothing was recorded, try again".to_owned(),
        _ => format!(
            "that is no reply of this protocol; if a gateway answered, the outcome is not known: {}",
            message.if_lost
        ),
    };
    format!("HTTP {} ({text}): {what}", answer.status)
}

const fn is_success(reply: &Reply) -> bool {
    match reply {
        Reply::Codes { reply, .. } => reply.code.is_success(),
        Reply::Trace(reply) => reply.code.is_success(),
        Reply::PartNo(reply) => reply.status.is_success(),
    }
}

fn text(reply: &Reply) -> String {
    match reply {
        Reply::Codes { reply, tree } => codes_text(reply, tree.as_ref()),
        Reply::Trace(reply) => trace_text(reply),
        Reply::PartNo(reply) => part_no_text(reply),
    }
}

/// The code with what it means, and the reply's own words where they say more.
fn title(code: &str, meaning: &str, desc: &str, is_success: bool) -> String {
    let tone = if is_success { Tone::Good } else { Tone::Bad };
    let meaning = if is_success { "" } else { meaning };
    let desc = output::plain(desc);
    let code = output::paint(code, tone);
    match meaning {
        "" => format!("{code}  {desc}"),
        meaning => format!("{code}  {desc}  ({meaning})"),
    }
}

fn code_title(code: ReturnCode, desc: &str) -> String {
    title(code.code(), code.name(Locale::En), desc, code.is_success())
}

fn codes_text(reply: &CodesReply, tree: Option<&Tree>) -> String {
    let mut parts = vec![code_title(reply.code, &reply.desc)];
    let mut lines = Vec::new();
    lines.extend(reply.trace_no.clone().map(|it| ("traceNo", it)));
    lines.extend(reply.order_no.clone().map(|it| ("orderNo", it)));
    let paid = reply.bill.as_ref().map(|it| it.paid_amount_fen);
    lines.extend(paid.map(|fen| ("paidAmount", format!("{} yuan", output::yuan(fen.into())))));
    if !lines.is_empty() {
        parts.push(output::fields(&lines));
    }
    parts.extend(tree.map(tree_text));
    parts.join("\n")
}

fn tree_text(tree: &Tree) -> String {
    let mut table = Table::new(&[
        ("box", Side::Left),
        ("package", Side::Left),
        ("reel", Side::Left),
        ("code", Side::Left),
        ("status", Side::Left),
        ("uses left", Side::Right),
        ("face value", Side::Right),
        ("valid until", Side::Left),
    ]);
    for (place, it) in tree.codes() {
        let status = format!("{} {}", it.status.code(), it.status.name(Locale::En));
        let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
        table.push([
            or_dash(place.box_id),
            place.pkg_id.to_owned(),
            place.reel_id.to_owned(),
            it.code.to_string(),
            status,
            it.remain_times.to_string(),
            output::yuan(it.face_value_fen.into()),
            it.valid_end.map_or("-".to_owned(), |it| it.to_string()),
        ]);
    }
    table.render()
}

fn trace_text(reply: &TraceReply) -> String {
    let title = code_title(reply.code, &reply.desc);
    if reply.entries.is_empty() {
        return title;
    }
    let mut table = Table::new(
        &["when", "what", "shop", "till", "serial", "kept with it"].map(|name| (name, Side::Left)),
    );
    for it in &reply.entries {
        table.push([
            it.at.to_string(),
            what(it).to_owned(),
            format!("{} {}", it.shop_no, it.shop_name).trim().to_owned(),
            it.tid.clone(),
            it.swift.clone(),
            kept(it),
        ]);
    }
    format!("{title}\n{}", table.render())
}

/// What an entry says happened: its own words are those of a success only.
const fn what(entry: &TraceEntry) -> &'static str {
    use wire::voucher::TraceKind::{Activated, UseReversed, Used, Voided};
    match entry.kind {
        Activated => "activated",
        Used => "used",
        UseReversed => "use reversed",
        Voided => "voided",
    }
}

fn kept(entry: &TraceEntry) -> String {
    let data = &entry.extend_data;
    let fields = [
        ("shopNo", &data.shop_no),
        ("voucherNo", &data.voucher_no),
        ("posSerialNo", &data.pos_serial_no),
        ("oms", &data.oms),
    ];
    let there = fields
        .iter()
        .filter_map(|(name, text)| text.as_ref().map(|text| format!("{name}={text}")));
    there.collect::<Vec<_>>().join(" ")
}

fn part_no_text(reply: &PartNoReply) -> String {
    let status = reply.status.code().to_string();
    let meaning = reply.status.name(Locale::En);
    let title = title(&status, meaning, &reply.message, reply.status.is_success());
    match reply.create_time {
        Some(at) => format!(
            "{title}\n{}",
            output::fields(&[("createTime", at.to_string())])
        ),
        None => title,
    }
}
