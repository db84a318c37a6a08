//! Programs: what points are worth, version by version.

use super::{AdminError, known_tenant};
use crate::app::{Gateway, loyalty::programs::history};
use domain::{
    loyalty::{
        points::Points,
        program::{Campaign, Gift, Limits, Program, Rules},
    },
    money::Fen,
};
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

/// Rates and multipliers are at most this, in hundredths, and points at most this many a yuan.
const RATE_MAX: i64 = 1_000_000;
/// Points live, or wait, at most this long: in months and in days.
const MONTHS_MAX: u32 = 1_200;
const DAYS_MAX: u32 = 3_650;
/// How many campaigns there are at most, and how long what they say is.
const CAMPAIGNS_MAX: usize = 1_000;
const TEXT_CHARS_MAX: usize = 200;

/// What no program may say: each rule by itself, and then all of them together.
pub(super) fn check(rules: &Rules) -> Result<(), AdminError> {
    check_rates(rules)?;
    check_life(rules)?;
    check_limits(&rules.card_limits)?;
    check_limits(&rules.terminal_limits)?;
    check_grades(rules)?;
    check_campaigns(&rules.campaigns)
}

fn wrong(text: &str) -> Result<(), AdminError> {
    Err(AdminError::new(text))
}

fn check_rates(rules: &Rules) -> Result<(), AdminError> {
    if !(1..=RATE_MAX).contains(&rules.points_per_yuan) {
        return wrong("points_per_yuan is 1 to 1000000");
    }
    let mut factors = rules.grade_multipliers.iter().chain([&rules.earn_rate]);
    if factors.any(|it| !(0..=RATE_MAX).contains(it)) {
        return wrong("rates and multipliers are hundredths, 0 to 1000000");
    }
    Ok(())
}

/// Points that expire before they may be spent would be worth nothing.
fn check_life(rules: &Rules) -> Result<(), AdminError> {
    if rules.pending_days > DAYS_MAX {
        return wrong("pending_days is 0 to 3650");
    }
    let Some(months) = rules.expiry_months else {
        return Ok(());
    };
    if months > MONTHS_MAX {
        return wrong("expiry_months is 0 to 1200");
    }
    // Earned on the last day of a month they live so many months more, the shortest of 28 days.
    if u64::from(rules.pending_days) > u64::from(months) * 28 {
        return wrong("points must not wait longer (pending_days) than they live (expiry_months)");
    }
    Ok(())
}

fn check_limits(limits: &Limits) -> Result<(), AdminError> {
    let points = [limits.points_per_day, limits.points_per_trans];
    let fits = |it: Points| it >= Points::ZERO && it <= Points::MAX;
    if points.into_iter().flatten().all(fits) {
        Ok(())
    } else {
        wrong("limits of points are hundredths, 0 to 10000000000000")
    }
}

fn check_grades(rules: &Rules) -> Result<(), AdminError> {
    let amounts = &rules.grade_from;
    let rise = amounts.is_sorted() && amounts.iter().all(|it| *it >= Fen::ZERO);
    if amounts.len() > 3 || !rise {
        return wrong("grade_from has at most three amounts, rising from 0 on");
    }
    Ok(())
}

fn check_campaigns(campaigns: &[Campaign]) -> Result<(), AdminError> {
    if campaigns.len() > CAMPAIGNS_MAX {
        return wrong("a program has at most 1000 campaigns");
    }
    if !campaigns
        .iter()
        .all(|it| gives(it.gift) && it.from < it.until)
    {
        return wrong("a campaign ends after it begins, and gives no less than nothing");
    }
    let is_shown =
        |it: &str| it.chars().count() <= TEXT_CHARS_MAX && !it.chars().any(char::is_control);
    let says = |it: &Campaign| is_shown(&it.name) && is_shown(&it.advertisement);
    if !campaigns.iter().all(says) {
        return wrong("names and advertisements are one line of at most 200 characters");
    }
    Ok(())
}

