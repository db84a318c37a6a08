//! The reply to flowRecharge, which is also what its `notifyURL` gets (table 10.4, sample 9.5).

use super::{Outcome, encode};
use crate::opengateway::code::RechargeStatus;
use crate::opengateway::node::{Members, Node};
use crate::opengateway::operation::Operation;
use crate::opengateway::query::Format;
use crate::opengateway::request::FlowType;

/// `flow`: a top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// `id`.
    pub id: String,
    /// `phoneNo`.
    pub phone_no: String,
    /// `flowVal`, in MB.
    pub flow_mb: u32,
    /// `flowType`.
    pub flow_type: FlowType,
    /// `orderID`, the gateway's serial.
    pub order_id: String,
    /// `platOrderID`, the provider's serial.
    pub plat_order_id: Option<String>,
    /// `creatTime` (the source's spelling), `yyyy-MM-dd HH:mm:ss`.
    pub create_time: String,
    /// `status`; a string on the wire.
    pub status: RechargeStatus,
    /// `busiCode`, the merchant.
    pub busi_code: String,
}

impl Flow {
    fn node(&self) -> Node<'_> {
        let status = match self.status {
            RechargeStatus::Created => "0",
            RechargeStatus::AtProvider => "1",
            RechargeStatus::Done => "2",
            RechargeStatus::Failed => "3",
        };
        let mut m = Members::with_capacity(9);
        m.text("id", &self.id)
            .text("phoneNo", &self.phone_no)
            .int("flowVal", self.flow_mb)
            .text("flowType", self.flow_type.as_str())
            .text("orderID", &self.order_id)
            .maybe_text("platOrderID", self.plat_order_id.as_deref())
            .text("creatTime", &self.create_time)
            .text("status", status)
            .text("busiCode", &self.busi_code);
        m.into_node()
    }
}

/// The reply to flowRecharge: without a root in JSON, under FLOW_RESP in XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RechargeReply {
    /// `result`.
    pub outcome: Outcome,
    /// `flow`; absent on errors.
    pub flow: Option<Flow>,
}

impl RechargeReply {
    /// Writes the reply, or the notification.
    pub fn encode(&self, format: Format) -> Vec<u8> {
        let mut m = Members::with_capacity(2);
        m.node("result", self.outcome.node())
            .maybe("flow", self.flow.as_ref().map(Flow::node));
        encode(Operation::FlowRecharge, format, m.into_node())
    }
}
