//! Terminals: adding, changing, listing, and their master keys.

use super::{AdminError, stores};
use crate::app::{
    Gateway,
    loyalty::{documents, estate::KnownStore},
};
use domain::{
    command::loyalty::{AddTerminal, SetTerminal, TerminalChange as Change},
    ids::TenantId,
    loyalty::{
        document::{Document, DocumentKey, DocumentKind},
        terminal::{Profile, Terminal, TerminalNo},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};
use store::{AdminOp, AdminReply};
use wire::jpos::Key;

/// How many terminals a retailer may have: each has an index of five digits.
const INDEX_MAX: i64 = 99_999;
/// How many rows one question to the store brings at most.
const PAGE_ROWS: u32 = 500;

/// A terminal to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTerminal {
    /// Its store's number.
    pub store: String,
    /// Its number on the wire.
    pub number: String,
    /// How it is spoken to.
    pub profile: Profile,
}

/// What is to change about a terminal; what is `None` stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TerminalChange {
    /// Its store's number.
    pub store: String,
    /// Its number on the wire.
    pub number: String,
    /// Whether nothing may be done at it for the time being.
    pub blocked: Option<bool>,
    /// How it is spoken to.
    pub profile: Option<Profile>,
}

/// A master key for a terminal.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeyInjection {
    /// Its store's number.
    pub store: String,
    /// Its number on the wire.
    pub number: String,
    /// The key in hex: 16 or 32 digits. Of two people with a part each, the first part.
    pub key: String,
    /// The second part, to be XORed to the first.
    pub second_part: Option<String>,
    /// The check value that stands beside the key on paper: 6 or 8 digits.
    pub check: Option<String>,
}

impl fmt::Debug for KeyInjection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyInjection")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Adds a terminal. It checks in once its master key is injected.
///
/// # Errors
/// When its number is taken in its store, or a value does not do.
pub async fn add(gateway: &Arc<Gateway>, new: NewTerminal) -> Result<Value, AdminError> {
    let store = stores::find(gateway, &new.store)?;
    let number = read_number(&new.number)?;
    let taken = || {
        let text = format!(
            "terminal {} exists; change it with `onetill terminal set`",
            new.number
        );
        AdminError::new(text)
    };
    if gateway.terminal(&store, &number).await?.is_some() {
        return Err(taken());
    }
    let index = claim_index(gateway, &store, &number).await?;
    let terminal = blank(gateway, &store, number, index, new.profile);
    let shown = show(&terminal);
    if gateway.run(AddTerminal { terminal }).await? {
        Ok(shown)
    } else {
        Err(taken())
    }
}

fn blank(
    gateway: &Gateway,
    store: &KnownStore,
    number: TerminalNo,
    index: i64,
    profile: Profile,
) -> Terminal {
    Terminal {
        tenant: store.store.tenant,
        store: store.store.number.clone(),
        number,
        index,
        blocked: false,
        profile,
        master_key: None,
        keys: None,
        keys_before: None,
        key_count: 0,
        mac_failures: 0,
        check_in: None,
        batch: None,
        trans_count: 0,
        today: domain::loyalty::card::DayUse::default(),
        codes_sent_at: Vec::new(),
        updated_at: gateway.now(),
    }
}

/// An index that no other terminal of the tenant has or had: each is a named value, written once.
async fn claim_index(
    gateway: &Gateway,
    store: &KnownStore,
    number: &TerminalNo,
) -> Result<i64, AdminError> {
    let tenant = store.store.tenant;
    let newest = gateway.reader.values(prefix(tenant), 1).await?;
    let newest = newest.first().and_then(|(name, _)| name.rsplit('/').next());
    let newest = newest.and_then(|it| it.parse().ok()).unwrap_or(0_i64);
    // What makes the claim ours, whoever else adds the same terminal just now.
    let claim = gateway.next_serial()?;
    let value = format!(
        "{}/{}/{claim}",
        store.store.number.as_str(),
        number.as_str()
    );
    for index in newest + 1..=INDEX_MAX {
        if is_claimed(gateway, tenant, index, value.as_bytes()).await? {
            return Ok(index);
        }
    }
    Err(AdminError::new(format!(
        "a retailer has at most {INDEX_MAX} terminals"
    )))
}

async fn is_claimed(
    gateway: &Gateway,
    tenant: TenantId,
    index: i64,
    value: &[u8],
) -> Result<bool, AdminError> {
    let claim = AdminOp::PutIfAbsent {
        name: index_name(tenant, index),
        value: value.to_vec(),
    };
    match gateway.engine.admin(claim).await? {
        AdminReply::Value(stored) => Ok(stored == value),
        other @ (AdminReply::Done
        | AdminReply::Tenant(_)
        | AdminReply::Lease { .. }
        | AdminReply::Renewed(_)
        | AdminReply::Removed(_)) => Err(AdminError::new(format!("the store answered {other:?}"))),
    }
}

fn index_name(tenant: TenantId, index: i64) -> String {
    format!("{}{index:05}", prefix(tenant))
}

fn prefix(tenant: TenantId) -> String {
    format!("terminal/{}/", tenant.0)
}

/// Changes a terminal.
///
/// # Errors
/// When there is no such terminal.
pub async fn set(gateway: &Arc<Gateway>, change: TerminalChange) -> Result<Value, AdminError> {
    let mut terminal = find(gateway, &change.store, &change.number).await?;
    let blocked = change.blocked.map(Change::Block);
    let profile = change.profile.map(Change::Profile);
    for change in blocked.into_iter().chain(profile) {
        terminal = put(gateway, &terminal, change).await?;
    }
    Ok(show(&terminal))
}

