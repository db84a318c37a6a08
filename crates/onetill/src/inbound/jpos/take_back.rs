//! trans/cancel, refunds and refunds/cancel (source: 消费撤销, 消费退货, 消费退货撤销).

use super::{Done, admit::Admitted, decline, present, refused::Refused};
use crate::app::{Gateway, loyalty::give_back::Named};
use domain::{
    command::loyalty::GiveBackKind,
    loyalty::trans::{Trans, TransNo},
};
use jiff::civil::Date;
use std::sync::Arc;
use wire::jpos::{
    Body, name,
    reply::{RefundReply, Returned},
    request::{Original, TakeBack},
};

pub(super) async fn cancel(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &TakeBack,
    content: u128,
) -> Result<Done, Refused> {
    let trans = give_back(gateway, admitted, GiveBackKind::Cancel, request, content).await?;
    moved(&trans)
}

pub(super) async fn refund_cancel(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &TakeBack,
    content: u128,
) -> Result<Done, Refused> {
    let kind = GiveBackKind::RefundCancel;
    let trans = give_back(gateway, admitted, kind, request, content).await?;
    moved(&trans)
}

fn moved(trans: &Trans) -> Result<Done, Refused> {
    Ok(Done {
        at: trans.at,
        body: Body::Cancel(Some(present::moved(trans)?)),
    })
}

pub(super) async fn refund(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &TakeBack,
    content: u128,
) -> Result<Done, Refused> {
    let trans = give_back(gateway, admitted, GiveBackKind::Refund, request, content).await?;
    let effect = &trans.effect;
    let returned = Returned {
        serial_no: present::serial_no(&trans)?,
        balances: present::balances(trans.balance),
        points: present::points(effect.points_used()),
        present_points: present::points(effect.earned),
        cash: present::yuan(effect.cash),
        supply_cash: present::yuan(effect.supply_cash),
    };
    Ok(Done {
        at: trans.at,
        body: Body::Refund(RefundReply(Some(returned))),
    })
}

async fn give_back(
    gateway: &Gateway,
    admitted: &Admitted,
    kind: GiveBackKind,
    request: &TakeBack,
    content: u128,
) -> Result<Arc<Trans>, Refused> {
    let heading = present::heading(&request.head, content)?;
    let original = named(&request.original)?;
    let makes = kind.makes();
    let card = decline::card(gateway, admitted, &heading, makes, &request.card).await?;
    let given = gateway.give_back(&admitted.caller, &heading, kind, &card, &original);
    Ok(given.await??)
}

fn named(original: &Original) -> Result<Named, Refused> {
    Ok(Named {
        number: original.serial_no.as_deref().map(trans_no),
        trace: original.trace_no.map(present::trace).transpose()?,
        batch: original.batch_no.map(present::batch).transpose()?,
        day: original.trans_date.as_deref().map(day).transpose()?,
        register_trace: original.register_trace_no.clone(),
    })
}

/// Longer numbers are an earlier system's: no transaction here has one, nor zero.
fn trans_no(digits: &str) -> TransNo {
    let number = digits.parse().ok().filter(|_| digits.len() == 12);
    TransNo::from_stored(number.unwrap_or(0))
}

/// The day of `yyyyMMdd`, since 1970.
fn day(digits: &str) -> Result<i64, Refused> {
    let wrong = || Refused::field(name::ORI_TRANS_DATE);
    let date = Date::strptime("%Y%m%d", digits).map_err(|_| wrong())?;
    let epoch = Date::constant(1970, 1, 1);
    let span = date.since(epoch).map_err(|_| wrong())?;
    Ok(i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::jpos::Status;

    #[test]
    fn a_date_is_a_day_that_there_is() {
        assert_eq!(day("19700102").ok(), Some(1));
        assert_eq!(day("20261122").ok(), Some(20_779));
        for wrong in ["20261131", "20260230", "00000000"] {
            let refused = day(wrong).err().unwrap();
            assert_eq!(refused.outcome.status(), Status::BadField, "{wrong}");
        }
    }

    #[test]
    fn only_twelve_digits_can_be_a_number_of_ours() {
        assert_eq!(trans_no("000010000001"), TransNo::new(1, 1));
        assert_eq!(trans_no("10000001"), TransNo::from_stored(0));
        assert_eq!(trans_no("99999999999999999999"), TransNo::from_stored(0));
    }
}
