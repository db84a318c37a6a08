//! What tills were told, as the store's gate takes it.

use super::{
    sale::{How, Sale, Told},
    till::Till,
    top_up::TopUp,
};
use domain::{ids::Serial, money::Fen};
use store::gate::{self, Acknowledged, Answer, Fact, Owner};

/// Everything that `tills` asked for as `owner` and were told.
pub fn acknowledged(tills: &[Till], owner: Owner) -> Acknowledged {
    let mut all = Acknowledged::new();
    for till in tills {
        for sale in &till.sales {
            note_sale(&mut all, owner, sale);
        }
        for top_up in &till.top_ups {
            note_top_up(&mut all, owner, top_up);
        }
    }
    all
}

fn note_sale(all: &mut Acknowledged, owner: Owner, sale: &Sale) {
    let mut note = |fact| all.note(owner, &sale.number, fact);
    let done = match sale.how {
        How::PayerCode(_) => Answer::Done,
        How::Page(_) => Answer::Accepted,
    };
    for answer in answers(sale.again, sale.told, done) {
        note(Fact::Pay {
            amount: Fen::new(sale.fen),
            answer,
            serial: serial(sale.gateway_serial.as_deref()),
        });
    }
    if sale.is_known_paid() {
        note(Fact::Paid);
    }
    // The channel gives such amounts back later.
    let cancelled = if sale.fen % 100 == 98 {
        Answer::Accepted
    } else {
        Answer::Done
    };
    if let Some(told) = sale.cancel {
        for answer in answers(sale.again, told, cancelled) {
            note(Fact::Cancel(answer));
        }
    }
    for back in &sale.refunds {
        let done = accepted_if(back.may_be_refused_later());
        for answer in answers(back.again, back.told, done) {
            note(Fact::Refund {
                number: back.number.clone(),
                amount: Fen::new(back.fen),
                answer,
            });
        }
    }
}

fn note_top_up(all: &mut Acknowledged, owner: Owner, top_up: &TopUp) {
    let done = accepted_if(top_up.may_be_refused_later());
    for answer in answers(top_up.again, top_up.told, done) {
        let fact = gate::TopUp {
            data_mb: 100,
            answer,
            serial: serial(top_up.gateway_serial.as_deref()),
        };
        all.note_top_up(owner, &signature(top_up), fact);
    }
}

/// The signature that tells a top-up apart.
fn signature(top_up: &TopUp) -> String {
    let (_, query) = top_up.call.target.split_once('?').expect("a query");
    let sign = query.split('&').find_map(|it| it.strip_prefix("sign="));
    sign.expect("a signature").to_owned()
}

/// What was told: nothing the first time, if it had to be asked again.
fn answers(again: bool, told: Told, done: Answer) -> impl Iterator<Item = Answer> {
    let last = match told {
        Told::Nothing => Answer::Nothing,
        Told::Done => done,
        Told::Refused => Answer::Refused,
        Told::NotRecorded => Answer::NotRecorded,
        Told::Repeat => Answer::Repeat,
    };
    let first = (again && last != Answer::Nothing).then_some(Answer::Nothing);
    first.into_iter().chain([last])
}

fn accepted_if(may_be_refused_later: bool) -> Answer {
    if may_be_refused_later {
        Answer::Accepted
    } else {
        Answer::Done
    }
}

fn serial(text: Option<&str>) -> Option<Serial> {
    text.map(|text| Serial::parse(text).expect("a gateway serial"))
}
