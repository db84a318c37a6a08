//! The six operations: their paths and the roots of their replies.

use super::query::Format;

/// The path under which payment operations live.
pub const OPEN_SERVICE: &str = "/openGateway/openService/";
/// The path under which data top-up lives.
pub const PLATFORM_SERVICE: &str = "/openGateway/platService/";

/// An operation of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Payment by a code the customer presents (section 2).
    PreOrder,
    /// Payment by a code or link the gateway returns (sections 3 and 4).
    Order,
    /// Refund (section 6).
    Refund,
    /// Query (section 7).
    Query,
    /// Cancellation (section 8).
    CancelTrade,
    /// Mobile data top-up (section 9).
    FlowRecharge,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 6] = [
        Self::PreOrder,
        Self::Order,
        Self::Refund,
        Self::Query,
        Self::CancelTrade,
        Self::FlowRecharge,
    ];

    /// The operation's own segment of the path.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::PreOrder => "preOrder",
            Self::Order => "order",
            Self::Refund => "refund",
            Self::Query => "query",
            Self::CancelTrade => "cancelTrade",
            Self::FlowRecharge => "flowRecharge",
        }
    }

    /// The path before [`Self::segment`], with both slashes.
    pub const fn base(self) -> &'static str {
        match self {
            Self::PreOrder | Self::Order | Self::Refund | Self::Query | Self::CancelTrade => {
                OPEN_SERVICE
            }
            Self::FlowRecharge => PLATFORM_SERVICE,
        }
    }

    /// The root of the reply. In JSON, flowRecharge has none: see [`Self::has_json_root`].
    pub const fn root(self) -> &'static str {
        match self {
            Self::PreOrder | Self::Order => "ORDER_RESP",
            Self::Refund => "REFUND_RESP",
            Self::Query => "QUERY_RESP",
            Self::CancelTrade => "CANCELTRADE_RESP",
            Self::FlowRecharge => "FLOW_RESP",
        }
    }

    /// Whether the JSON reply has its root around it (sample 9.5 has none).
    pub const fn has_json_root(self) -> bool {
        !matches!(self, Self::FlowRecharge)
    }

    /// The format of the reply when the URL has no `_type`.
    pub const fn default_format(self) -> Format {
        match self {
            Self::PreOrder | Self::Order | Self::Refund | Self::Query | Self::CancelTrade => {
                Format::Xml
            }
            Self::FlowRecharge => Format::Json,
        }
    }

    /// Whether the operation is asked by POST with a body; the others are GET.
    pub const fn has_body(self) -> bool {
        !matches!(self, Self::Query | Self::CancelTrade)
    }
}
