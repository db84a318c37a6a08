//! The demo's stores, terminals and cards: fixed, so that anyone's script can rely on them. The
//! keys are public.

use super::{
    AdminError,
    cards::{self, NewCard},
    known_tenant,
    programs::{self, NewProgram},
    stores::{self, NewStore},
    terminals::{self, KeyInjection, NewTerminal},
};
use crate::{
    admin::demo::Part,
    app::{Gateway, loyalty::programs::newest},
};
use domain::{
    loyalty::{
        card::{CardStatus, Holder, Holding, TicketKind},
        program::{Campaign, Rules},
        terminal::{KeyLayout, Profile},
    },
    money::Fen,
    time::UnixMs,
};
use std::sync::Arc;

/// The retailer that has everything.
const TENANT: &str = "demo";
/// Its store.
pub const STORE: &str = "102100099990001";
/// The terminal with 24 bytes of keys and no MAC.
pub const TERMINAL: &str = "20141111";
/// The terminal with 40 bytes of keys that must send MACs.
pub const MAC_TERMINAL: &str = "20141112";
/// The master key of both.
pub const MASTER_KEY: &str = "CA5D92598DCA48CE8A4C76361A9269E9";
/// The member's card without a PIN.
pub const CARD: &str = "9999999999025288";
/// The card that is stocked.
pub const STOCKED_CARD: &str = "9999999999025296";
/// The card that was lost.
pub const LOST_CARD: &str = "9999999999025304";
/// The card that has expired.
pub const EXPIRED_CARD: &str = "9999999999025312";
/// The member's card with a PIN.
pub const PIN_CARD: &str = "9999999999025320";
/// Its PIN.
pub const PIN: &str = "123456";

const DAY_S: i64 = 24 * 3600;
const YEAR_S: i64 = 365 * DAY_S;

/// Loads the demo's cards, store and terminals if there is no store yet, or goes on where an earlier
/// load was broken off; says whether it did.
///
/// # Errors
/// When the store failed.
pub async fn load(gateway: &Arc<Gateway>) -> Result<bool, AdminError> {
    let stores = gateway.loyalty.estate.stores();
    if !Part::Cards
        .is_to_be_loaded(gateway, stores.is_empty())
        .await?
    {
        return Ok(false);
    }
    // Cards that are there stay as they are.
    cards::add(gateway, TENANT, all_cards(gateway.now())).await?;
    load_program(gateway).await?;
    if !stores.iter().any(|it| it.store.number.as_str() == STORE) {
        stores::add(gateway, store()).await?;
    }
    for terminal in terminals() {
        load_terminal(gateway, terminal).await?;
    }
    Part::Cards.is_loaded(gateway).await?;
    Ok(true)
}

async fn load_program(gateway: &Arc<Gateway>) -> Result<(), AdminError> {
    let tenant = known_tenant(gateway, TENANT).await?;
    let reader = gateway.reader.as_ref();
    if newest(reader, tenant).await?.is_none() {
        programs::set(gateway, program(gateway.now())).await?;
    }
    Ok(())
}

async fn load_terminal(gateway: &Arc<Gateway>, new: NewTerminal) -> Result<(), AdminError> {
    let number = new.number.clone();
    if terminals::lookup(gateway, STORE, &number).await?.is_none() {
        terminals::add(gateway, new).await?;
    }
    let known = terminals::lookup(gateway, STORE, &number).await?;
    if known.is_some_and(|it| it.master_key.is_none()) {
        terminals::inject(gateway, key(number)).await?;
    }
    Ok(())
}

fn store() -> NewStore {
    NewStore {
        number: STORE.to_owned(),
        tenant: TENANT.to_owned(),
        name: "演示门店".to_owned(),
        networks: Vec::new(),
        certificates: Vec::new(),
    }
}

fn terminals() -> [NewTerminal; 2] {
    let terminal = |number: &str, profile| NewTerminal {
        store: STORE.to_owned(),
        number: number.to_owned(),
        profile,
    };
    let with_mac = Profile {
        key_layout: KeyLayout::Bytes40,
        mac_required: true,
        ..Profile::default()
    };
    [
        terminal(TERMINAL, Profile::default()),
        terminal(MAC_TERMINAL, with_mac),
    ]
}

fn key(number: String) -> KeyInjection {
    KeyInjection {
        store: STORE.to_owned(),
        number,
        key: MASTER_KEY.to_owned(),
        second_part: None,
        check: None,
    }
}

/// The usual rules, and one campaign that gives nothing but its advertisement.
fn program(now: UnixMs) -> NewProgram {
    let campaign = Campaign {
        name: "演示".to_owned(),
        from: now.plus_s(-DAY_S),
        until: now.plus_s(100 * YEAR_S),
        stores: Vec::new(),
        gift: domain::loyalty::program::Gift::None,
        advertisement: "欢迎参加会员积分活动".to_owned(),
    };
    NewProgram {
        tenant: TENANT.to_owned(),
        by: TENANT.to_owned(),
        rules: Rules {
            campaigns: vec![campaign],
            ..Rules::default()
        },
    }
}

fn all_cards(now: UnixMs) -> Vec<NewCard> {
    let member = NewCard {
        status: CardStatus::Active,
        points: Some("1000.00".to_owned()),
        tickets: tickets(now.plus_s(YEAR_S)),
        ..blank(CARD)
    };
    vec![
        NewCard {
            holder: zhang_san(),
            ..member.clone()
        },
        NewCard {
            number: PIN_CARD.to_owned(),
            holder: Holder {
                name: "李四".to_owned(),
                ..Holder::default()
            },
            pin: Some(PIN.to_owned()),
            ..member
        },
        blank(STOCKED_CARD),
        NewCard {
            status: CardStatus::Lost,
            ..blank(LOST_CARD)
        },
        NewCard {
            status: CardStatus::Active,
            expires_at: Some(now.plus_s(-DAY_S)),
            ..blank(EXPIRED_CARD)
        },
    ]
}

fn blank(number: &str) -> NewCard {
    NewCard {
        number: number.to_owned(),
        status: CardStatus::Stocked,
        expires_at: None,
        expiry_yymm: None,
        holder: Holder::default(),
        grade: 0,
        pin: None,
        points: None,
        points_expire_at: None,
        lots: Vec::new(),
        tickets: Vec::new(),
        codes: Vec::new(),
    }
}

fn zhang_san() -> Holder {
    Holder {
        name: "张三".to_owned(),
        gender: "01".to_owned(),
        mobile: "13800000000".to_owned(),
        id_type: "01".to_owned(),
        id_no: "0123456789012345678".to_owned(),
        address: String::new(),
        email: "zhangsan@example.com".to_owned(),
    }
}

fn tickets(end: UnixMs) -> Vec<Holding> {
    let holding = |id, kind, name: &str, yuan: i64, pieces| Holding {
        id,
        kind,
        name: name.to_owned(),
        face: Fen::new(yuan * 100),
        pieces,
        expires_at: Some(end),
    };
    vec![
        holding(1, TicketKind::Voucher, "1元代金券", 1, 2),
        holding(2, TicketKind::Voucher, "5元代金券", 5, 1),
        holding(1, TicketKind::GroupBuy, "10元团购券", 10, 5),
        holding(2, TicketKind::Cash, "100元代金券", 100, 10),
    ]
}
