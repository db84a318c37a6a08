//! activeVoucher, delVoucher and their reel twins: all of what is named, or nothing.

use super::{Answered, Asked, Refusal, present};
use crate::app::voucher::{
    change::NewChange,
    guesses::Guesser,
    names::{Found, OneFound},
};
use domain::{
    command::voucher::ChangeReply,
    money::Fen,
    voucher::change::{Change, ChangeKind, Remarks, Verdict},
};
use wire::voucher::{
    Action, ReturnCode,
    reply::CodesReply,
    request::{Activate, Codes, Item},
};

pub(super) async fn activate(
    asked: &Asked<'_>,
    message: &Activate,
    content: u128,
) -> Result<Answered, Refusal> {
    let new = NewChange {
        kind: ChangeKind::Activate,
        number: message.trace_no.clone(),
        content,
        total: Fen::new(message.total_amount_fen),
        remarks: present::remarks(&message.extend_data),
        term: None,
        forget_refusal: false,
    };
    change(asked, new, message.items.items()).await
}

pub(super) async fn void(
    asked: &Asked<'_>,
    message: &Codes,
    content: u128,
) -> Result<Answered, Refusal> {
    let new = NewChange {
        kind: ChangeKind::Void,
        number: message.trace_no.clone(),
        content,
        total: Fen::ZERO,
        remarks: Remarks::default(),
        term: None,
        forget_refusal: false,
    };
    change(asked, new, message.items.items()).await
}

async fn change(asked: &Asked<'_>, new: NewChange, items: &[Item]) -> Result<Answered, Refusal> {
    if let Some(refused) = wrong_date(asked, &new).await? {
        return Ok(refused);
    }
    let found = asked.find(items).await?;
    let number = new.number.clone();
    let reply = asked.gateway.change_stock(&asked.partner, new, &found);
    let change = match reply.await? {
        ChangeReply::New(change) | ChangeReply::Repeat(change) => change,
        ChangeReply::Other(_) => return Ok(taken(asked, &number)),
    };
    Ok(answer(asked, &change, items, &found))
}

fn answer(asked: &Asked<'_>, change: &Change, items: &[Item], found: &[Option<Found>]) -> Answered {
    let done = matches!(change.verdict, Verdict::Done(_));
    let code = code(asked.action, &change.verdict);
    let why = present::why(&change.verdict, items, found, asked.locale);
    let desc = match why {
        Some(why) => format!("{}: {why}", code.name(asked.locale)),
        None => code.name(asked.locale).to_owned(),
    };
    let at = present::civil(asked.gateway, change.at);
    let reply = CodesReply {
        trace_no: Some(change.number.clone()),
        order_no: done.then(|| change.serial.to_string()),
        ..CodesReply::new(code, desc, at)
    };
    (code, reply.encode(None)).into()
}

/// Some codes in the way have a code of their own; everything else is another error.
fn code(action: Action, verdict: &Verdict) -> ReturnCode {
    let voids = matches!(action, Action::DelVoucher | Action::ReelDelVoucher);
    match (verdict, voids) {
        (Verdict::Done(_), false) => ReturnCode::Activating,
        (Verdict::Done(_), true) => ReturnCode::Voided,
        (Verdict::Conflict(_), false) => ReturnCode::NotActivable,
        (Verdict::Conflict(_), true) => ReturnCode::NotVoidable,
        (Verdict::Unknown(_) | Verdict::Duplicate(..) | Verdict::TooMany, false) => {
            ReturnCode::ActivationError
        }
        (Verdict::Unknown(_) | Verdict::Duplicate(..) | Verdict::TooMany, true) => {
            ReturnCode::VoidError
        }
    }
}

/// The number belongs to another message.
fn taken(asked: &Asked<'_>, number: &str) -> Answered {
    let what = asked.locale.pick(
        "traceNo 已用于另一请求，未处理",
        "traceNo belongs to another request, nothing was done",
    );
    other_error(asked, number, what)
}

fn other_error(asked: &Asked<'_>, number: &str, desc: &str) -> Answered {
    let code = ReturnCode::other_error(asked.action).unwrap_or(ReturnCode::ActivationError);
    let at = present::civil(asked.gateway, asked.gateway.now());
    let reply = CodesReply {
        trace_no: Some(number.to_owned()),
        ..CodesReply::new(code, desc.to_owned(), at)
    };
    (code, reply.encode(None)).into()
}

/// Some partners' numbers must start with the day's date. One that was taken on its day is
/// answered on another as well.
async fn wrong_date(asked: &Asked<'_>, new: &NewChange) -> Result<Option<Answered>, Refusal> {
    if !asked.partner.partner.settings.dated_trace_no {
        return Ok(None);
    }
    let today = present::civil(asked.gateway, asked.gateway.now()).date_digits();
    if new.number.starts_with(&today) {
        return Ok(None);
    }
    let gateway = asked.gateway;
    let known = gateway.recorded_change(&asked.partner, new.kind, &new.number);
    if known.await?.is_some() {
        return Ok(None);
    }
    let what = asked.locale.pick(
        "参数 traceNo 必须以当天日期yyyyMMdd开头",
        "parameter traceNo must start with today's yyyyMMdd",
    );
    Ok(Some(other_error(asked, &new.number, what)))
}

impl Asked<'_> {
    /// What each name leads to. Names that lead nowhere are counted: whoever names too many is not
    /// looked up any more.
    pub(super) async fn find(&self, items: &[Item]) -> Result<Vec<Option<Found>>, Refusal> {
        self.may_look()?;
        let names: Vec<&str> = items.iter().map(Item::as_str).collect();
        let found = self.gateway.find_names(&self.partner, &names).await?;
        self.missed(found.iter().filter(|it| it.is_none()).count());
        Ok(found)
    }

    /// The same of one name, with all that is told of it if it is a code's.
    pub(super) async fn find_one(&self, item: &Item) -> Result<Option<OneFound>, Refusal> {
        self.may_look()?;
        let found = self.gateway.find_one(&self.partner, item.as_str()).await?;
        self.missed(usize::from(found.is_none()));
        Ok(found)
    }

    fn may_look(&self) -> Result<(), Refusal> {
        let guesses = &self.gateway.vouchers.guesses;
        let may = guesses.may_look(self.guesser(), self.gateway.now());
        may.then_some(()).ok_or(Refusal::TooMany)
    }

    fn missed(&self, misses: usize) {
        let guesses = &self.gateway.vouchers.guesses;
        guesses.missed(self.guesser(), misses, self.gateway.now());
    }

    fn guesser(&self) -> Guesser {
        Guesser::Partner(self.partner.partner.number)
    }
}
