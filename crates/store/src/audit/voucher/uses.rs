//! Spans, and the uses of codes in them.

use super::{
    holds::{Held, name},
    stock::{Common, Stock},
};
use crate::audit::report::{AuditReport, Rule, VoucherUses};
use domain::{
    ids::{Serial, TenantId},
    ledger::{Account, Unit},
    voucher::{
        code_use::CodeUse,
        postings::ticket_of,
        span::{Span, Stage},
        ticket::VoucherTicketNo,
    },
};
use std::collections::BTreeSet;

/// The span that codes are looked at in, and where the next one begins.
#[derive(Default)]
pub(super) struct Uses {
    span: Option<Counted>,
    /// Boxes that were begun.
    seen: BTreeSet<Serial>,
}

/// A span, and what was done with its codes so far.
struct Counted {
    span: Span,
    used: i128,
    reserved: i128,
}

impl Uses {
    pub fn check_span(&mut self, span: &Span, stock: &Stock, report: &mut AuditReport) {
        let before = self.close(stock, report);
        let carton = span.range.carton;
        let follows = match &before {
            Some(before) if before.range.carton == carton => {
                before.range.last.checked_add(1) == Some(span.range.first)
            }
            Some(before) => {
                unless_last(before, stock, report);
                span.range.first == 0
            }
            None => span.range.first == 0,
        };
        let common = stock.carton(carton);
        let is_its = common.is_some_and(|it| it.ready && it.tenant == span.tenant);
        if !follows || !is_its {
            let found = if is_its {
                "does not follow the one before".to_owned()
            } else {
                "no ready box of its tenant has it".to_owned()
            };
            report.add(Rule::CartonSpans, span_name(span), found);
        }
        self.seen.insert(carton);
        self.span = Some(Counted {
            span: span.clone(),
            used: 0,
            reserved: 0,
        });
    }

    /// Ends the current span: its uses count now.
    fn close(&mut self, stock: &Stock, report: &mut AuditReport) -> Option<Span> {
        let counted = self.span.take()?;
        if let Some(common) = stock.carton(counted.span.range.carton) {
            counted.add_to(common, report);
        }
        Some(counted.span)
    }

    pub fn check_code(
        &mut self,
        code_use: &CodeUse,
        held: Held,
        stock: &Stock,
        report: &mut AuditReport,
    ) {
        let code = code_use.code;
        let within = |it: &&mut Counted| it.span.range.contains(code);
        let Some(counted) = self.span.as_mut().filter(within) else {
            let found = "is in no span".to_owned();
            return report.add(Rule::CartonSpans, name(code), found);
        };
        counted.used += i128::from(code_use.used);
        counted.reserved += i128::from(code_use.reserved);
        let uses = stock.carton(code.carton).map_or(0, |it| it.terms.uses);
        let wrong = [
            differs(code_use, held),
            exceeds(&counted.span, code_use, uses),
        ];
        for why in wrong.into_iter().flatten() {
            let found = format!("{why}: {code_use:?}, {held:?}");
            report.add(Rule::CodeUses, name(code), found);
        }
    }

    /// Checks what only the whole shows.
    pub fn finish(mut self, stock: &Stock, report: &mut AuditReport) {
        let last = self.close(stock, report);
        last.iter().for_each(|it| unless_last(it, stock, report));
        for common in stock.ready() {
            let carton = common.range.carton;
            if !self.seen.contains(&carton) {
                let found = "has no spans".to_owned();
                report.add(Rule::CartonSpans, format!("box {carton}"), found);
            }
            let uses = of_ticket(report, common);
            uses.issued += i128::from(common.range.len()) * i128::from(common.terms.uses);
        }
        check_accounts(report);
    }
}

impl Counted {
    /// Counts its uses for its ticket type.
    fn add_to(&self, common: &Common, report: &mut AuditReport) {
        let (used, reserved) = (self.used, self.reserved);
        let all = i128::from(self.span.range.len()) * i128::from(common.terms.uses);
        let uses = of_ticket(report, common);
        uses.spent += used;
        let active = match &self.span.stage {
            Stage::InStock => {
                uses.in_stock += all - used;
                0
            }
            Stage::Void(_) => {
                uses.void += all - used;
                0
            }
            // What open payments hold of it is decided with them.
            Stage::Active(it) if it.expired => {
                uses.expired += all - used - reserved;
                reserved
            }
            Stage::Active(_) => all - used,
        };
        uses.active += active;
        uses.owed += active * i128::from(common.terms.face_value.get());
    }
}

