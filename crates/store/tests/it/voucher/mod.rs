//! Voucher codes: boxes of them, what happened to ranges, and what tills did with single ones.

mod barring;
mod loading;
mod paying;
mod reading;
pub mod samples;
mod stock;
mod writing;

use domain::{
    rows::{Changes, Plan},
    voucher::rows::{VoucherChanges, VoucherPlan},
};

fn changes(voucher: VoucherChanges) -> Changes {
    Changes {
        voucher,
        ..Changes::default()
    }
}

fn plan(voucher: VoucherPlan) -> Plan<'static> {
    let mut plan = Plan {
        voucher,
        ..Plan::default()
    };
    plan.normalise();
    plan
}
