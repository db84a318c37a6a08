//! Programs: what points are worth, version by version.

use super::{AdminError, known_tenant};
use crate::app::{Gateway, loyalty::programs::history};
use domain::loyalty::program::{Gift, Program, Rules};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many versions are shown.
const SHOWN_MAX: u32 = 100;

/// A program as it is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewProgram {
    /// The retailer.
    pub tenant: String,
    /// Who sets it.
    pub by: String,
    /// The rules, all of them.
    pub rules: Rules,
}

/// Sets a retailer's program.
///
/// # Errors
/// When a rule does not do.
pub async fn set(gateway: &Arc<Gateway>, new: NewProgram) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, &new.tenant).await?;
    check(&new.rules)?;
    let changed = gateway.change_program(tenant, &new.by, |_| -> Result<Rules, AdminError> {
        Ok(new.rules.clone())
    });
    Ok(show_version(&changed.await?))
}

/// A retailer's program as it stands, and the versions before it, newest first.
///
/// # Errors
/// When there is no such retailer.
pub async fn show(gateway: &Arc<Gateway>, tenant: &str) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, tenant).await?;
    let versions = history(gateway.reader.as_ref(), tenant, SHOWN_MAX).await?;
    let newest = versions.first().map(|it| it.rules.clone());
    let versions: Vec<Value> = versions.iter().map(show_version).collect();
    Ok(json!({ "rules": newest.unwrap_or_default(), "versions": versions }))
}

pub(super) fn show_version(program: &Program) -> Value {
    json!({
        "version": program.version,
        "at": program.at,
        "by": program.by,
        "rules": program.rules,
    })
}

/// What no program may say.
pub(super) fn check(rules: &Rules) -> Result<(), AdminError> {
    let wrong = |text: &str| Err(AdminError::new(text));
    if rules.points_per_yuan < 1 || rules.points_per_yuan > 1_000_000 {
        return wrong("points_per_yuan is 1 to 1000000");
    }
    let factors = rules.grade_multipliers.iter().chain([&rules.earn_rate]);
    if factors.into_iter().any(|it| !(0..=1_000_000).contains(it)) {
        return wrong("rates and multipliers are hundredths, 0 to 1000000");
    }
    if rules.grade_from.len() > 3 || !rules.grade_from.is_sorted() {
        return wrong("grade_from has at most three amounts, rising");
    }
    let is_well = |gift: Gift| match gift {
        Gift::None => true,
        Gift::Multiplier(times) => (0..=1_000_000).contains(&times),
        Gift::Bonus { points, cash_min } => points.get() >= 0 && cash_min.get() >= 0,
    };
    let mut campaigns = rules.campaigns.iter();
    if campaigns.any(|it| !is_well(it.gift) || it.from >= it.until) {
        return wrong("a campaign ends after it begins, and gives no less than nothing");
    }
    Ok(())
}
