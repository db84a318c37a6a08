//! What became of an activation, codes as they stand, and the history of one.

use super::{Answered, Asked, Refusal, present, tree};
use crate::app::voucher::{
    names::{Found, OneFound},
    trace::{AtTill, Entry},
    tree::{Pages, Paid},
};
use domain::{
    ids::TenantId,
    loyalty::store::StoreNo,
    voucher::{
        change::{Change, ChangeKind, Verdict},
        code::CodeNo,
        code_use::{CodeAct, Scene},
    },
};
use std::sync::Arc;
use wire::voucher::{
    Action, ReturnCode, TraceKind,
    reply::{Bill, CodesReply, TraceEntry, TraceReply},
    request::{Codes, Item, ResultQuery, TraceQuery},
};

/// activeResultQuery: an activation is carried out before it is answered, so it is never in
/// progress.
pub(super) async fn result(asked: &Asked<'_>, message: &ResultQuery) -> Result<Answered, Refusal> {
    let number = &message.original_trace_no;
    let kind = ChangeKind::Activate;
    let change = asked.gateway.recorded_change(&asked.partner, kind, number);
    let change = change.await?;
    let code = match change.as_ref().map(|it| &it.verdict) {
        None => ReturnCode::UnknownActivation,
        Some(Verdict::Done(_)) => ReturnCode::AllActive,
        Some(
            Verdict::Conflict(_) | Verdict::Unknown(_) | Verdict::Duplicate(..) | Verdict::TooMany,
        ) => ReturnCode::ActivationFailed,
    };
    let at = change
        .as_ref()
        .map_or_else(|| asked.gateway.now(), |it| it.at);
    let desc = code.name(asked.locale).to_owned();
    let done = code == ReturnCode::AllActive;
    let order_no = change
        .as_ref()
        .filter(|_| done)
        .map(|it| it.serial.to_string());
    let reply = CodesReply {
        trace_no: Some(message.trace_no.clone()),
        order_no,
        ..CodesReply::new(code, desc, present::civil(asked.gateway, at))
    };
    let found = match &change {
        Some(change) => codes_of(asked, change).await?,
        None => Vec::new(),
    };
    let pages = Pages::of(asked.gateway, &found);
    tree::answer(asked, &reply, message.shape(), pages).await
}

/// The codes that a change named.
async fn codes_of(asked: &Asked<'_>, change: &Change) -> Result<Vec<Found>, Refusal> {
    let mut found: Vec<Found> = Vec::with_capacity(change.ranges.len());
    for range in &change.ranges {
        let known = found.iter().find(|it| it.range.carton == range.carton);
        let carton = match known {
            Some(known) => Some(Arc::clone(&known.carton)),
            None => {
                let carton = asked.gateway.carton(change.tenant, range.carton);
                carton.await?.map(Arc::new)
            }
        };
        found.extend(carton.map(|carton| Found {
            range: *range,
            level: None,
            carton,
        }));
    }
    Ok(found)
}

/// queryVerifyInfo and queryVoucher.
pub(super) async fn codes(asked: &Asked<'_>, message: &Codes) -> Result<Answered, Refusal> {
    let (known, unknown) = match asked.action {
        Action::QueryVoucher => (ReturnCode::VoucherFound, ReturnCode::VoucherUnknown),
        Action::QueryVerifyInfo
        | Action::ActiveVoucher
        | Action::ActiveResultQuery
        | Action::DelVoucher
        | Action::ReelActiveVoucher
        | Action::ReelDelVoucher
        | Action::QueryCodeTrace
        | Action::ActiveByPartNo => (ReturnCode::Found, ReturnCode::NothingKnown),
    };
    let shown = shown(asked, message.items.items()).await?;
    let now = present::civil(asked.gateway, asked.gateway.now());
    match shown {
        Shown::Missing(missing) => {
            let desc = format!("{}: {}", unknown.name(asked.locale), missing.join(", "));
            let reply = CodesReply {
                trace_no: Some(message.trace_no.clone()),
                ..CodesReply::new(unknown, desc, now)
            };
            Ok((unknown, reply.encode(None)).into())
        }
        Shown::All(pages, paid) => {
            let reply = CodesReply {
                trace_no: Some(message.trace_no.clone()),
                order_no: paid.newest.map(|(_, serial)| serial.to_string()),
                bill: Some(Bill::of_paid(paid.total_fen)),
                ..CodesReply::new(known, known.name(asked.locale).to_owned(), now)
            };
            tree::answer(asked, &reply, message.shape(), pages).await
        }
    }
}

