//! Changes of a few rules of a program, and its campaigns: each makes a new version of the newest
//! one, whoever else changes it at the same time.

use super::{AdminError, known_tenant, programs};
use crate::app::Gateway;
use domain::{
    loyalty::program::{Campaign, Rules},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Some rules of a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProgramPatch {
    /// The retailer.
    pub tenant: String,
    /// Who changes it.
    pub by: String,
    /// The rules that change, by name; objects are merged, everything else replaces what is there.
    pub rules: Map<String, Value>,
}

/// A campaign to be added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewCampaign {
    /// The retailer.
    pub tenant: String,
    /// Who adds it.
    pub by: String,
    /// The campaign.
    pub campaign: Campaign,
}

/// A campaign to be ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CampaignEnd {
    /// The retailer.
    pub tenant: String,
    /// Who ends it.
    pub by: String,
    /// Its name.
    pub name: String,
    /// When; now when absent.
    pub at: Option<UnixMs>,
}

/// Changes some rules.
///
/// # Errors
/// When there is no such rule, or it does not do.
pub async fn patch(gateway: &Arc<Gateway>, patch: ProgramPatch) -> Result<Value, AdminError> {
    change(gateway, &patch.tenant, &patch.by, |rules| {
        patched(rules, &patch.rules)
    })
    .await
}

/// Adds a campaign.
///
/// # Errors
/// When one of that name has not ended, or it does not do.
pub async fn add_campaign(gateway: &Arc<Gateway>, new: NewCampaign) -> Result<Value, AdminError> {
    let now = gateway.now();
    change(gateway, &new.tenant, &new.by, |rules| {
        let campaign = &new.campaign;
        let is_taken = |it: &Campaign| it.name == campaign.name && now < it.until;
        if rules.campaigns.iter().any(is_taken) {
            let text = format!(
                "campaign {} runs already; end it with `onetill program campaign end`",
                campaign.name
            );
            return Err(AdminError::new(text));
        }
        let mut next = rules.clone();
        // Ended ones stay in the versions before.
        next.campaigns.retain(|it| now < it.until);
        next.campaigns.push(campaign.clone());
        Ok(next)
    })
    .await
}

/// Ends a campaign; one that has not begun yet is taken out.
///
/// # Errors
/// When no such campaign runs or is to come.
pub async fn end_campaign(gateway: &Arc<Gateway>, end: CampaignEnd) -> Result<Value, AdminError> {
    let now = gateway.now();
    let at = end.at.unwrap_or(now);
    change(gateway, &end.tenant, &end.by, |rules| {
        let mut next = rules.clone();
        let mut all = next.campaigns.iter_mut();
        let found = all.find(|it| it.name == end.name && now < it.until);
        let found = found.ok_or_else(|| {
            let text = format!(
                "no campaign {} runs or is to come; see `onetill program show`",
                end.name
            );
            AdminError::new(text)
        })?;
        found.until = at;
        next.campaigns.retain(|it| it.from < it.until);
        Ok(next)
    })
    .await
}

async fn change(
    gateway: &Arc<Gateway>,
    tenant: &str,
    by: &str,
    change: impl Fn(&Rules) -> Result<Rules, AdminError>,
) -> Result<Value, AdminError> {
    let tenant = known_tenant(gateway, tenant).await?;
    let changed = gateway.change_program(tenant, by, |rules| -> Result<Rules, AdminError> {
        let next = change(rules)?;
        programs::check(&next)?;
        Ok(next)
    });
    Ok(programs::show_version(&changed.await?))
}

/// The rules with some of them changed.
fn patched(rules: &Rules, changes: &Map<String, Value>) -> Result<Rules, AdminError> {
    let wrong = |error: serde_json::Error| AdminError::new(format!("the rules: {error}"));
    let mut value = serde_json::to_value(rules).map_err(wrong)?;
    if let Value::Object(all) = &mut value {
        merge(all, changes);
    }
    serde_json::from_value(value).map_err(wrong)
}

fn merge(all: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, change) in changes {
        match (all.get_mut(name), change) {
            (Some(Value::Object(inner)), Value::Object(changes)) => merge(inner, changes),
            (Some(_) | None, change) => {
                all.insert(name.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::loyalty::{points::Points, program::Clawback};
    use serde_json::json;

    #[test]
    fn only_named_rules_change_and_unknown_ones_are_refused() {
        let patch = |value: Value| patched(&Rules::default(), value.as_object().unwrap());
        let next = patch(json!({
            "earn_rate": 150, "expiry_months": null, "clawback": "negative",
            "card_limits": { "points_per_day": 5000 },
        }));
        let expected = Rules {
            earn_rate: 150,
            expiry_months: None,
            clawback: Clawback::Negative,
            card_limits: domain::loyalty::program::Limits {
                points_per_day: Some(Points::new(5000)),
                ..Default::default()
            },
            ..Rules::default()
        };
        assert_eq!(next.unwrap(), expected);
        let error = patch(json!({ "earn_rat": 150 })).unwrap_err().to_string();
        assert!(error.contains("earn_rat"), "{error}");
    }
}
