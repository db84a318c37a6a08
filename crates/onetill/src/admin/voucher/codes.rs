//! One code: where it stands and what happened to it. Its text is never told.

use super::{AdminError, name_of, tenant_names, tenant_or_all};
use crate::app::{
    Gateway,
    voucher::{names::Found, trace::Entry},
};
use domain::voucher::{
    change::Change,
    code::CodeNo,
    code_use::{CodeAct, CodeEvent, Scene},
    stock::Level,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// Which code. No `Debug` of it: it pays.
#[derive(Clone, Serialize, Deserialize)]
pub struct CodeName {
    /// The retailer, where the code alone does not tell.
    pub tenant: Option<String>,
    /// The code.
    pub code: String,
}

impl fmt::Debug for CodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeName").finish_non_exhaustive()
    }
}

/// A code with its history.
///
/// # Errors
/// When there is no such code.
pub async fn show(gateway: &Arc<Gateway>, name: CodeName) -> Result<Value, AdminError> {
    let found = find(gateway, &name).await?;
    let code = CodeNo {
        carton: found.range.carton,
        index: found.range.first,
    };
    let carton = &*found.carton;
    let standing = gateway.standing(carton, code).await?;
    let spans = gateway.reader.spans(code.range(), None, 1).await?;
    let term = spans
        .first()
        .and_then(|it| it.activation())
        .map(|it| it.term);
    let trace = gateway.trace(&found, code).await?;
    let tenants = tenant_names(gateway).await?;
    let history: Vec<Value> = trace.iter().map(describe).collect();
    Ok(json!({
        "tenant": name_of(&tenants, carton.tenant),
        "partner": carton.partner.0,
        "box": carton.id,
        "package": unit_of(gateway, code, Level::Package).await?,
        "reel": unit_of(gateway, code, Level::Reel).await?,
        "index": code.index,
        "status": standing.status,
        "uses": carton.terms.uses,
        "uses_left": standing.uses_left,
        "face_value_fen": carton.terms.face_value.get(),
        "ticket": carton.ticket.0,
        "ticket_name": carton.ticket_name,
        "valid_from": term.and_then(|it| it.from),
        "valid_until": term.and_then(|it| it.until),
        "history": history,
    }))
}

async fn find(gateway: &Gateway, name: &CodeName) -> Result<Found, AdminError> {
    for tenant in tenant_or_all(gateway, name.tenant.as_deref()).await? {
        let found = gateway.find_all_names(tenant, &[&name.code]).await?;
        let code = found.into_iter().flatten().find(|it| it.level.is_none());
        if let Some(code) = code {
            return Ok(code);
        }
    }
    Err(AdminError::new("no stock that is ready holds this code"))
}

async fn unit_of(
    gateway: &Gateway,
    code: CodeNo,
    level: Level,
) -> Result<Option<String>, AdminError> {
    let units = gateway
        .reader
        .units_in(code.range(), level, None, 1)
        .await?;
    Ok(units.into_iter().next().map(|it| it.id))
}

fn describe(entry: &Entry) -> Value {
    match entry {
        Entry::Activated(at, change) => of_change("activated", at.0, change.as_deref()),
        Entry::Voided(at, change) => of_change("voided", at.0, change.as_deref()),
        Entry::Till(it) => of_till(&it.event, &it.scene),
    }
}

fn of_change(what: &str, at_ms: i64, change: Option<&Change>) -> Value {
    json!({
        "at": at_ms,
        "what": what,
        "by": change.and_then(|it| it.partner).map(|it| it.0),
        "number": change.map(|it| &it.number),
        "remarks": change.map(|it| &it.remarks),
    })
}

fn of_till(event: &CodeEvent, scene: &Scene) -> Value {
    let what = match event.act {
        CodeAct::Used => "used",
        CodeAct::GivenBack => "given back",
    };
    json!({
        "at": event.at,
        "what": what,
        "number": scene.sale,
        "store": scene.store,
        "terminal": scene.terminal,
        "payment": event.subject.to_string(),
    })
}
