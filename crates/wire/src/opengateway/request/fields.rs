//! Reading checked values out of a document's fields.

use super::rules::{self, Rule, TIME_EXPIRE_S_MIN};
use super::{Demand, RequestError, check};
use crate::opengateway::channel::ChannelType;
use crate::opengateway::document::Fields;
use crate::opengateway::text::{is_digits, without_white_space};

/// A value, or `None` when absent or blank.
pub(super) fn optional(fields: &Fields<'_>, rule: &Rule) -> Result<Option<String>, RequestError> {
    let Some(text) = fields.text(rule.name)? else {
        return Ok(None);
    };
    check(rule, text)?;
    Ok(Some(text.to_owned()))
}

/// A value that must be there.
pub(super) fn required(fields: &Fields<'_>, rule: &Rule) -> Result<String, RequestError> {
    let field = rule.name;
    optional(fields, rule)?.ok_or(RequestError::Missing { field })
}

/// A whole number without sign; `None` when absent. Other shapes miss the demand.
pub(super) fn optional_number(
    fields: &Fields<'_>,
    rule: &Rule,
    demand: Demand,
) -> Result<Option<u32>, RequestError> {
    let Some(text) = optional(fields, rule)? else {
        return Ok(None);
    };
    let number = is_digits(&text).then(|| text.parse().ok()).flatten();
    number.map(Some).ok_or(invalid(rule, demand))
}

/// A whole number without sign that must be there.
pub(super) fn number(
    fields: &Fields<'_>,
    rule: &Rule,
    demand: Demand,
) -> Result<u32, RequestError> {
    let field = rule.name;
    optional_number(fields, rule, demand)?.ok_or(RequestError::Missing { field })
}

pub(super) fn channel(fields: &Fields<'_>) -> Result<ChannelType, RequestError> {
    let code = number(fields, &rules::CHANNEL_TYPE, Demand::Channel)?;
    let channel = u16::try_from(code).ok().and_then(ChannelType::from_code);
    channel.ok_or(invalid(&rules::CHANNEL_TYPE, Demand::Channel))
}

pub(super) fn time_expire_s(fields: &Fields<'_>) -> Result<Option<u32>, RequestError> {
    let seconds = optional_number(fields, &rules::TIME_EXPIRE, Demand::Seconds)?;
    match seconds {
        Some(seconds) if seconds < TIME_EXPIRE_S_MIN => {
            Err(invalid(&rules::TIME_EXPIRE, Demand::Seconds))
        }
        Some(_) | None => Ok(seconds),
    }
}

/// An address, its white space removed (the source's own sample has some). Clients write the
/// word `null` for none.
pub(super) fn url(fields: &Fields<'_>, rule: &Rule) -> Result<Option<String>, RequestError> {
    let Some(text) = fields.text(rule.name)? else {
        return Ok(None);
    };
    let url = without_white_space(text);
    if url == "null" {
        return Ok(None);
    }
    check(rule, &url)?;
    if is_http(&url) {
        Ok(Some(url))
    } else {
        Err(invalid(rule, Demand::Url))
    }
}

fn is_http(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_known && !rest.starts_with(['/', '?', '#']) && !rest.is_empty()
}

pub(super) const fn invalid(rule: &Rule, demand: Demand) -> RequestError {
    RequestError::Invalid {
        field: rule.name,
        demand,
    }
}
