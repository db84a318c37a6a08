//! A top-up a merchant asked for, and what it was told.

use super::sale::Told;
use crate::support::process::{HttpReply, Merchant};
use wire::opengateway::{FlowRecharge, Operation, call::Call, request::FlowType};

/// A top-up. It has no number of the merchant's: its phone, used once, tells it apart.
#[derive(Clone, Debug)]
pub struct TopUp {
    /// The phone.
    pub phone: String,
    /// Whether the merchant wants to hear how it ends.
    pub is_notified: bool,
    /// The request, signed once: sent again, it is the same top-up.
    pub call: Call,
    /// The gateway's serial, when the merchant was told it.
    pub gateway_serial: Option<String>,
    /// What the merchant was told.
    pub told: Told,
    /// It was asked for again, because nothing was told first.
    pub again: bool,
    /// The round of the test in which it was last asked for.
    pub round: u32,
}

impl TopUp {
    /// A top-up nobody was asked for yet.
    pub fn new(merchant: &Merchant, phone: String, notify_url: Option<String>, round: u32) -> Self {
        let is_notified = notify_url.is_some();
        let message = FlowRecharge {
            phone_no: phone.clone(),
            flow_mb: 100,
            flow_type: FlowType::Nationwide,
            notify_url,
        };
        Self {
            phone,
            is_notified,
            call: merchant.post(Operation::FlowRecharge, &message.to_json()),
            gateway_serial: None,
            told: Told::Nothing,
            again: false,
            round,
        }
    }

    /// Takes over what the reply says.
    pub fn begun(&mut self, reply: &HttpReply) {
        self.told = Told::of(reply);
        let serial = reply.field("flow.orderID");
        if !serial.is_empty() {
            self.gateway_serial = Some(serial);
        }
    }

    /// Whether SUCCESS can mean "accepted" only: asked for again while it was under way, it is
    /// still to be refused by a provider that cannot do it.
    pub fn may_be_refused_later(&self) -> bool {
        self.again && !self.can_be_done()
    }

    /// Whether the provider can do it.
    pub fn can_be_done(&self) -> bool {
        !self.phone.ends_with("0000")
    }
}
