//! New stock, step by step: each request stores some thousand rows, so the one who asks shows how
//! far it is, and payments beside it never wait long. The codes of a box leave the gateway here and
//! nowhere else, for a file that the printer gets.

use super::{
    AdminError,
    partners::{find, read_number},
    stock::find_unit,
    tickets, whom,
};
use crate::app::{Gateway, loyalty::documents, voucher::stocking::Progress};
use domain::{
    ids::{Serial, TenantId},
    loyalty::document::{Document, DocumentKind},
    voucher::{
        code::{CodeDigest, CodeRange, may_be_code},
        partner::Partner,
        stock::{CODES_MAX, Cards, Carton, Custody, CustodyAct, Level, SEGMENT_MAX, Shape, Unit},
        ticket::{ActivityNo, VoucherTicketNo},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// How many boxes one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

/// A box to be opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewBox {
    /// The partner it is for.
    pub partner: u32,
    /// The activity it is issued under.
    pub activity: u32,
    /// The ticket type of its codes.
    pub ticket: u32,
    /// What is in it.
    pub contents: Contents,
    /// The card numbers of its codes, where they have some.
    pub cards: Option<Cards>,
    /// Who issues it, or brings it in.
    pub by: String,
}

/// What is in a new box.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Contents {
    /// Names and codes that the gateway makes.
    Made(Shape),
    /// Names and codes from elsewhere.
    Given {
        /// The box's printed name.
        id: String,
        /// How many codes.
        codes: u32,
    },
}

/// Which open box.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoxKey {
    /// The number that opening it brought.
    pub serial: i64,
}

/// Packages and reels of a box from elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUnits {
    /// The box's number.
    pub serial: i64,
    /// The partner it is for.
    pub partner: u32,
    /// The units, those of each level in the order of their codes.
    pub units: Vec<NewUnit>,
}

/// A package or a reel from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUnit {
    /// Its printed name.
    pub id: String,
    /// Which of the two it is.
    pub level: Level,
    /// The index of its first code.
    pub first: u32,
    /// The index of its last code.
    pub last: u32,
    /// A reel's number at the sale channel.
    pub sale_channel_order_id: Option<String>,
}

/// Codes of a box from elsewhere. No `Debug` of the codes.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewCodes {
    /// The box's number.
    pub serial: i64,
    /// The codes, behind those before, in their order.
    pub codes: Vec<String>,
}

/// Codes and names that may be there. No `Debug` of them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Names {
    /// The partner whose retailer is asked about.
    pub partner: u32,
    /// Codes.
    pub codes: Vec<String>,
    /// Names of boxes, packages and reels.
    pub units: Vec<String>,
}

impl fmt::Debug for NewCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewCodes({}, {} codes)", self.serial, self.codes.len())
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({} codes)", self.codes.len())
    }
}

/// Which codes of a box to hand out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportPage {
    /// The partner it is for.
    pub partner: u32,
    /// The box's number.
    pub serial: i64,
    /// The index of the first code.
    pub from: u32,
}

/// A box that is filled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoxEnd {
    /// The box's number.
    pub serial: i64,
    /// Who has a file with its codes, if there is one.
    pub exported_by: Option<String>,
}

/// A box whose codes are to be written to a file once more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// The retailer, where its name alone does not tell.
    pub tenant: Option<String>,
    /// Its printed name.
    pub name: String,
    /// Who wants them.
    pub by: String,
    /// Why again, if they were written before.
    pub again: Option<String>,
}

/// A box that is to be discarded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Discard {
    /// Its printed name.
    pub name: String,
    /// Who discards it.
    pub by: String,
}

/// Somebody has a box in hand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// The retailer, where its name alone does not tell.
    pub tenant: Option<String>,
    /// The box's printed name.
    pub name: String,
    /// Who has it.
    pub by: String,
}

/// Opens a box; answers its number and its printed name.
///
/// # Errors
/// When the partner, the activity or the ticket type is not there, a value does not do, or a name
/// is taken.
pub async fn open(gateway: &Arc<Gateway>, new: NewBox) -> Result<Value, AdminError> {
    let carton = compose(gateway, new).await?;
    let answer = json!({
        "box": carton.id,
        "serial": carton.serial.0,
        "codes": carton.codes,
    });
    gateway.open_carton(carton).await?;
    Ok(answer)
}

async fn compose(gateway: &Gateway, new: NewBox) -> Result<Carton, AdminError> {
    let known = find(gateway, read_number(new.partner)?)?;
    let Partner { tenant, number, .. } = known.partner;
    let activity = tickets::activity(gateway, tenant, ActivityNo(new.activity)).await?;
    let activity = activity.ok_or_else(|| absent("activity", new.activity))?;
    let ticket = tickets::ticket(gateway, tenant, VoucherTicketNo(new.ticket)).await?;
    let ticket = ticket.ok_or_else(|| absent("ticket", new.ticket))?;
    let (id, codes, shape, act) = contents(new.contents)?;
    if let Some(cards) = &new.cards {
        check_cards(gateway, tenant, cards, codes).await?;
    }
    let at = gateway.now();
    let by = whom(&new.by)?;
    Ok(Carton {
        tenant,
        serial: gateway.next_serial()?,
        id,
        partner: number,
        codes,
        shape,
        activity: activity.number,
        activity_name: activity.name,
        sale_channel: activity.sale_channel,
        send_channel: activity.send_channel,
        ticket: ticket.number,
        ticket_name: ticket.name,
        terms: ticket.terms,
        cards: new.cards,
        ready: false,
        issued_at: at,
        custody: vec![Custody { at, by, act }],
    })
}

