//! `onetill audit`: proves the ledger, read-only, also beside a running gateway.

mod json;

use super::{
    CommandError, Place,
    admin_client::open_reader,
    output::{self, Shape, Tone},
};
use clap::Args;
use domain::{
    ids::{MerchantNo, Serial, TenantId},
    ledger::{Account, Unit},
    loyalty::card::TicketId,
};
use json::as_json;
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    process::ExitCode,
    sync::Arc,
};
use store::{
    Reader,
    audit::{AuditReport, Balance, Violation, audit},
};
use wire::opengateway::{ChannelType, code::Locale};

/// Prove the ledger and every invariant from the raw rows.
///
/// Reads one consistent view of the store and changes nothing, also while a gateway runs. Exits
/// with 1 and names the rows when a rule is broken.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill audit
  onetill audit --data /var/lib/onetill
  onetill audit --store postgres://onetill@db/onetill --json")]
pub struct AuditArgs {
    #[command(flatten)]
    place: Place,
}

/// Violations that are shown for people; JSON has more.
const SHOWN_MAX: usize = 50;

/// Audits the store.
///
/// # Errors
/// When the store cannot be read.
pub async fn run(args: AuditArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let config = args.place.settings.for_command()?;
    let reader = open_reader(&config.store).await?;
    let (report, names) = prove(&reader).await?;
    match shape {
        Shape::Json => output::print_json(&as_json(&report, &names))?,
        Shape::Text => output::print(&as_text(&report, &names))?,
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Audits what `reader` reads, with progress on a terminal.
pub(super) async fn prove(reader: &Arc<dyn Reader>) -> Result<(AuditReport, Names), CommandError> {
    let mut snapshot = reader.snapshot().await?;
    let progress = output::spinner("{human_pos} rows read ({per_sec})");
    let report = audit(snapshot.as_mut(), &mut |rows| progress.set_position(rows)).await;
    progress.finish_and_clear();
    Ok((
        with_cards_together(report?),
        Names::read(reader.as_ref()).await?,
    ))
}

/// There may be a million cards, each with an account: they are shown as one.
fn with_cards_together(mut report: AuditReport) -> AuditReport {
    let mut together: BTreeMap<_, Balance> = BTreeMap::new();
    for ((tenant, unit, account), balance) in report.balances {
        let shown = if matches!(account, Account::PointsHeld(_)) {
            Account::PointsHeld(Serial(0))
        } else {
            account
        };
        let sum = together.entry((tenant, unit, shown)).or_default();
        sum.debit += balance.debit;
        sum.credit += balance.credit;
    }
    report.balances = together;
    report
}

/// What tenants and merchants are called.
#[derive(Default)]
pub(super) struct Names {
    tenants: HashMap<TenantId, String>,
    merchants: HashMap<(TenantId, MerchantNo), String>,
}

impl Names {
    async fn read(reader: &dyn Reader) -> Result<Self, CommandError> {
        let tenants = reader.tenants().await?.into_iter();
        let merchants = reader.merchants().await?.into_iter();
        Ok(Self {
            tenants: tenants.map(|it| (it.id, it.name)).collect(),
            merchants: merchants.map(|it| ((it.tenant, it.no), it.code)).collect(),
        })
    }

    fn tenant(&self, id: TenantId) -> String {
        let known = self.tenants.get(&id).cloned();
        known.unwrap_or_else(|| format!("number {}", id.0))
    }

    fn merchant(&self, tenant: TenantId, no: MerchantNo) -> String {
        let known = self.merchants.get(&(tenant, no)).cloned();
        known.unwrap_or_else(|| format!("number {}", no.0))
    }

    /// Who owes whom, in words; the amount that goes with it is debit less credit, or the other
    /// way round when the flag is set.
    fn account(&self, tenant: TenantId, account: Account) -> (String, bool) {
        match account {
            Account::Channel(channel) => {
                let known = ChannelType::from_code(channel.0.into());
                let name = known.map_or("unknown", |it| it.name(Locale::En));
                (format!("channel {} ({name}) owes", channel.0), false)
            }
            Account::Merchant(no) => {
                let code = self.merchant(tenant, no);
                (format!("merchant {code} is owed"), true)
            }
            Account::DataProvider => ("data bought from the provider".to_owned(), true),
            Account::DataDelivered(no) => {
                let code = self.merchant(tenant, no);
                (format!("data delivered for merchant {code}"), false)
            }
            Account::PointsHeld(_) => ("members hold".to_owned(), true),
            Account::PointsGranted => ("points given to members".to_owned(), false),
            Account::PointsRedeemed(store) => (format!("points paid with at store {store}"), true),
            Account::PointsExpired => ("points expired".to_owned(), true),
            Account::CashTakings(store) => (format!("cash taken at store {store}"), false),
            Account::CashSales(store) => (format!("sold for cash at store {store}"), true),
            Account::PointsSupplied(store) => (format!("cash for points at store {store}"), true),
            Account::TicketsHeld(it) => (format!("{} held", ticket(it)), true),
            Account::TicketsGranted(it) => (format!("{} given to members", ticket(it)), false),
            Account::TicketsUsed(it) => (format!("{} used", ticket(it)), true),
            Account::TicketsExpired(it) => (format!("{} expired", ticket(it)), true),
            Account::UsesIssued(it) => (format!("uses of voucher type {} issued", it.0), true),
            Account::UsesInStock(it) => (format!("uses of voucher type {} in stock", it.0), false),
            Account::UsesActive(it) => (format!("uses of voucher type {} left", it.0), false),
            Account::UsesSpent(it) => (format!("uses of voucher type {} spent", it.0), false),
            Account::UsesVoid(it) => (format!("uses of voucher type {} void", it.0), false),
            Account::UsesExpired(it) => (format!("uses of voucher type {} expired", it.0), false),
            Account::VoucherLiability(it) => {
                (format!("holders of voucher type {} are owed", it.0), true)
            }
            Account::VoucherSales(it) => (format!("partner {it} owes for vouchers"), false),
            Account::VoucherTakings(store) => {
                (format!("vouchers taken at store {store} are owed"), true)
            }
            Account::VoucherBreakage(it) => (
                format!("face value of voucher type {} nobody used", it.0),
                true,
            ),
        }
    }
}

fn as_text(report: &AuditReport, names: &Names) -> String {
    let mut text = counts_text(report);
    for ((tenant, unit), total) in report.totals() {
        let lines = ledger_lines(report, names, tenant, unit, total);
        let name = output::plain(&names.tenant(tenant));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n\ntenant {name}, in {}\n{}",
            unit_text(unit),
            output::fields(&lines)
        );
    }
    let _ = write!(text, "\n\n{}", verdict(report));
    text
}

fn counts_text(report: &AuditReport) -> String {
    let counts = &report.counts;
    format!(
        "read {} payments, {} refunds, {} top-ups, {} events on {} cards, {} postings, \
         {} open jobs, {} notifications",
        counts.payments,
        counts.refunds,
        counts.recharges,
        counts.trans,
        counts.cards,
        counts.postings,
        counts.jobs,
        counts.notifications
    ) + &boxes_text(report)
}

/// Nothing where there are no vouchers.
fn boxes_text(report: &AuditReport) -> String {
    let counts = &report.counts;
    if counts.cartons == 0 {
        return String::new();
    }
    format!(
        ", {} ranges of codes in {} voucher boxes, {} codes that tills touched",
        counts.spans, counts.cartons, counts.codes
    )
}

fn ledger_lines(
    report: &AuditReport,
    names: &Names,
    tenant: TenantId,
    unit: Unit,
    total: Balance,
) -> Vec<(String, String)> {
    let accounts = report
        .balances
        .iter()
        .filter(|((of, counted_in, _), _)| (*of, *counted_in) == (tenant, unit));
    let mut lines: Vec<_> = accounts
        .map(|((_, _, account), balance)| {
            let (words, is_credit) = names.account(tenant, *account);
            let net = balance.net();
            let amount = if is_credit { -net } else { net };
            (format!("  {words}"), amount_text(unit, amount))
        })
        .collect();
    let debit = amount_text(unit, total.debit);
    let credit = amount_text(unit, total.credit);
    lines.push(("  all debits".to_owned(), debit));
    lines.push(("  all credits".to_owned(), credit));
    let width = lines.iter().map(|(_, amount)| amount.len()).max();
    let align = |(words, amount)| (words, format!("{amount:>0$}", width.unwrap_or(0)));
    lines.into_iter().map(align).collect()
}

fn ticket(ticket: TicketId) -> String {
    let kind = if ticket.voucher { "voucher" } else { "ticket" };
    format!("{kind} {}", ticket.id)
}

const fn unit_text(unit: Unit) -> &'static str {
    match unit {
        Unit::Fen => "yuan",
        Unit::Megabyte => "MB",
        Unit::Point => "points",
        Unit::Piece => "pieces",
        Unit::Use => "uses",
    }
}