fn gives(gift: Gift) -> bool {
    match gift {
        Gift::None => true,
        Gift::Multiplier(times) => (0..=RATE_MAX).contains(&times),
        Gift::Bonus { points, cash_min } => {
            points >= Points::ZERO && points <= Points::MAX && cash_min >= Fen::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::UnixMs;

    fn campaign(change: impl Fn(&mut Campaign)) -> Rules {
        let mut campaign = Campaign {
            name: "tea".to_owned(),
            from: UnixMs(0),
            until: UnixMs(1),
            stores: Vec::new(),
            gift: Gift::None,
            advertisement: String::new(),
        };
        change(&mut campaign);
        Rules {
            campaigns: vec![campaign],
            ..Rules::default()
        }
    }

    fn limits(points: i64) -> Limits {
        Limits {
            points_per_day: Some(Points::new(points)),
            ..Limits::default()
        }
    }

    /// What is wrong is named; nothing is wrong with the others.
    fn prove(table: impl IntoIterator<Item = (Rules, Option<&'static str>)>) {
        for (rules, wrong) in table {
            let found = check(&rules).err().map(|it| it.0);
            match wrong {
                None => assert_eq!(found, None, "{rules:?}"),
                Some(text) => {
                    let found = found.unwrap_or_default();
                    assert!(found.contains(text), "{found}: {rules:?}");
                }
            }
        }
    }

    #[test]
    fn a_program_is_checked_as_a_whole() {
        let rules = |change: fn(&mut Rules)| {
            let mut rules = Rules::default();
            change(&mut rules);
            rules
        };
        prove([
            (Rules::default(), None),
            (rules(|it| it.points_per_yuan = 0), Some("points_per_yuan")),
            (
                rules(|it| it.points_per_yuan = i64::MAX),
                Some("points_per_yuan"),
            ),
            (rules(|it| it.earn_rate = -1), Some("rates")),
            (
                rules(|it| it.grade_multipliers[3] = i64::MAX),
                Some("rates"),
            ),
            (rules(|it| it.pending_days = u32::MAX), Some("pending_days")),
            (
                rules(|it| it.expiry_months = Some(u32::MAX)),
                Some("expiry_months"),
            ),
            (rules(|it| it.pending_days = 700), Some("longer")),
            (
                rules(|it| (it.pending_days, it.expiry_months) = (1, Some(0))),
                Some("longer"),
            ),
            (
                rules(|it| (it.pending_days, it.expiry_months) = (0, Some(0))),
                None,
            ),
            (
                rules(|it| (it.pending_days, it.expiry_months) = (700, None)),
                None,
            ),
            (rules(|it| it.card_limits = limits(-1)), Some("limits")),
            (
                rules(|it| it.terminal_limits = limits(i64::MAX)),
                Some("limits"),
            ),
            (rules(|it| it.terminal_limits = limits(0)), None),
            (
                rules(|it| it.grade_from = vec![Fen::new(2), Fen::new(1)]),
                Some("grade_from"),
            ),
            (
                rules(|it| it.grade_from = vec![Fen::new(-1)]),
                Some("grade_from"),
            ),
        ]);
    }

    #[test]
    fn campaigns_are_checked_too() {
        prove([
            (campaign(|_| {}), None),
            (campaign(|it| it.until = it.from), Some("ends after")),
            (
                campaign(|it| it.gift = Gift::Multiplier(-1)),
                Some("ends after"),
            ),
            (
                campaign(|it| {
                    it.gift = Gift::Bonus {
                        points: Points::new(i64::MAX),
                        cash_min: Fen::ZERO,
                    };
                }),
                Some("ends after"),
            ),
            (
                campaign(|it| it.advertisement = "x".repeat(201)),
                Some("one line"),
            ),
            (campaign(|it| it.name = "a\nb".to_owned()), Some("one line")),
        ]);
    }
}