/// Injects a master key. The terminal has to check in afterwards.
///
/// # Errors
/// When there is no such terminal, the key is none, or its check value is another.
pub async fn inject(gateway: &Arc<Gateway>, injection: KeyInjection) -> Result<Value, AdminError> {
    let terminal = find(gateway, &injection.store, &injection.number).await?;
    let key = read_key(&injection)?;
    let check = key.check_value();
    if let Some(expected) = &injection.check
        && !check.is_named_by(expected)
    {
        let text = format!(
            "the key's check value is {check}, not {expected}: a digit of the key, or of the \
             check value, is wrong"
        );
        return Err(AdminError::new(text));
    }
    let sealed = gateway
        .loyalty
        .keys
        .seal_master(&terminal, &key, gateway.now());
    let sealed = sealed.map_err(|error| AdminError::new(error.to_string()))?;
    let terminal = put(gateway, &terminal, Change::MasterKey(sealed)).await?;
    Ok(show(&terminal))
}

fn read_key(injection: &KeyInjection) -> Result<Key, AdminError> {
    let wrong = |error: wire::jpos::key::KeyError| AdminError::new(error.to_string());
    let first = Key::parse_hex(&injection.key).map_err(wrong)?;
    match &injection.second_part {
        None => Ok(first),
        Some(second) => {
            let second = Key::parse_hex(second).map_err(wrong)?;
            Key::from_parts(&first, &second).map_err(wrong)
        }
    }
}

async fn put(
    gateway: &Gateway,
    terminal: &Terminal,
    change: Change,
) -> Result<Terminal, AdminError> {
    let set = SetTerminal {
        tenant: terminal.tenant,
        store: terminal.store.clone(),
        number: terminal.number.clone(),
        change,
    };
    let changed = gateway.run(set).await;
    let (store, number) = (&terminal.store, &terminal.number);
    let key = DocumentKey::terminal(terminal.tenant, store, number);
    gateway.loyalty.remembered.forget(&key);
    changed?.ok_or_else(|| missing(terminal.number.as_str()))
}

/// Terminals of one store, or of all.
///
/// # Errors
/// When there is no such store, or the store failed.
pub async fn list(gateway: &Arc<Gateway>, store: Option<&str>) -> Result<Value, AdminError> {
    let store = store.map(|it| stores::find(gateway, it)).transpose()?;
    let tenant = store.as_ref().map(|it| it.store.tenant);
    // A store's terminals lie behind its number and a slash.
    let mut after = store.as_ref().map(|it| {
        let number = format!("{}/", it.store.number.as_str());
        (it.store.tenant, number)
    });
    let mut shown = Vec::new();
    loop {
        let kind = DocumentKind::Terminal;
        let page = gateway.reader.documents(kind, tenant, after, PAGE_ROWS);
        let page = page.await?;
        let Some(last) = page.last().map(Document::key) else {
            return Ok(Value::Array(shown));
        };
        let is_ours = |it: &Terminal| {
            store
                .as_ref()
                .is_none_or(|known| it.store == known.store.number)
        };
        let terminals: Vec<Terminal> = page.into_iter().filter_map(documents::terminal).collect();
        let is_over = !terminals.iter().all(is_ours);
        shown.extend(terminals.iter().filter(|it| is_ours(it)).map(show));
        if is_over {
            return Ok(Value::Array(shown));
        }
        after = Some((last.tenant, last.key));
    }
}

fn show(terminal: &Terminal) -> Value {
    let checked_in = terminal.check_in.as_ref();
    json!({
        "store": terminal.store.as_str(),
        "terminal": terminal.number.as_str(),
        "index": terminal.index,
        "blocked": terminal.blocked,
        "profile": terminal.profile,
        "master_key_check": terminal.master_key.as_ref().map(|it| it.check.clone()),
        "checked_in_at": checked_in.map(|it| it.at.0),
        "operator": checked_in.map(|it| it.operator.clone()),
        "batch": terminal.batch.map(|it| it.number.to_string()),
        "batch_is_open": terminal.open_batch().is_some(),
        "mac_failures": terminal.mac_failures,
    })
}

async fn find(gateway: &Gateway, store: &str, number: &str) -> Result<Terminal, AdminError> {
    let found = lookup(gateway, store, number).await?;
    found.ok_or_else(|| missing(number))
}

/// The terminal with this number, if it is there.
pub(super) async fn lookup(
    gateway: &Gateway,
    store: &str,
    number: &str,
) -> Result<Option<Terminal>, AdminError> {
    let store = stores::find(gateway, store)?;
    let number = read_number(number)?;
    let key = DocumentKey::terminal(store.store.tenant, &store.store.number, &number);
    let found = gateway.reader.document(key).await?;
    Ok(found.and_then(documents::terminal))
}

/// What the terminal with this index is called: its store's number, a slash, and its own. An empty
/// text where no terminal of the tenant has it.
pub(super) async fn name_of_index(
    gateway: &Gateway,
    tenant: TenantId,
    index: i64,
) -> Result<String, AdminError> {
    let claim = gateway.reader.values(index_name(tenant, index), 1).await?;
    let claim = claim
        .first()
        .map(|(_, value)| String::from_utf8_lossy(value));
    // Behind it stands what made the claim its own.
    let name = claim.as_ref().and_then(|it| it.rsplit_once('/'));
    Ok(name.map(|(name, _)| name.to_owned()).unwrap_or_default())
}

fn missing(number: &str) -> AdminError {
    AdminError::new(format!(
        "there is no terminal {number} in this store; see `onetill terminal list`"
    ))
}

fn read_number(number: &str) -> Result<TerminalNo, AdminError> {
    let read = TerminalNo::parse(number);
    read.ok_or_else(|| AdminError::new("a terminal's number is 1 to 32 letters or digits"))
}