fn absent(what: &str, number: u32) -> AdminError {
    AdminError::new(format!(
        "the retailer has no {what} {number}; see `onetill voucher {what} list`"
    ))
}

type Composed = (String, u32, Option<Shape>, CustodyAct);

fn contents(contents: Contents) -> Result<Composed, AdminError> {
    use crate::app::voucher::stocking::{chance::Chance, mint};
    let too_many = || AdminError::new(format!("a box holds 1 to {CODES_MAX} codes"));
    match contents {
        Contents::Made(shape) => {
            let codes = shape.codes_in_carton().ok_or_else(too_many)?;
            let id = mint::carton(&mut Chance::new())?;
            Ok((id, codes, Some(shape), CustodyAct::Issued))
        }
        Contents::Given { id, codes } => {
            check_name(&id)?;
            if !(1..=CODES_MAX).contains(&codes) {
                return Err(too_many());
            }
            Ok((id, codes, None, CustodyAct::Imported))
        }
    }
}

/// Card numbers are found by bin and segment alone, so no two boxes of a retailer share any.
async fn check_cards(
    gateway: &Gateway,
    tenant: TenantId,
    cards: &Cards,
    codes: u32,
) -> Result<(), AdminError> {
    let is_bin = matches!(cards.bin.len(), 4 | 6) && cards.bin.bytes().all(|b| b.is_ascii_digit());
    if !is_bin {
        return Err(AdminError::new(
            "a bin is 6 digits of cards, or 4 of vouchers",
        ));
    }
    let last = cards.first.saturating_add(codes - 1);
    if last > SEGMENT_MAX {
        return Err(AdminError::new("segment numbers end at 9999999"));
    }
    let shares = |it: &Carton| it.segment(&cards.bin, cards.first, last).is_some();
    match cartons(gateway, tenant).await?.iter().find(|it| shares(it)) {
        None => Ok(()),
        Some(other) => Err(AdminError::new(format!(
            "box {} has some of these card numbers",
            other.id
        ))),
    }
}

async fn cartons(gateway: &Gateway, tenant: TenantId) -> Result<Vec<Carton>, AdminError> {
    let mut cartons = Vec::new();
    let mut after = None;
    loop {
        let kind = DocumentKind::Carton;
        let page = gateway
            .reader
            .documents(kind, Some(tenant), after, PAGE_ROWS)
            .await?;
        let Some(last) = page.last().map(Document::key) else {
            return Ok(cartons);
        };
        after = Some((last.tenant, last.key));
        cartons.extend(page.into_iter().filter_map(documents::carton));
    }
}

fn check_name(name: &str) -> Result<(), AdminError> {
    let text = "a name is 8 to 64 letters, digits, dashes or equal signs";
    may_be_code(name)
        .then_some(())
        .ok_or_else(|| AdminError::new(text))
}

/// Stores the next rows of a box; answers how far it is.
///
/// # Errors
/// When it is not being filled, or the store failed.
pub async fn fill(gateway: &Arc<Gateway>, key: &BoxKey) -> Result<Value, AdminError> {
    let progress: Progress = gateway.fill_carton(Serial(key.serial)).await?;
    Ok(json!({ "done": progress.done, "of": progress.of }))
}

/// Stores packages and reels of a box from elsewhere.
///
/// # Errors
/// When one is taken, or they leave a gap.
pub async fn add_units(gateway: &Arc<Gateway>, new: NewUnits) -> Result<Value, AdminError> {
    let tenant = find(gateway, read_number(new.partner)?)?.partner.tenant;
    let carton = Serial(new.serial);
    let mut units = Vec::with_capacity(new.units.len());
    for unit in new.units {
        check_name(&unit.id)?;
        units.push(Unit {
            tenant,
            id: unit.id,
            level: unit.level,
            range: CodeRange {
                carton,
                first: unit.first,
                last: unit.last,
            },
            sale_channel_order_id: unit.sale_channel_order_id,
        });
    }
    gateway.add_units(carton, units).await?;
    Ok(Value::Null)
}

/// Stores codes of a box from elsewhere.
///
/// # Errors
/// When one cannot be a code, or there are too many.
pub async fn add_codes(gateway: &Arc<Gateway>, new: NewCodes) -> Result<Value, AdminError> {
    if !new.codes.iter().all(|it| may_be_code(it)) {
        return Err(AdminError::new(
            "a code is 8 to 64 letters, digits, dashes or equal signs",
        ));
    }
    let texts = new.codes.into_iter().map(Zeroizing::new).collect();
    gateway.add_codes(Serial(new.serial), texts).await?;
    Ok(Value::Null)
}