fn amount_text(unit: Unit, amount: i128) -> String {
    match unit {
        // Points are counted in hundredths as well.
        Unit::Fen | Unit::Point => output::yuan(amount),
        Unit::Megabyte | Unit::Piece | Unit::Use => amount.to_string(),
    }
}

fn verdict(report: &AuditReport) -> String {
    if report.is_clean() {
        return output::paint("the ledger balances and every rule holds", Tone::Good);
    }
    let title = format!("{} rules are broken:", report.violations_len);
    let mut lines = vec![output::paint(&title, Tone::Bad)];
    let shown = report.violations.iter().take(SHOWN_MAX);
    lines.extend(shown.map(violation_text));
    if report.violations.len() > SHOWN_MAX {
        lines.push("… more with --json".to_owned());
    }
    lines.join("\n")
}

fn violation_text(violation: &Violation) -> String {
    let Violation {
        rule,
        subject,
        found,
    } = violation;
    format!("  {rule:?}: {subject}: {}", output::plain(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::channel::ChannelNo;
    use store::audit::{Rule, VoucherUses};

    const TENANT: TenantId = TenantId(1);

    fn report() -> AuditReport {
        let mut report = AuditReport::default();
        let mut book = |account, debit, credit| {
            let balance = Balance { debit, credit };
            report
                .balances
                .insert((TENANT, Unit::Fen, account), balance);
        };
        book(Account::Channel(ChannelNo(2)), 1_000, 1);
        book(Account::Merchant(MerchantNo(7)), 1, 1_000);
        report.counts.payments = 2;
        report
    }

    fn names() -> Names {
        Names {
            tenants: [(TENANT, "demo".to_owned())].into(),
            merchants: [((TENANT, MerchantNo(7)), "0010000001".to_owned())].into(),
        }
    }

    #[test]
    fn balances_are_told_in_words() {
        let expected = "\
read 2 payments, 0 refunds, 0 top-ups, 0 events on 0 cards, 0 postings, 0 open jobs, 0 notifications

tenant demo, in yuan
  channel 2 (WeChat Pay) owes   9.99
  merchant 0010000001 is owed   9.99
  all debits                   10.01
  all credits                  10.01

the ledger balances and every rule holds";
        assert_eq!(as_text(&report(), &names()), expected);
    }

    #[test]
    fn cards_are_told_together() {
        let mut report = AuditReport::default();
        for (card, points) in [(1, 100), (2, 250)] {
            let account = Account::PointsHeld(Serial(card));
            let balance = Balance {
                debit: 0,
                credit: points,
            };
            report
                .balances
                .insert((TENANT, Unit::Point, account), balance);
        }
        let together = with_cards_together(report);
        let text = as_text(&together, &names());
        assert!(
            text.contains("tenant demo, in points\n  members hold  3.50"),
            "{text}"
        );
        assert_eq!(
            as_json(&together, &names())["accounts"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn violations_name_rule_and_row() {
        let mut report = report();
        report.violations_len = 1;
        report.violations.push(Violation {
            rule: Rule::PaymentPosting,
            subject: "payment 20261122000000000742".to_owned(),
            found: "no posting".to_owned(),
        });
        let text = as_text(&report, &names());
        let line = "PaymentPosting: payment 20261122000000000742: no posting";
        assert!(text.contains(line), "{text}");
        let json = as_json(&report, &names());
        assert_eq!(json["clean"], false);
        assert_eq!(json["violations"][0]["rule"], "PaymentPosting");
        assert_eq!(json["accounts"][1]["account"]["merchant"], "0010000001");
        assert_eq!(json["totals"][0]["debit"], 1_001);
    }

    #[test]
    fn uses_of_vouchers_are_told_by_type() {
        let mut report = report();
        let uses = VoucherUses {
            issued: 30,
            in_stock: 10,
            active: 14,
            spent: 3,
            void: 2,
            expired: 1,
            owed: 14_000,
        };
        let ticket = domain::voucher::ticket::VoucherTicketNo(500_811);
        report.vouchers.insert((TENANT, ticket), uses);
        (report.counts.cartons, report.counts.spans) = (2, 5);
        let text = as_text(&report, &names());
        let told = "5 ranges of codes in 2 voucher boxes, 0 codes that tills touched";
        assert!(text.contains(told), "{text}");
        let json = as_json(&report, &names());
        let shown = &json["vouchers"][0];
        assert_eq!(shown["ticket_type"], 500_811);
        assert_eq!(
            (&shown["active"], &shown["owed_fen"]),
            (&14.into(), &14_000.into())
        );
    }
}
