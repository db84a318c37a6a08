//! The demo's partners, tickets and stock: fixed, so that anyone's script can rely on them. Its
//! tokens, keys and codes are public.

mod stock;

use super::{
    AdminError, known_tenant, partners, tenant_names,
    tickets::{self, NewActivity, NewTicket},
};
use crate::{
    app::{Gateway, voucher::names::Found},
    vault::encode_hex,
};
use domain::{
    ids::TenantId,
    money::Fen,
    voucher::{
        partner::{DayCount, Partner, PartnerKey, PartnerNo, PartnerSettings, Token},
        ticket::{ActivityNo, Terms, Validity, VoucherTicketNo},
    },
};
use serde_json::{Value, json};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::Arc,
};
use wire::voucher::SigningKey;

pub use stock::FIRST_CODE;

/// The retailer that has everything.
const TENANT: &str = "demo";
/// Who did all this.
const BY: &str = "demo";
/// The partner that may send `skip` for a signature.
pub const PARTNER: u32 = 1504;
/// The account it names.
pub const MERCHANT_ID: &str = "10001";
/// Its token.
pub const TOKEN: &str = "demo-partner-token";
/// The partner that must sign.
pub const SIGNING_PARTNER: u32 = 1505;
/// The account it names.
pub const SIGNING_MERCHANT_ID: &str = "10002";
/// Its token.
pub const SIGNING_TOKEN: &str = "demo-partner-token-2";
/// The activity of all codes.
const ACTIVITY: u32 = 500_706;
/// The ticket type of two uses and no face value.
const GOODS_TICKET: u32 = 500_811;
/// The ticket type of one use and 20 yuan.
const CASH_TICKET: u32 = 500_812;

/// The key that the second partner signs with.
const PARTNER_KEY: &str = include_str!("partner-1505.key.pem");
/// The key that replies to it are signed with.
const REPLY_KEY: &str = include_str!("reply-1505.key.pem");

/// Its private key, in the data directory.
pub const PARTNER_KEY_FILE: &str = "demo-partner-1505.key.pem";
/// Its public key.
const PARTNER_PUBLIC_FILE: &str = "demo-partner-1505.pub.pem";
/// The public half of what replies to it are signed with.
const REPLY_PUBLIC_FILE: &str = "demo-reply-1505.pub.pem";

/// Loads what is missing of the demo's partners, tickets and stock, unless there are partners of
/// somebody else's; says whether anything was. A load that broke off goes on where it was.
///
/// # Errors
/// When the store failed.
pub async fn load(gateway: &Arc<Gateway>) -> Result<bool, AdminError> {
    let known = gateway.vouchers.partners.all();
    let is_ours = |number: PartnerNo| [PARTNER, SIGNING_PARTNER].contains(&number.0);
    if !known.iter().all(|it| is_ours(it.partner.number)) {
        return Ok(false);
    }
    let tenants = tenant_names(gateway).await?;
    let Some((tenant, _)) = tenants.into_iter().find(|(_, name)| name == TENANT) else {
        return Ok(false);
    };
    load_tickets(gateway, tenant).await?;
    let mut is_new = load_partner(gateway, first_partner(gateway, tenant)).await?;
    is_new |= load_partner(gateway, second_partner(gateway, tenant)?).await?;
    is_new |= stock::load(gateway, tenant).await?;
    Ok(is_new)
}

async fn load_tickets(gateway: &Arc<Gateway>, tenant: TenantId) -> Result<(), AdminError> {
    for new in new_tickets() {
        let number = VoucherTicketNo(new.number);
        if tickets::ticket(gateway, tenant, number).await?.is_none() {
            tickets::put(gateway, new).await?;
        }
    }
    let number = ActivityNo(ACTIVITY);
    if tickets::activity(gateway, tenant, number).await?.is_none() {
        let new = NewActivity {
            tenant: TENANT.to_owned(),
            number: ACTIVITY,
            name: "演示活动".to_owned(),
            sale_channel: "演示_销售".to_owned(),
            send_channel: "演示发送".to_owned(),
            replace: false,
        };
        tickets::put_activity(gateway, new).await?;
    }
    Ok(())
}

fn new_tickets() -> [NewTicket; 2] {
    let ticket = |number, name: &str, uses, yuan: i64| NewTicket {
        tenant: TENANT.to_owned(),
        number,
        name: name.to_owned(),
        terms: Terms {
            uses,
            face_value: Fen::new(yuan * 100),
            validity: Validity::Forever,
        },
        replace: false,
    };
    [
        ticket(GOODS_TICKET, "中杯饮品券(两次)", 2, 0),
        ticket(CASH_TICKET, "20元代金券", 1, 20),
    ]
}

