//! A box that one gateway fills and another discards.

use super::desk::{Stock, carton, tenant};
use crate::support::house::{House, Rows};
use domain::{
    command::voucher::{DiscardCarton, ForgetCarton},
    ids::{Serial, TenantId},
    voucher::stock::{Carton, Shape},
};
use onetill::app::Gateway;
use store::{AdminOp, AdminReply, contract::StoredCounts};

on_both_stores!(what_is_discarded_elsewhere_leaves_nothing_behind);

/// What another gateway does that was told to discard the box.
async fn discard_elsewhere(gateway: &Gateway, tenant: TenantId, serial: Serial) {
    let by = "another".to_owned();
    let discard = DiscardCarton { tenant, serial, by };
    assert!(gateway.run(discard).await.unwrap());
    loop {
        let remove = AdminOp::RemoveStock {
            carton: serial,
            limit: 2_000,
        };
        let removed = gateway.engine.admin(remove).await.unwrap();
        if removed == AdminReply::Removed(0) {
            break;
        }
    }
    gateway.run(ForgetCarton { tenant, serial }).await.unwrap();
}

async fn what_is_discarded_elsewhere_leaves_nothing_behind(rows: Rows) {
    let house = House::setup().rows(rows).open().await;
    let (gateway, tenant) = (house.gateway(), tenant(&house).await);
    for round in 0..12_u32 {
        let shape = Shape {
            packages: 1,
            reels: 1,
            codes: 3_000,
        };
        let stock = Stock {
            shape,
            ..Stock::of(1, 100)
        };
        let carton = Carton {
            id: format!("X{round}-3141157-33475"),
            shape: Some(shape),
            ..carton(gateway, tenant, &stock, shape.codes)
        };
        let serial = carton.serial;
        gateway.open_carton(carton).await.unwrap();
        // The more steps before, the later the step that is under way.
        for _ in 0..round % 3 {
            gateway.fill_carton(serial).await.unwrap();
        }
        let fill = async { while gateway.fill_carton(serial).await.is_ok() {} };
        tokio::join!(fill, discard_elsewhere(gateway, tenant, serial));
        let mut snapshot = gateway.reader.snapshot().await.unwrap();
        let left = snapshot.stored_counts(serial).await.unwrap();
        let nothing = StoredCounts {
            codes: 0,
            digests: 0,
            reels: 0,
        };
        assert_eq!(left, nothing, "round {round}");
    }
    house.end().await;
}
