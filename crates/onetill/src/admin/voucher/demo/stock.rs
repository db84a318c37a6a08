//! The demo's boxes. The names and codes of the protocol's sample are among them.

use super::{ACTIVITY, BY, CASH_TICKET, GOODS_TICKET, PARTNER};
use crate::{
    admin::voucher::{AdminError, tickets},
    app::{
        Gateway,
        voucher::{change::NewChange, stocking::chance::SECRET},
    },
    vault::encode_hex,
};
use domain::{
    ids::{Serial, TenantId},
    money::Fen,
    voucher::{
        change::{ChangeKind, Remarks},
        code::{CodeNo, CodeRange},
        partner::PartnerNo,
        status::CodeStatus,
        stock::{Cards, Carton, Custody, CustodyAct, Level, Shape, Unit},
        ticket::{ActivityNo, VoucherTicketNo},
    },
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The first code of the first box, as in the protocol's sample.
pub const FIRST_CODE: &str = "1001901070000000258-M4DEDSfV";

/// A box of the demo.
pub(super) struct DemoBox {
    /// Its printed name.
    pub(super) id: &'static str,
    /// Its place among the boxes, for names and codes.
    place: u32,
    ticket: u32,
    shape: Shape,
    /// The bin and the first segment number.
    cards: Option<(&'static str, u32)>,
    /// The first of the two codes that are active.
    active: Option<u32>,
}

/// All of them.
pub(super) const fn boxes() -> [DemoBox; 4] {
    const fn shape(packages: u32, reels: u32, codes: u32) -> Shape {
        Shape {
            packages,
            reels,
            codes,
        }
    }
    [
        DemoBox {
            id: "X22169-3141157-33475",
            place: 0,
            ticket: GOODS_TICKET,
            shape: shape(2, 2, 5),
            cards: None,
            active: Some(15),
        },
        DemoBox {
            id: "X22169-3141157-33476",
            place: 1,
            ticket: CASH_TICKET,
            shape: shape(1, 1, 10),
            cards: None,
            active: Some(0),
        },
        DemoBox {
            id: "X22169-3141157-33477",
            place: 2,
            ticket: CASH_TICKET,
            shape: shape(1, 2, 10),
            cards: Some(("7020", 41)),
            active: None,
        },
        DemoBox {
            id: "X22169-3141157-33478",
            place: 3,
            ticket: GOODS_TICKET,
            shape: shape(1, 2, 50),
            cards: Some(("731018", 1)),
            active: None,
        },
    ]
}

/// Names and codes of the protocol's sample: two reels with the first two codes of each.
const SAMPLE_PACKAGE: &str = "B1123-6430582-102F5";
const SAMPLE_REELS: [(&str, &str); 2] = [
    ("R112102F-0000242-2585", "a1c4efb107df46f0ba230de6477bd337"),
    ("R151102F-0000241-2555", "044b5ff93e2d491fa364acb154079e05"),
];
const SAMPLE_CODES: [(u32, &str); 4] = [
    (0, FIRST_CODE),
    (1, "1001901070000000242-EOHEMM9K"),
    (5, "1001901070000000255-e6tdHe8m"),
    (6, "1001901070000000241-RTxJO2bX"),
];

impl DemoBox {
    const fn codes(&self) -> u32 {
        self.shape.packages * self.shape.reels * self.shape.codes
    }

    fn package(&self, number: u32) -> String {
        match (self.place, number) {
            (0, 0) => SAMPLE_PACKAGE.to_owned(),
            (place, number) => format!("B1123-64306{place}{number}-102F5"),
        }
    }

    fn reel(&self, number: u32) -> (String, String) {
        let sample = usize::try_from(number)
            .ok()
            .and_then(|it| SAMPLE_REELS.get(it));
        if let Some((name, order)) = sample.filter(|_| self.place == 0) {
            return ((*name).to_owned(), (*order).to_owned());
        }
        let name = format!("R112102F-{:07}-26{}{number}", 300 + number, self.place);
        let digest = Sha256::digest(format!("onetill demo reel {name}"));
        let order = encode_hex(digest.first_chunk::<16>().map_or(&[], |it| &it[..]));
        (name, order)
    }

    /// The code at `index`. The secret parts follow from a digest, so that they never change.
    pub(super) fn code(&self, index: u32) -> String {
        let mut samples = SAMPLE_CODES.iter().filter(|_| self.place == 0);
        if let Some((_, code)) = samples.find(|(at, _)| *at == index) {
            return (*code).to_owned();
        }
        let digest = Sha256::digest(format!("onetill demo code {} {index}", self.id));
        let letter = |byte: &u8| SECRET.get(usize::from(*byte) % SECRET.len());
        let secret = digest.iter().take(8).filter_map(letter);
        let secret: String = secret.map(|it| char::from(*it)).collect();
        format!("100190107{:010}-{secret}", 1_000 * (self.place + 1) + index)
    }

    fn units(&self, tenant: TenantId, carton: Serial) -> Vec<Unit> {
        let Shape {
            packages,
            reels,
            codes,
        } = self.shape;
        let unit = |level, number: u32, codes: u32, id, order| Unit {
            tenant,
            id,
            level,
            range: CodeRange {
                carton,
                first: number * codes,
                last: (number + 1) * codes - 1,
            },
            sale_channel_order_id: order,
        };
        let all_packages =
            (0..packages).map(|it| unit(Level::Package, it, reels * codes, self.package(it), None));
        let all_reels = (0..packages * reels).map(|it| {
            let (name, order) = self.reel(it);
            unit(Level::Reel, it, codes, name, Some(order))
        });
        all_packages.chain(all_reels).collect()
    }
}

/// Loads the boxes that are missing; says whether any was.
pub(super) async fn load(gateway: &Arc<Gateway>, tenant: TenantId) -> Result<bool, AdminError> {
    let [one, two, three, four] = boxes();
    let of = |demo| load_box(gateway, tenant, demo);
    // Side by side, so that one sync of the disk carries several.
    let (one, two, three, four) = tokio::join!(of(one), of(two), of(three), of(four));
    Ok(one? | two? | three? | four?)
}

async fn load_box(
    gateway: &Arc<Gateway>,
    tenant: TenantId,
    demo: DemoBox,
) -> Result<bool, AdminError> {
    let is_there = |found: Vec<Option<_>>| found.into_iter().flatten().next().is_some();
    let found = gateway.find_all_names(tenant, &[demo.id]).await?;
    let is_new = !is_there(found);
    if is_new {
        discard_left(gateway, &demo).await?;
        fill(gateway, tenant, &demo).await?;
    }
    activate(gateway, &demo).await?;
    Ok(is_new)
}

/// What an earlier load that broke off left of a box.
async fn discard_left(gateway: &Gateway, demo: &DemoBox) -> Result<(), AdminError> {
    let open = gateway.open_cartons().await?;
    for carton in open.iter().filter(|it| it.id == demo.id) {
        gateway
            .discard_carton(carton.tenant, carton.serial, BY)
            .await?;
    }
    Ok(())
}

async fn fill(gateway: &Gateway, tenant: TenantId, demo: &DemoBox) -> Result<(), AdminError> {
    let carton = compose(gateway, tenant, demo).await?;
    let serial = carton.serial;
    gateway.open_carton(carton).await?;
    gateway
        .add_units(serial, demo.units(tenant, serial))
        .await?;
    let codes = (0..demo.codes()).map(|it| Zeroizing::new(demo.code(it)));
    gateway.add_codes(serial, codes.collect()).await?;
    while !gateway.fill_carton(serial).await?.is_complete() {}
    gateway.finish_carton(serial, None).await?;
    Ok(())
}

async fn compose(
    gateway: &Gateway,
    tenant: TenantId,
    demo: &DemoBox,
) -> Result<Carton, AdminError> {
    let missing = || AdminError::new("the demo's ticket types are missing");
    let ticket = tickets::ticket(gateway, tenant, VoucherTicketNo(demo.ticket)).await?;
    let ticket = ticket.ok_or_else(missing)?;
    let activity = tickets::activity(gateway, tenant, ActivityNo(ACTIVITY)).await?;
    let activity = activity.ok_or_else(missing)?;
    let at = gateway.now();
    let by = BY.to_owned();
    let act = CustodyAct::Issued;
    Ok(Carton {
        tenant,
        serial: gateway.next_serial()?,
        id: demo.id.to_owned(),
        partner: PartnerNo(PARTNER),
        codes: demo.codes(),
        shape: None,
        activity: activity.number,
        activity_name: activity.name,
        sale_channel: activity.sale_channel,
        send_channel: activity.send_channel,
        ticket: ticket.number,
        ticket_name: ticket.name,
        terms: ticket.terms,
        cards: demo.cards.map(|(bin, first)| Cards {
            bin: bin.to_owned(),
            first,
        }),
        ready: false,
        issued_at: at,
        custody: vec![Custody { at, by, act }],
    })
}

/// Two codes of a box are active, unless somebody has done something else with them since.
async fn activate(gateway: &Gateway, demo: &DemoBox) -> Result<(), AdminError> {
    let partner = gateway.vouchers.partners.by_number(PartnerNo(PARTNER));
    let (Some(first), Some(partner)) = (demo.active, partner) else {
        return Ok(());
    };
    let codes = [demo.code(first), demo.code(first + 1)];
    let names: Vec<&str> = codes.iter().map(String::as_str).collect();
    let found = gateway.find_names(&partner, &names).await?;
    let Some(one) = found.iter().flatten().next() else {
        return Ok(());
    };
    let code = CodeNo {
        carton: one.range.carton,
        index: one.range.first,
    };
    let standing = gateway.standing(&one.carton, code).await?;
    if standing.status != CodeStatus::InStock {
        return Ok(());
    }
    let change = NewChange {
        kind: ChangeKind::Activate,
        number: format!("demo-{}", demo.id),
        content: 0,
        total: Fen::ZERO,
        remarks: Remarks::default(),
        term: None,
        forget_refusal: true,
    };
    gateway.change_stock(&partner, change, &found).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::voucher::code::may_be_code;
    use std::collections::HashSet;

    #[test]
    fn names_and_codes_are_the_samples_or_like_them_and_never_change() {
        let [first, second, vouchers, cards] = boxes();
        assert_eq!(first.code(0), "1001901070000000258-M4DEDSfV");
        assert_eq!(first.code(2).len(), FIRST_CODE.len());
        // Scripts rely on these.
        assert_eq!(first.code(15), "1001901070000001015-5J8ef2rv");
        assert_eq!(second.code(0), "1001901070000002000-JH90C54H");
        assert_eq!((vouchers.codes(), cards.codes()), (20, 100));
        let carton = Serial(1);
        let mut seen = HashSet::new();
        for demo in boxes() {
            for unit in demo.units(TenantId(1), carton) {
                let model = match unit.level {
                    Level::Package => SAMPLE_PACKAGE.len(),
                    Level::Carton | Level::Reel => SAMPLE_REELS[0].0.len(),
                };
                assert_eq!(unit.id.len(), model, "{}", unit.id);
                assert!(seen.insert(unit.id));
            }
            for index in 0..demo.codes() {
                let code = demo.code(index);
                assert!(
                    may_be_code(&code) && code.len() == FIRST_CODE.len(),
                    "{code}"
                );
                assert!(seen.insert(code));
            }
        }
    }
}
