//! What each card must hold at the end: what it held, and what the terminals were told that each
//! transaction did.

use std::collections::BTreeMap;
use wire::jpos::Body;

/// Points by card, in hundredths.
pub type Balances = BTreeMap<String, i64>;

/// What an approved transaction did to its card's points, as its answer says, in hundredths.
#[must_use]
pub fn moved(body: &Body, takes_back: bool) -> i64 {
    match body {
        Body::Consume(reply) => {
            let points = reply.points.map(|it| it.present.get() - it.used.get());
            points.unwrap_or(0)
        }
        // The same members tell a void, which gives back, and a return's void, which takes again.
        Body::Cancel(Some(points)) if takes_back => points.used.get() - points.present.get(),
        Body::Cancel(Some(points)) => points.present.get() - points.used.get(),
        Body::Refund(reply) => {
            let returned = reply.0.map(|it| it.points.get() - it.present_points.get());
            returned.unwrap_or(0)
        }
        Body::Cancel(None)
        | Body::Checkin(_)
        | Body::Cards(_)
        | Body::Tickets(_)
        | Body::TicketConsume(_)
        | Body::CardActive(_)
        | Body::Settle(_)
        | Body::SettleDetails(_)
        | Body::Plain => 0,
    }
}

/// Where cards do not hold what they must, as sentences.
#[must_use]
pub fn differences(before: &Balances, moved: &Balances, after: &Balances) -> Vec<String> {
    let wrong = before.iter().filter_map(|(card, before)| {
        let expected = before + moved.get(card).copied().unwrap_or(0);
        let Some(held) = after.get(card).copied() else {
            return Some(format!(
                "card {card} was shown in the morning, and is not any more"
            ));
        };
        (held != expected).then(|| {
            format!(
                "card {card} holds {} points and should hold {}; did somebody else use it?",
                crate::cli::output::yuan(held.into()),
                crate::cli::output::yuan(expected.into()),
            )
        })
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_holds_another_amount_is_named() {
        let of = |pairs: &[(&str, i64)]| -> Balances {
            pairs
                .iter()
                .map(|(card, points)| ((*card).to_owned(), *points))
                .collect()
        };
        let before = of(&[("1", 1000), ("2", 500)]);
        let moved = of(&[("1", -250)]);
        assert_eq!(
            differences(&before, &moved, &of(&[("1", 750), ("2", 500)])),
            [""; 0]
        );
        let wrong = differences(&before, &moved, &of(&[("1", 750)]));
        assert_eq!(
            wrong,
            ["card 2 was shown in the morning, and is not any more"]
        );
        let wrong = differences(&before, &moved, &of(&[("1", 1000), ("2", 500)]));
        assert_eq!(wrong.len(), 1);
        assert!(
            wrong[0].contains("card 1 holds 10.00 points and should hold 7.50"),
            "{wrong:?}"
        );
    }
}