async fn load_partner(gateway: &Arc<Gateway>, partner: Partner) -> Result<bool, AdminError> {
    let is_new = gateway
        .vouchers
        .partners
        .by_number(partner.number)
        .is_none();
    if is_new {
        partners::put_new(gateway, partner, BY.to_owned()).await?;
    }
    Ok(is_new)
}

fn first_partner(gateway: &Gateway, tenant: TenantId) -> Partner {
    Partner {
        tenant,
        number: PartnerNo(PARTNER),
        merchant_id: MERCHANT_ID.to_owned(),
        name: "演示合作方".to_owned(),
        blocked: false,
        tokens: vec![token(gateway, TOKEN)],
        networks: Vec::new(),
        keys: Vec::new(),
        reply_key: None,
        settings: PartnerSettings {
            skip_signature: true,
            ..PartnerSettings::default()
        },
        history: Vec::new(),
        activated: DayCount::default(),
        updated_at: gateway.now(),
    }
}

fn second_partner(gateway: &Gateway, tenant: TenantId) -> Result<Partner, AdminError> {
    let spki = encode_hex(&key(PARTNER_KEY)?.public_spki_der());
    let number = PartnerNo(SIGNING_PARTNER);
    let pkcs8 = super::credentials::read_private(REPLY_KEY)?;
    let sealed = gateway.vouchers.partners.seal_reply_key(number, &pkcs8);
    Ok(Partner {
        number,
        merchant_id: SIGNING_MERCHANT_ID.to_owned(),
        name: "演示合作方(签名)".to_owned(),
        tokens: vec![token(gateway, SIGNING_TOKEN)],
        keys: vec![PartnerKey { spki, until: None }],
        reply_key: Some(sealed.map_err(|error| AdminError::new(error.to_string()))?),
        settings: PartnerSettings::default(),
        ..first_partner(gateway, tenant)
    })
}

fn token(gateway: &Gateway, text: &str) -> Token {
    Token {
        digest: gateway.vouchers.partners.digest(text),
        until: None,
    }
}

fn key(pem: &str) -> Result<SigningKey, AdminError> {
    SigningKey::from_pem(pem).map_err(|error| AdminError::new(error.to_string()))
}

/// Writes the second partner's key pair, and the public half of what it checks replies with, to
/// the data directory, where they are missing.
///
/// # Errors
/// When a file cannot be written.
pub fn write_keys(data: &Path) -> Result<(), AdminError> {
    let public = |pem| Ok::<_, AdminError>(key(pem)?.verifying_key().to_pem());
    let files = [
        (PARTNER_KEY_FILE, PARTNER_KEY.to_owned()),
        (PARTNER_PUBLIC_FILE, public(PARTNER_KEY)?),
        (REPLY_PUBLIC_FILE, public(REPLY_KEY)?),
    ];
    for (name, pem) in files {
        let path = data.join(name);
        if !path.exists() {
            write_private(&path, &pem)
                .map_err(|error| AdminError::new(format!("{}: {error}", path.display())))?;
        }
    }
    Ok(())
}

/// Writes a file that only its owner may read. Half a file has another name.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let partial = path.with_added_extension("partial");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&partial)?.write_all(text.as_bytes())?;
    fs::rename(&partial, path)
}

/// The demo's codes as they stand; they are public.
///
/// # Errors
/// When there is no demo data.
pub async fn codes(gateway: &Arc<Gateway>) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, TENANT).await?;
    let mut shown = Vec::new();
    for demo in stock::boxes() {
        let found = gateway.find_all_names(tenant, &[demo.id]).await?;
        let Some(found) = found.into_iter().flatten().next() else {
            continue;
        };
        describe(gateway, found, &mut shown).await?;
    }
    if shown.is_empty() {
        let text = "this store has no demo codes; see `onetill serve --demo`";
        return Err(AdminError::new(text));
    }
    Ok(shown.into())
}

async fn describe(
    gateway: &Arc<Gateway>,
    found: Found,
    shown: &mut Vec<Value>,
) -> Result<(), AdminError> {
    let mut pages = crate::app::voucher::tree::Pages::of(gateway, &[found]);
    while let Some(page) = pages.next().await? {
        let carton = &page.carton;
        for it in &page.codes {
            let (_, reel) = page.units_of(it.code)?;
            let segment = carton
                .cards
                .as_ref()
                .map(|cards| cards.first + it.code.index);
            shown.push(json!({
                "box": carton.id,
                "reel": reel.id,
                "code": *it.text,
                "status": it.standing.status,
                "uses_left": it.standing.uses_left,
                "ticket": carton.ticket.0,
                "bin": carton.cards.as_ref().map(|it| &it.bin),
                "segment": segment,
            }));
        }
    }
    Ok(())
}
