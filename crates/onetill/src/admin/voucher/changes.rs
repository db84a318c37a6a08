//! Freezing and unfreezing codes, and an activation tried out, by an operator.

use super::{AdminError, tenant_or_all, whom};
use crate::app::{
    Gateway,
    voucher::{change::OperatorChange, names::Found},
};
use domain::{
    ids::TenantId,
    voucher::{
        change::{ChangeKind, Conflict, Verdict},
        code::CodeNo,
        stock::Level,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// How many names one request has at most.
const NAMES_MAX: usize = 1_000;

/// What an operator may do to codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Nothing may be done with them for the time being.
    Freeze,
    /// They are free again.
    Unfreeze,
    /// Says what would become of an activation.
    TryActivation,
}

/// Codes, and what to do with them. No `Debug` of the names: codes pay.
#[derive(Clone, Serialize, Deserialize)]
pub struct CodesChange {
    /// The retailer, where the names alone do not tell.
    pub tenant: Option<String>,
    /// Boxes, packages, reels and codes.
    pub names: Vec<String>,
    /// What to do.
    pub act: Act,
    /// Who asks.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

impl fmt::Debug for CodesChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.len();
        write!(f, "CodesChange({:?}, {names} names)", self.act)
    }
}

/// Changes codes: all that are named, or none.
///
/// # Errors
/// When a name leads nowhere, or the store failed. That codes are in the way is an answer.
pub async fn change(gateway: &Arc<Gateway>, wanted: CodesChange) -> Result<Value, AdminError> {
    if !(1..=NAMES_MAX).contains(&wanted.names.len()) {
        return Err(AdminError::new(format!("name 1 to {NAMES_MAX} ranges")));
    }
    let tenant = tenant_of_names(gateway, &wanted).await?;
    let names: Vec<&str> = wanted.names.iter().map(String::as_str).collect();
    let found = gateway.find_all_names(tenant, &names).await?;
    let (kind, dry_run) = match wanted.act {
        Act::Freeze => (ChangeKind::Freeze, false),
        Act::Unfreeze => (ChangeKind::Unfreeze, false),
        Act::TryActivation => (ChangeKind::Activate, true),
    };
    let change = OperatorChange {
        tenant,
        kind,
        by: whom(&wanted.by)?,
        reason: wanted.reason.clone(),
        dry_run,
    };
    let changed = gateway.change_by_operator(change, &found).await?;
    let codes: i64 = changed.ranges.iter().map(|it| it.len()).sum();
    match &changed.verdict {
        Verdict::Done(_) => Ok(json!({ "done": true, "codes": codes, "conflicts": [] })),
        Verdict::Conflict(conflicts) => {
            let mut shown = Vec::new();
            for conflict in &conflicts.first {
                shown.push(describe(gateway, conflict, &found).await?);
            }
            Ok(json!({ "done": false, "codes": codes, "conflicts": shown, "more": conflicts.more }))
        }
        Verdict::Unknown(places) => Err(unknown(places)),
        Verdict::Duplicate(one, other) => Err(AdminError::new(format!(
            "{} share codes: nothing was changed",
            ordinals(&[*one, *other])
        ))),
        Verdict::TooMany => Err(AdminError::new("more codes than may be activated in a day")),
    }
}

fn unknown(places: &[u32]) -> AdminError {
    AdminError::new(format!(
        "nothing has {}: nothing was changed; see `onetill voucher list`",
        ordinals(places)
    ))
}

/// Names by their places: a name may be a code, which is not repeated.
fn ordinals(places: &[u32]) -> String {
    let places: Vec<String> = places
        .iter()
        .take(10)
        .map(|it| (it + 1).to_string())
        .collect();
    format!("the name at place {}", places.join(", "))
}

/// The retailer that is named, or the one that has the first name.
async fn tenant_of_names(gateway: &Gateway, wanted: &CodesChange) -> Result<TenantId, AdminError> {
    let first = wanted.names.first().map_or("", String::as_str);
    let tenants = tenant_or_all(gateway, wanted.tenant.as_deref()).await?;
    for tenant in tenants {
        let found = gateway.find_all_names(tenant, &[first]).await?;
        if found.iter().any(Option::is_some) {
            return Ok(tenant);
        }
    }
    Err(unknown(&[0]))
}

async fn describe(
    gateway: &Gateway,
    conflict: &Conflict,
    found: &[Option<Found>],
) -> Result<Value, AdminError> {
    let range = conflict.range;
    let mut lies_in = found.iter().flatten();
    let carton = lies_in.find(|it| it.range.intersect(&range).is_some());
    let first = CodeNo {
        carton: range.carton,
        index: range.first,
    };
    let reels = gateway
        .reader
        .units_in(first.range(), Level::Reel, None, 1)
        .await?;
    let reel = reels.first();
    Ok(json!({
        "box": carton.map(|it| &it.carton.id),
        "reel": reel.map(|it| &it.id),
        "place_in_reel": reel.map(|it| range.first.saturating_sub(it.range.first) + 1),
        "codes": range.len(),
        "why": conflict.why,
    }))
}
