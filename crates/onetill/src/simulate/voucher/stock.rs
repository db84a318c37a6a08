//! The boxes of a run: their names and codes, and how they come into stock.

use super::book::{Book, CodeId};
use crate::{
    app::voucher::{codes::CodeVault, partners::Partners},
    simulate::{SetupError, dice::Dice},
    vault::Vault,
};
use domain::{
    command::voucher::{FinishCarton, OpenCarton, PutPartner},
    ids::{Serial, TenantId},
    money::Fen,
    time::UnixMs,
    voucher::{
        code::{CodeNo, CodeRange},
        partner::{DayCount, Partner, PartnerEntry, PartnerNo, PartnerSettings, Token},
        stock::{Cards, Carton, Level, Shape, Unit},
        ticket::{ActivityNo, Terms, Validity, VoucherTicketNo},
    },
};
use std::ops::Range;
use store::{
    AdminOp, Engine, EngineError,
    contract::{FoundCode, StoredCode},
};

/// How a box is packed: few codes, so that many meet at each.
const SHAPE: Shape = Shape {
    packages: 2,
    reels: 2,
    codes: 2,
};
/// Codes of a reel, of a package, and of a box.
const OF_REEL: usize = 2;
const OF_PACKAGE: usize = 4;
/// Codes of a box.
pub const OF_BOX: usize = 8;
/// Codes of a box that most sales name, so that many meet at few: those of its first package.
pub const SHOWN: usize = OF_PACKAGE;
/// What card numbers begin with.
pub const BIN: &str = "622200";
/// What each partner's account at the gateway is called.
pub const MERCHANT_ID: &str = "10001";
/// How much more than its price a code may be worth.
const GREAT: i64 = 1_000_000;

/// A box.
#[derive(Clone, Debug)]
pub struct Stock {
    /// Its number in the run.
    pub number: u64,
    /// How often its names were made: a box that did not come into stock is made anew.
    pub attempt: u64,
    /// Whose.
    pub tenant: TenantId,
    /// What its codes are good for.
    pub terms: Terms,
    /// The number of its first code.
    pub first: CodeId,
}

/// The partner of a tenant.
#[must_use]
pub fn partner_no(tenant: TenantId) -> PartnerNo {
    PartnerNo(1_500 + u32::try_from(tenant.0).unwrap_or(0))
}

/// Its token.
#[must_use]
pub fn token(tenant: TenantId) -> String {
    format!("token-of-{}", tenant.0)
}

/// What codes of the box numbered `number` are good for.
#[must_use]
pub fn terms(dice: &mut Dice, start: UnixMs) -> Terms {
    let uses = if dice.per_mille(600) { 1 } else { 3 };
    let face = match dice.within(0..4) {
        0 => 0,
        1 => GREAT,
        _ => 300,
    };
    let minutes = i64::try_from(dice.within(1..120)).unwrap_or(1);
    let validity = if dice.per_mille(700) {
        Validity::Forever
    } else {
        Validity::Between(start.plus_s(-86_400), start.plus_s(60 * minutes))
    };
    Terms {
        uses,
        face_value: Fen::new(face),
        validity,
    }
}

impl Stock {
    /// The printed name of the box.
    #[must_use]
    pub fn name(&self) -> String {
        format!("X{:05}-{:07}-00000", self.number, self.attempt)
    }

    /// The name of a package.
    #[must_use]
    pub fn package(&self, index: usize) -> String {
        format!("B{:04}-{:07}-{index:05}", self.number, self.attempt)
    }

    /// The name of a reel.
    #[must_use]
    pub fn reel(&self, index: usize) -> String {
        format!("R{:07}-{:07}-{index:04}", self.number, self.attempt)
    }

    /// The text of a code.
    #[must_use]
    pub fn code(&self, index: usize) -> String {
        let Self {
            number, attempt, ..
        } = self;
        format!("100261122{number:04}{attempt:04}{index:02}-M4DEDSfV")
    }

    /// The number of a code by its index.
    #[must_use]
    pub const fn id(&self, index: usize) -> CodeId {
        self.first + index
    }

    /// The box whole, a package, a reel or a code, drawn from `dice`: its name and its codes.
    #[must_use]
    pub fn draw(&self, dice: &mut Dice) -> (String, Range<CodeId>) {
        let mut below = |end: usize| {
            let end = u64::try_from(end).unwrap_or(1);
            usize::try_from(dice.within(0..end)).unwrap_or(0)
        };
        let (name, first, len) = match below(6) {
            0 => (self.name(), 0, OF_BOX),
            1 => {
                let index = below(OF_BOX / OF_PACKAGE);
                (self.package(index), index * OF_PACKAGE, OF_PACKAGE)
            }
            2 | 3 => {
                let index = below(OF_BOX / OF_REEL);
                (self.reel(index), index * OF_REEL, OF_REEL)
            }
            _ => {
                let index = below(OF_BOX);
                (self.code(index), index, 1)
            }
        };
        (name, self.id(first)..self.id(first + len))
    }

    /// When its codes' term is over.
    #[must_use]
    pub const fn until(&self) -> Option<UnixMs> {
        match self.terms.validity {
            Validity::Between(_, until) => Some(until),
            Validity::Forever | Validity::Days(_) => None,
        }
    }

