//! Tenants, merchants, named values, node numbers, and what a store says about itself.

use crate::{
    fixture::{Fixture, on_each_store},
    samples::{NOW, merchant, tenant},
};
use domain::{ids::NODES_MAX, time::UnixMs};
use store::{AdminOp, AdminReply, StoreError, Writer};

async fn a_tenant_is_added_once_by_name(store: impl Fixture) {
    let mut writer = store.writer().await;
    let first = tenant(1, "shop");
    for again in [tenant(1, "shop"), tenant(2, "shop")] {
        let reply = writer.admin(&AdminOp::AddTenant(again)).await;
        assert_eq!(reply, Ok(AdminReply::Tenant(first.clone())));
    }
    let other = tenant(3, "other");
    let reply = writer.admin(&AdminOp::AddTenant(other.clone())).await;
    assert_eq!(reply, Ok(AdminReply::Tenant(other.clone())));
    let mut stored = store.reader().tenants().await.unwrap();
    stored.sort_by_key(|it| it.id);
    assert_eq!(stored, [first, other]);
}

async fn a_merchant_is_overwritten_but_never_anothers_code(store: impl Fixture) {
    let mut writer = store.writer().await;
    let add = AdminOp::AddTenant(tenant(1, "shop"));
    writer.admin(&add).await.unwrap();
    let put = |merchant| AdminOp::PutMerchant(Box::new(merchant));
    for code in ["A1", "A2"] {
        let reply = writer.admin(&put(merchant(7, code))).await;
        assert_eq!(reply, Ok(AdminReply::Done));
    }
    let clash = writer.admin(&put(merchant(8, "A2"))).await;
    assert!(matches!(clash, Err(StoreError::Refused(_))), "{clash:?}");
    let stored = store.reader().merchants().await.unwrap();
    assert!(stored == [merchant(7, "A2")]);
    // The code it gave up is free, and the writer still good.
    let reply = writer.admin(&put(merchant(8, "A1"))).await;
    assert_eq!(reply, Ok(AdminReply::Done));
    let mut stored = store.reader().merchants().await.unwrap();
    stored.sort_by_key(|it| it.no);
    assert!(stored == [merchant(7, "A2"), merchant(8, "A1")]);
}

async fn the_first_value_of_a_name_stays(store: impl Fixture) {
    let mut writer = store.writer().await;
    for value in [vec![1, 0, 255], vec![2]] {
        let name = "master-key-check".to_owned();
        let reply = writer.admin(&AdminOp::PutIfAbsent { name, value }).await;
        assert_eq!(reply, Ok(AdminReply::Value(vec![1, 0, 255])));
    }
}

async fn take_node<W: Writer>(
    writer: &mut W,
    now: UnixMs,
    until: UnixMs,
    owner: i64,
) -> Result<(i64, UnixMs), StoreError> {
    let lease = AdminOp::LeaseNode { now, until, owner };
    match writer.admin(&lease).await? {
        AdminReply::Lease { node, issued_until } => Ok((node, issued_until)),
        other => panic!("{other:?}"),
    }
}

async fn each_node_number_has_one_holder(store: impl Fixture) {
    let mut writer = store.writer().await;
    let mut taken = Vec::new();
    for owner in 0..NODES_MAX {
        // Number 50 runs out first.
        let until = NOW.plus_s(if owner == 50 { 10 } else { 60 });
        let (node, issued_until) = take_node(&mut writer, NOW, until, owner).await.unwrap();
        assert!(issued_until <= NOW);
        taken.push(node);
    }
    let runs_out_first = taken[50];
    taken.sort_unstable();
    assert!(taken.into_iter().eq(0..NODES_MAX));
    let until = NOW.plus_s(90);
    let refused = take_node(&mut writer, NOW.plus_s(9), until, 200).await;
    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    let reused = take_node(&mut writer, NOW.plus_s(10), until, 200).await;
    assert_eq!(reused, Ok((runs_out_first, NOW.plus_s(10))));
}

async fn only_the_holder_renews_a_lease(store: impl Fixture) {
    let mut writer = store.writer().await;
    let (node, _) = take_node(&mut writer, NOW, NOW.plus_s(60), 1)
        .await
        .unwrap();
    let renew = |node, owner, until| AdminOp::RenewNode { node, owner, until };
    for (node, owner, renewed) in [(node, 2, false), (node + 1, 1, false), (node, 1, true)] {
        let reply = writer.admin(&renew(node, owner, NOW.plus_s(120))).await;
        assert_eq!(reply, Ok(AdminReply::Renewed(renewed)));
    }
    // The strangers changed nothing: the lease ends when its holder said.
    let (other, _) = take_node(&mut writer, NOW.plus_s(119), NOW.plus_s(200), 3)
        .await
        .unwrap();
    assert_ne!(other, node);
    // Given up early, it is free at once for serials after its end.
    writer.admin(&renew(node, 1, NOW.plus_s(5))).await.unwrap();
    let again = take_node(&mut writer, NOW.plus_s(6), NOW.plus_s(60), 4).await;
    assert_eq!(again, Ok((node, NOW.plus_s(5))));
}

async fn durability_is_read_back_from_the_store<F: Fixture>(store: F) {
    let reported = store.reader().durability().await;
    match F::durable_settings() {
        None => assert!(matches!(reported, Err(StoreError::Refused(_)))),
        Some(expected) => {
            let reported = reported.unwrap();
            for setting in expected {
                let is_there = reported.iter().any(|it| it.starts_with(setting));
                assert!(is_there, "{setting} in {reported:?}");
            }
        }
    }
}

on_each_store! {
    a_tenant_is_added_once_by_name,
    a_merchant_is_overwritten_but_never_anothers_code,
    the_first_value_of_a_name_stays,
    each_node_number_has_one_holder,
    only_the_holder_renews_a_lease,
    durability_is_read_back_from_the_store,
}
