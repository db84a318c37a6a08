//! Which partner asks.

use crate::app::{Gateway, voucher::partners::KnownPartner};
use axum::http::{HeaderMap, header};
use std::{net::IpAddr, sync::Arc};

const SCHEME: &str = "Bearer ";

/// The partner that a token names, or, where none is sent, the one whose network the caller speaks
/// from. A wrong token is nobody's, wherever it comes from.
pub(super) fn caller(
    gateway: &Gateway,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Option<Arc<KnownPartner>> {
    let partners = &gateway.vouchers.partners;
    let found = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let token = value.to_str().ok().and_then(token)?;
            partners.by_token(token, gateway.now())
        }
        None => partners.by_address(peer),
    };
    found.filter(|it| !it.partner.blocked)
}

fn token(value: &str) -> Option<&str> {
    let scheme = value.get(..SCHEME.len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(SCHEME);
    is_bearer
        .then(|| value.get(SCHEME.len()..))
        .flatten()
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_the_scheme() {
        assert_eq!(token("Bearer abc"), Some("abc"));
        assert_eq!(token("bearer  abc "), Some("abc"));
        for wrong in ["", "Bearer", "Basic abc", "abc", "Bearér x"] {
            assert_eq!(token(wrong), None, "{wrong}");
        }
    }
}