/// What a query's names lead to.
enum Shown<'m> {
    /// All that they lead to, and what it cost.
    All(Pages, Paid),
    /// The first of those that lead nowhere.
    Missing(Vec<&'m str>),
}

async fn shown<'m>(asked: &Asked<'_>, items: &'m [Item]) -> Result<Shown<'m>, Refusal> {
    if let [item] = items {
        return shown_one(asked, item).await;
    }
    let found = asked.find(items).await?;
    let missing = items.iter().zip(&found).filter(|(_, it)| it.is_none());
    let missing: Vec<&str> = missing.map(|(item, _)| item.as_str()).take(5).collect();
    if !missing.is_empty() {
        return Ok(Shown::Missing(missing));
    }
    let found: Vec<Found> = found.into_iter().flatten().collect();
    all(asked, &found).await
}

async fn shown_one<'m>(asked: &Asked<'_>, item: &'m Item) -> Result<Shown<'m>, Refusal> {
    Ok(match asked.find_one(item).await? {
        None => Shown::Missing(vec![item.as_str()]),
        Some(OneFound::Code(page, paid)) => Shown::All(Pages::one(asked.gateway, page), paid),
        Some(OneFound::Unit(found)) => all(asked, &[found]).await?,
    })
}

async fn all<'m>(asked: &Asked<'_>, found: &[Found]) -> Result<Shown<'m>, Refusal> {
    let paid = asked.gateway.paid_for(found).await?;
    Ok(Shown::All(Pages::of(asked.gateway, found), paid))
}

/// queryCodeTrace.
pub(super) async fn trace(asked: &Asked<'_>, message: &TraceQuery) -> Result<Answered, Refusal> {
    let found = asked.find(std::slice::from_ref(&message.item)).await?;
    let found = found.into_iter().flatten().find(|it| it.level.is_none());
    let (code, entries) = match &found {
        Some(found) => (
            ReturnCode::TraceFound,
            history(asked, message, found).await?,
        ),
        None => (ReturnCode::TraceUnknown, Vec::new()),
    };
    let reply = TraceReply {
        code,
        desc: code.name(asked.locale).to_owned(),
        trans_time_ms: asked.gateway.now().0,
        request_id: Some(message.request_id.clone()),
        entries,
    };
    Ok((code, reply.encode()).into())
}

async fn history(
    asked: &Asked<'_>,
    message: &TraceQuery,
    found: &Found,
) -> Result<Vec<TraceEntry>, Refusal> {
    let code = CodeNo {
        carton: found.range.carton,
        index: found.range.first,
    };
    let entries = asked.gateway.trace(found, code).await?;
    let text = message.item.as_str();
    Ok(entries.iter().map(|it| entry(asked, text, it)).collect())
}

fn entry(asked: &Asked<'_>, code: &str, entry: &Entry) -> TraceEntry {
    let at = present::civil(asked.gateway, entry.at());
    let new = |kind| TraceEntry::new(at, kind, code, asked.locale);
    match entry {
        Entry::Activated(_, change) => changed(new(TraceKind::Activated), change.as_deref()),
        Entry::Voided(_, change) => changed(new(TraceKind::Voided), change.as_deref()),
        Entry::Till(it) => {
            let AtTill { event, scene } = &**it;
            let kind = match event.act {
                CodeAct::Used => TraceKind::Used,
                CodeAct::GivenBack => TraceKind::UseReversed,
            };
            let (mid, shop_name) = shop(asked, event.tenant, scene);
            TraceEntry {
                mid,
                shop_name,
                shop_no: scene.store.clone(),
                tid: scene.terminal.clone(),
                swift: scene.sale.clone(),
                ..new(kind)
            }
        }
    }
}

/// The code and the name of who used a code: a merchant's, or of a store, which has no code here,
/// its name.
fn shop(asked: &Asked<'_>, tenant: TenantId, scene: &Scene) -> (String, String) {
    let gateway = asked.gateway;
    let Some(no) = scene.merchant else {
        let store = StoreNo::parse(&scene.store);
        let store = store.and_then(|it| gateway.loyalty.estate.store(&it));
        let store = store.filter(|it| it.store.tenant == tenant);
        let name = store.map_or_else(String::new, |it| it.store.name.clone());
        return (String::new(), name);
    };
    let account = gateway.directory.find_by_no(tenant, no);
    account.map_or_else(Default::default, |it| {
        (it.merchant.code.clone(), it.merchant.name.clone())
    })
}

fn changed(entry: TraceEntry, change: Option<&Change>) -> TraceEntry {
    let extend_data = change.map(|it| present::extend_data(&it.remarks));
    TraceEntry {
        extend_data: extend_data.unwrap_or_default(),
        ..entry
    }
}
