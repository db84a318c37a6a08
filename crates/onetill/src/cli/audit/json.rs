//! The report for programs.

use super::{Names, ticket};
use domain::{
    ids::TenantId,
    ledger::{Account, Unit},
};
use serde_json::{Value, json};
use store::audit::{AuditReport, Balance, VoucherUses};

pub(super) fn as_json(report: &AuditReport, names: &Names) -> Value {
    let counts = &report.counts;
    let violations = report.violations.iter().map(
        |it| json!({ "rule": format!("{:?}", it.rule), "subject": it.subject, "found": it.found }),
    );
    json!({
        "clean": report.is_clean(),
        "counts": {
            "payments": counts.payments,
            "refunds": counts.refunds,
            "recharges": counts.recharges,
            "trans": counts.trans,
            "cards": counts.cards,
            "cartons": counts.cartons,
            "spans": counts.spans,
            "codes": counts.codes,
            "postings": counts.postings,
            "jobs": counts.jobs,
            "notifications": counts.notifications,
        },
        "totals": report.totals().into_iter().map(|((tenant, unit), total)| {
            let mut shown = balance_json(total);
            put(&mut shown, "tenant", names.tenant(tenant).into());
            put(&mut shown, "unit", unit_name(unit).into());
            shown
        }).collect::<Vec<_>>(),
        "accounts": report.balances.iter().map(|((tenant, unit, account), balance)| {
            let mut shown = balance_json(*balance);
            put(&mut shown, "tenant", names.tenant(*tenant).into());
            put(&mut shown, "unit", unit_name(*unit).into());
            put(&mut shown, "account", account_json(names, *tenant, *account));
            shown
        }).collect::<Vec<_>>(),
        "vouchers": report.vouchers.iter().map(|((tenant, type_no), uses)| {
            let mut shown = uses_json(uses);
            put(&mut shown, "tenant", names.tenant(*tenant).into());
            put(&mut shown, "ticket_type", type_no.0.into());
            shown
        }).collect::<Vec<_>>(),
        "violations_len": report.violations_len,
        "violations": violations.collect::<Vec<_>>(),
    })
}

const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Fen => "fen",
        Unit::Megabyte => "megabyte",
        Unit::Point => "hundredth of a point",
        Unit::Piece => "piece",
        Unit::Use => "use",
    }
}

fn account_json(names: &Names, tenant: TenantId, account: Account) -> Value {
    match account {
        Account::Channel(channel) => json!({ "channel": channel.0 }),
        Account::Merchant(no) => json!({ "merchant": names.merchant(tenant, no) }),
        Account::DataProvider => json!({ "data_provider": true }),
        Account::DataDelivered(no) => json!({ "data_delivered": names.merchant(tenant, no) }),
        Account::PointsHeld(_) => json!({ "points_held": true }),
        Account::PointsGranted => json!({ "points_granted": true }),
        Account::PointsRedeemed(store) => json!({ "points_redeemed": store }),
        Account::PointsExpired => json!({ "points_expired": true }),
        Account::CashTakings(store) => json!({ "cash_takings": store }),
        Account::CashSales(store) => json!({ "cash_sales": store }),
        Account::PointsSupplied(store) => json!({ "points_supplied": store }),
        Account::TicketsHeld(it) => json!({ "tickets_held": ticket(it) }),
        Account::TicketsGranted(it) => json!({ "tickets_granted": ticket(it) }),
        Account::TicketsUsed(it) => json!({ "tickets_used": ticket(it) }),
        Account::TicketsExpired(it) => json!({ "tickets_expired": ticket(it) }),
        Account::UsesIssued(it) => json!({ "uses_issued": it.0 }),
        Account::UsesInStock(it) => json!({ "uses_in_stock": it.0 }),
        Account::UsesActive(it) => json!({ "uses_active": it.0 }),
        Account::UsesSpent(it) => json!({ "uses_spent": it.0 }),
        Account::UsesVoid(it) => json!({ "uses_void": it.0 }),
        Account::UsesExpired(it) => json!({ "uses_expired": it.0 }),
        Account::VoucherLiability(it) => json!({ "voucher_liability": it.0 }),
        Account::VoucherSales(it) => json!({ "voucher_sales": it.0 }),
        Account::VoucherBreakage(it) => json!({ "voucher_breakage": it.0 }),
        Account::VoucherTakings(store) => json!({ "voucher_takings": store }),
    }
}

/// Sums beyond 64 bits become text.
fn number(sum: i128) -> Value {
    i64::try_from(sum).map_or_else(|_| sum.to_string().into(), Value::from)
}

fn uses_json(uses: &VoucherUses) -> Value {
    json!({
        "issued": number(uses.issued),
        "in_stock": number(uses.in_stock),
        "active": number(uses.active),
        "spent": number(uses.spent),
        "void": number(uses.void),
        "expired": number(uses.expired),
        "owed_fen": number(uses.owed),
    })
}

fn balance_json(balance: Balance) -> Value {
    json!({
        "debit": number(balance.debit),
        "credit": number(balance.credit),
        "net": number(balance.net()),
    })
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