    /// Its ticket type.
    #[must_use]
    pub fn ticket(&self) -> VoucherTicketNo {
        VoucherTicketNo(500_000 + u32::try_from(self.number).unwrap_or(0))
    }

    /// The first of its card numbers.
    #[must_use]
    pub fn first_card(&self) -> u32 {
        u32::try_from(self.number * 1_000).unwrap_or(0)
    }

    /// Its codes become known to those who play.
    pub fn enter(&mut self, book: &Book) {
        self.first = book.add(OF_BOX, self.terms.uses, self.until());
    }

    /// The steps of its way into stock, but the last.
    ///
    /// # Errors
    /// When a code cannot be sealed.
    pub fn steps(&self, serial: Serial, vault: &CodeVault) -> Result<[AdminOp; 3], SetupError> {
        let (mut codes, mut digests) = (Vec::new(), Vec::new());
        for (at, index) in (0..OF_BOX).zip(0..) {
            let code = CodeNo {
                carton: serial,
                index,
            };
            let text = self.code(at);
            let sealed = vault.seal(code, &text).map_err(|_| SetupError::Vault)?;
            codes.push(StoredCode { code, sealed });
            digests.push(FoundCode {
                digest: vault.digest(self.tenant, &text),
                tenant: self.tenant,
                code,
            });
        }
        digests.sort_by_key(|it| it.digest);
        Ok([
            AdminOp::AddUnits(self.units(serial)),
            AdminOp::AddCodes(codes),
            AdminOp::AddDigests(digests),
        ])
    }

    fn units(&self, serial: Serial) -> Vec<Unit> {
        let unit = |id, level, first: usize, len: usize| Unit {
            tenant: self.tenant,
            id,
            level,
            range: CodeRange {
                carton: serial,
                first: u32::try_from(first).unwrap_or(0),
                last: u32::try_from(first + len - 1).unwrap_or(0),
            },
            sale_channel_order_id: (level == Level::Reel).then(|| format!("{first:032x}")),
        };
        let mut units = vec![unit(self.name(), Level::Carton, 0, OF_BOX)];
        units.extend((0..OF_BOX / OF_PACKAGE).map(|it| {
            let name = self.package(it);
            unit(name, Level::Package, it * OF_PACKAGE, OF_PACKAGE)
        }));
        units.extend((0..OF_BOX / OF_REEL).map(|it| {
            let name = self.reel(it);
            unit(name, Level::Reel, it * OF_REEL, OF_REEL)
        }));
        units
    }

    /// Its record, before it is in stock.
    #[must_use]
    pub fn carton(&self, serial: Serial, now: UnixMs) -> Carton {
        Carton {
            tenant: self.tenant,
            serial,
            id: self.name(),
            partner: partner_no(self.tenant),
            codes: SHAPE.packages * SHAPE.reels * SHAPE.codes,
            shape: Some(SHAPE),
            activity: ActivityNo(500_706),
            activity_name: "activity".to_owned(),
            sale_channel: "shops".to_owned(),
            send_channel: "post".to_owned(),
            ticket: self.ticket(),
            ticket_name: "coffee".to_owned(),
            terms: self.terms,
            cards: Some(Cards {
                bin: BIN.to_owned(),
                first: self.first_card(),
            }),
            ready: false,
            issued_at: now,
            custody: Vec::new(),
        }
    }
}

/// Adds the partner of a tenant.
///
/// # Errors
/// When the store does not take it.
pub async fn add_partner(
    engine: &Engine,
    vault: &Vault,
    tenant: TenantId,
    now: UnixMs,
) -> Result<(), EngineError> {
    let partner = Partner {
        tenant,
        number: partner_no(tenant),
        merchant_id: MERCHANT_ID.to_owned(),
        name: "partner".to_owned(),
        blocked: false,
        tokens: vec![Token {
            digest: Partners::new(vault).digest(&token(tenant)),
            until: None,
        }],
        networks: Vec::new(),
        keys: Vec::new(),
        reply_key: None,
        settings: PartnerSettings {
            skip_signature: true,
            ..PartnerSettings::default()
        },
        history: Vec::new(),
        activated: DayCount::default(),
        updated_at: now,
    };
    let entry = PartnerEntry {
        at: now,
        by: "simulation".to_owned(),
        what: "added".to_owned(),
    };
    let put = PutPartner {
        partner,
        seen_at: None,
        entry,
    };
    engine.run(put).await.map(drop)
}

/// Brings a box into stock, where nothing fails.
///
/// # Errors
/// When the store does not take it.
pub async fn add_box(
    engine: &Engine,
    vault: &CodeVault,
    stock: &Stock,
    now: UnixMs,
) -> Result<(), SetupError> {
    let tenant = stock.tenant;
    // Serials of the run's time are larger.
    let serial = Serial(i64::try_from(1_000 + stock.number).unwrap_or(0));
    let carton = stock.carton(serial, now);
    engine.run(OpenCarton { carton }).await?;
    for step in stock.steps(serial, vault)? {
        engine.admin(step).await?;
    }
    engine.run(FinishCarton { tenant, serial }).await?;
    Ok(())
}