/// Which of some codes and names exist: their places in the request.
///
/// # Errors
/// When the store failed.
pub async fn find_taken(gateway: &Arc<Gateway>, names: Names) -> Result<Value, AdminError> {
    let tenant = find(gateway, read_number(names.partner)?)?.partner.tenant;
    let codes = &gateway.vouchers.codes;
    let digests: Vec<CodeDigest> = names
        .codes
        .iter()
        .map(|it| codes.digest(tenant, it))
        .collect();
    let found = gateway.reader.codes_by_digest(digests.clone()).await?;
    let is_taken = |digest: &CodeDigest| {
        found
            .iter()
            .any(|it| it.digest == *digest && it.tenant == tenant)
    };
    let codes = places(digests.iter().map(is_taken));
    let mut units = Vec::with_capacity(names.units.len());
    for name in names.units {
        units.push(gateway.reader.unit(tenant, name).await?.is_some());
    }
    Ok(json!({ "codes": codes, "units": places(units.into_iter()) }))
}

fn places(taken: impl Iterator<Item = bool>) -> Vec<usize> {
    let places = taken.enumerate().filter(|(_, is_taken)| *is_taken);
    places.map(|(place, _)| place).collect()
}

/// Codes of a box from an index on: a line of package, reel and code for each.
///
/// # Errors
/// When there is no such box, or no export of it was begun.
pub async fn export_page(gateway: &Arc<Gateway>, page: &ExportPage) -> Result<Value, AdminError> {
    let tenant = find(gateway, read_number(page.partner)?)?.partner.tenant;
    let carton = gateway.stored_carton(tenant, Serial(page.serial)).await?;
    let carton = carton.filter(|it| it.is_open() || it.was(CustodyAct::Exported));
    let carton = carton.ok_or_else(|| AdminError::new("no export of this box was begun"))?;
    let mut lines = gateway.printed_codes(&carton, page.from).await?;
    Ok(Value::String(std::mem::take(&mut *lines)))
}

/// A filled box comes into stock.
///
/// # Errors
/// When it is not filled.
pub async fn finish(gateway: &Arc<Gateway>, end: BoxEnd) -> Result<Value, AdminError> {
    let exported_by = end.exported_by.as_deref().map(whom).transpose()?;
    gateway
        .finish_carton(Serial(end.serial), exported_by)
        .await?;
    Ok(Value::Null)
}

/// Notes that the codes of a box are written to a file; answers where its pages are.
///
/// # Errors
/// When there is no such box, or they were written before and nobody says why again.
pub async fn begin_export(gateway: &Arc<Gateway>, export: Export) -> Result<Value, AdminError> {
    let carton = find_box(gateway, export.tenant.as_deref(), &export.name).await?;
    let by = whom(&export.by)?;
    let by = match (carton.was(CustodyAct::Exported), export.again) {
        (true, None) => {
            return Err(AdminError::new(
                "its codes were written to a file before, see `onetill voucher custody`; if they \
                 must be once more, add --again --reason TEXT",
            ));
        }
        (_, Some(reason)) => format!("{by}: {reason}"),
        (false, None) => by,
    };
    let (tenant, serial) = (carton.tenant, carton.serial);
    gateway
        .note_custody(tenant, serial, by, CustodyAct::Exported)
        .await?;
    Ok(json!({
        "box": carton.id,
        "serial": serial.0,
        "partner": carton.partner.0,
        "codes": carton.codes,
    }))
}

/// Notes who has a box in hand.
///
/// # Errors
/// When there is no such box.
pub async fn receive(gateway: &Arc<Gateway>, receipt: Receipt) -> Result<Value, AdminError> {
    let carton = find_box(gateway, receipt.tenant.as_deref(), &receipt.name).await?;
    let by = whom(&receipt.by)?;
    let (tenant, serial) = (carton.tenant, carton.serial);
    gateway
        .note_custody(tenant, serial, by, CustodyAct::Received)
        .await?;
    Ok(json!({ "box": carton.id }))
}

/// A box that is ready, by its printed name.
async fn find_box(
    gateway: &Gateway,
    tenant: Option<&str>,
    name: &str,
) -> Result<Arc<Carton>, AdminError> {
    let found = find_unit(gateway, tenant, name).await?;
    match found.level {
        Some(Level::Carton) => Ok(found.carton),
        Some(Level::Package | Level::Reel) | None => Err(AdminError::new(format!(
            "{name} is no box; it lies in box {}",
            found.carton.id
        ))),
    }
}

/// Removes a box that was never finished.
///
/// # Errors
/// When there is none of this name.
pub async fn discard(gateway: &Arc<Gateway>, discard: Discard) -> Result<Value, AdminError> {
    let open = gateway.open_cartons().await?;
    let found = open.into_iter().find(|it| it.id == discard.name);
    let carton = found.ok_or_else(|| {
        AdminError::new(format!(
            "there is no unfinished box {}; only such are discarded",
            discard.name
        ))
    })?;
    let by = whom(&discard.by)?;
    gateway
        .discard_carton(carton.tenant, carton.serial, &by)
        .await?;
    Ok(json!({ "box": carton.id }))
}