fn of_ticket<'r>(report: &'r mut AuditReport, common: &Common) -> &'r mut VoucherUses {
    let key = (common.tenant, common.ticket);
    report.vouchers.entry(key).or_default()
}

fn span_name(span: &Span) -> String {
    let range = &span.range;
    format!(
        "span {} to {} of box {}",
        range.first, range.last, range.carton
    )
}

/// The last span of a box ends with it.
fn unless_last(span: &Span, stock: &Stock, report: &mut AuditReport) {
    let common = stock.carton(span.range.carton);
    if common.is_some_and(|it| it.range.last != span.range.last) {
        let found = "is the last and does not end with its box".to_owned();
        report.add(Rule::CartonSpans, span_name(span), found);
    }
}

/// In what a code's row, the payments that name it and its events do not agree.
fn differs(code_use: &CodeUse, held: Held) -> Option<&'static str> {
    let Held {
        reserved,
        acts,
        chain,
        untold,
    } = held;
    let used = acts.used.checked_sub(acts.given_back);
    if (Some(code_use.used), code_use.reserved) != (used, reserved) {
        return Some("its row and what used it differ");
    }
    if !untold.is_kept_by(code_use) {
        return Some("it does not keep the event that is recorded nowhere else");
    }
    (!chain.hangs_on(code_use)).then_some("its events are not one behind the other")
}

/// How a code was used that could not be.
fn exceeds(span: &Span, code_use: &CodeUse, uses: u32) -> Option<&'static str> {
    if code_use.tenant != span.tenant {
        return Some("its row is another tenant's");
    }
    if u64::from(code_use.used) + u64::from(code_use.reserved) > u64::from(uses) {
        return Some("it has fewer uses");
    }
    let is_active = match span.stage {
        Stage::Active(_) => true,
        Stage::InStock | Stage::Void(_) => false,
    };
    (code_use.is_busy() && !is_active).then_some("it is not active")
}

/// What rows say of each ticket type is what its accounts in the ledger have.
fn check_accounts(report: &mut AuditReport) {
    let booked = report.balances.keys();
    let booked = booked.filter_map(|(tenant, _, account)| Some((*tenant, ticket_of(*account)?)));
    let counted = report.vouchers.keys().copied();
    let tickets: BTreeSet<(TenantId, VoucherTicketNo)> = booked.chain(counted).collect();
    for (tenant, ticket) in tickets {
        let uses = report.vouchers.get(&(tenant, ticket));
        let uses = uses.copied().unwrap_or_default();
        let booked = booked_uses(report, tenant, ticket);
        let subject = || format!("ticket type {} of tenant {}", ticket.0, tenant.0);
        let parts = uses.in_stock + uses.active + uses.spent + uses.void + uses.expired;
        let by_rows = VoucherUses {
            owed: booked.owed,
            ..uses
        };
        if by_rows != booked || parts != uses.issued {
            let found = format!("its codes make {uses:?}, its accounts {booked:?}");
            report.add(Rule::TicketUses, subject(), found);
        }
        if uses.owed != booked.owed {
            let found = format!("{} fen, its account has {}", uses.owed, booked.owed);
            report.add(Rule::VoucherLiability, subject(), found);
        }
    }
}

fn booked_uses(report: &AuditReport, tenant: TenantId, ticket: VoucherTicketNo) -> VoucherUses {
    let net = |unit, account| {
        let balance = report.balances.get(&(tenant, unit, account));
        balance.map_or(0, |it| it.net())
    };
    let uses = |account| net(Unit::Use, account);
    VoucherUses {
        issued: -uses(Account::UsesIssued(ticket)),
        in_stock: uses(Account::UsesInStock(ticket)),
        active: uses(Account::UsesActive(ticket)),
        spent: uses(Account::UsesSpent(ticket)),
        void: uses(Account::UsesVoid(ticket)),
        expired: uses(Account::UsesExpired(ticket)),
        owed: -net(Unit::Fen, Account::VoucherLiability(ticket)),
    }
}
