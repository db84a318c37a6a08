//! Which operation a path names.

use axum::http::{Method, StatusCode};
use wire::opengateway::{
    Operation,
    operation::{OPEN_SERVICE, PLATFORM_SERVICE},
    query::percent_decode,
};

/// An operation with what its path says.
pub(super) enum Route {
    /// `POST preOrder`.
    PreOrder,
    /// `POST order`.
    Order,
    /// `POST refund`.
    Refund,
    /// `GET query/{code}/{busiCode}`.
    Query { code: String, busi_code: String },
    /// `GET cancelTrade/{chargeCode}/{busiCode}`.
    CancelTrade { code: String, busi_code: String },
    /// `POST flowRecharge/{busiCode}`.
    FlowRecharge { busi_code: String },
}

impl Route {
    /// The route of a request line.
    pub(super) fn find(method: &Method, path: &str) -> Result<Self, StatusCode> {
        let route = match path.strip_prefix(OPEN_SERVICE) {
            Some(rest) => open_service(rest),
            None => path
                .strip_prefix(PLATFORM_SERVICE)
                .and_then(platform_service),
        };
        let route = route.ok_or(StatusCode::NOT_FOUND)?;
        let wanted = if route.operation().has_body() {
            Method::POST
        } else {
            Method::GET
        };
        if *method == wanted {
            Ok(route)
        } else {
            Err(StatusCode::METHOD_NOT_ALLOWED)
        }
    }

    /// Its operation.
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::PreOrder => Operation::PreOrder,
            Self::Order => Operation::Order,
            Self::Refund => Operation::Refund,
            Self::Query { .. } => Operation::Query,
            Self::CancelTrade { .. } => Operation::CancelTrade,
            Self::FlowRecharge { .. } => Operation::FlowRecharge,
        }
    }

    /// The merchant that the path names.
    pub(super) fn busi_code(&self) -> Option<&str> {
        match self {
            Self::PreOrder | Self::Order | Self::Refund => None,
            Self::Query { busi_code, .. }
            | Self::CancelTrade { busi_code, .. }
            | Self::FlowRecharge { busi_code } => Some(busi_code),
        }
    }
}

fn open_service(rest: &str) -> Option<Route> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let Some((operation, parameters)) = rest.split_once('/') else {
        return match rest {
            "preOrder" => Some(Route::PreOrder),
            "order" => Some(Route::Order),
            "refund" => Some(Route::Refund),
            _ => None,
        };
    };
    // A serial may hold a slash that the client did not escape; a merchant code never does.
    let (code, busi_code) = parameters.rsplit_once('/')?;
    let (code, busi_code) = (decode(code)?, decode(busi_code)?);
    match operation {
        "query" => Some(Route::Query { code, busi_code }),
        "cancelTrade" => Some(Route::CancelTrade { code, busi_code }),
        _ => None,
    }
}

fn platform_service(rest: &str) -> Option<Route> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let busi_code = decode(rest.strip_prefix("flowRecharge/")?)?;
    Some(Route::FlowRecharge { busi_code })
}

fn decode(segment: &str) -> Option<String> {
    (!segment.is_empty()).then(|| percent_decode(segment).into_owned())
}
