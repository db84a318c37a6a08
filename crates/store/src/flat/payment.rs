//! Payments as columns.

use super::{corrupt, from_json, to_json};
use crate::contract::StoreError;
use domain::{
    channel::{ChannelNo, Decline, NotSent, Receipt},
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    money::Fen,
    payment::{CloseReason, Details, End, Flow, Paid, Payment, PaymentState, VoucherFate},
    time::UnixMs,
    voucher::status::CodeStatus,
};

codes!(flow_code, flow_from, Flow, {
    Flow::PayerCode => 0 => Flow::PayerCode,
    Flow::MerchantCode => 1 => Flow::MerchantCode,
    Flow::WalletPage => 2 => Flow::WalletPage,
    Flow::App => 3 => Flow::App,
    Flow::MobileWeb => 4 => Flow::MobileWeb,
});

codes!(end_code, end_from, End, {
    End::Cancelled => 1 => End::Cancelled,
    End::Closed(CloseReason::Expired) => 2 => End::Closed(CloseReason::Expired),
    End::Closed(CloseReason::Declined(Decline::InsufficientFunds)) => 10
        => End::Closed(CloseReason::Declined(Decline::InsufficientFunds)),
    End::Closed(CloseReason::Declined(Decline::CodeExpired)) => 11
        => End::Closed(CloseReason::Declined(Decline::CodeExpired)),
    End::Closed(CloseReason::Declined(Decline::ByPayer)) => 12
        => End::Closed(CloseReason::Declined(Decline::ByPayer)),
    End::Closed(CloseReason::Declined(Decline::ByChannel)) => 13
        => End::Closed(CloseReason::Declined(Decline::ByChannel)),
    End::Closed(CloseReason::NotSent(NotSent::Unavailable)) => 20
        => End::Closed(CloseReason::NotSent(NotSent::Unavailable)),
    End::Closed(CloseReason::NotSent(NotSent::Connect)) => 21
        => End::Closed(CloseReason::NotSent(NotSent::Connect)),
    End::Closed(CloseReason::NotSent(NotSent::Secure)) => 22
        => End::Closed(CloseReason::NotSent(NotSent::Secure)),
    End::Closed(CloseReason::NotSent(NotSent::Write)) => 23
        => End::Closed(CloseReason::NotSent(NotSent::Write)),
    End::Closed(CloseReason::Voucher(CodeStatus::InStock)) => 30
        => End::Closed(CloseReason::Voucher(CodeStatus::InStock)),
    End::Closed(CloseReason::Voucher(CodeStatus::Active)) => 31
        => End::Closed(CloseReason::Voucher(CodeStatus::Active)),
    End::Closed(CloseReason::Voucher(CodeStatus::UsedUp)) => 32
        => End::Closed(CloseReason::Voucher(CodeStatus::UsedUp)),
    End::Closed(CloseReason::Voucher(CodeStatus::Void)) => 33
        => End::Closed(CloseReason::Voucher(CodeStatus::Void)),
    End::Closed(CloseReason::Voucher(CodeStatus::Expired)) => 34
        => End::Closed(CloseReason::Voucher(CodeStatus::Expired)),
    End::Closed(CloseReason::Voucher(CodeStatus::Reserved)) => 35
        => End::Closed(CloseReason::Voucher(CodeStatus::Reserved)),
    End::Closed(CloseReason::Voucher(CodeStatus::Frozen)) => 36
        => End::Closed(CloseReason::Voucher(CodeStatus::Frozen)),
});

const OPEN: i16 = 0;
const PAID: i16 = 1;
const ENDING: i16 = 2;
const ENDED: i16 = 3;
const CANCEL_REQUESTED: i16 = 1;
const REFUND_FAILED: i16 = 2;
const VOUCHER_RETURNING: i16 = 4;
const VOUCHER_RETURNED: i16 = 8;

/// A payment as columns. Has no `Debug`: the details hold the payer's code.
#[derive(Clone)]
pub(crate) struct FlatPayment {
    pub tenant: i64,
    pub serial: i64,
    pub merchant: i64,
    pub claim: [u8; 16],
    pub merchant_serial: String,
    pub flow: i16,
    pub channel: i16,
    pub amount: i64,
    pub created_at: i64,
    pub expires_at: i64,
    pub details: String,
    pub state: FlatState,
}

/// The columns of a payment that change.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlatState {
    /// 0 open, 1 paid, 2 ending, 3 ended.
    pub state: i16,
    /// How it ends, once that is decided.
    pub end_code: Option<i16>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Bit 0: an operator is asked to decide on a cancellation; bit 1: the last refund failed;
    /// bit 2: a refund under way gives the use of a voucher back; bit 3: it was given back.
    pub flags: i16,
    pub refunded: i64,
    pub refunding: i64,
    pub receipt: Option<String>,
    pub credential: Option<String>,
}

impl FlatState {
    pub(crate) fn of(payment: &Payment) -> Result<Self, StoreError> {
        let credential = payment.credential.as_ref().map(to_json).transpose()?;
        let mut flat = Self {
            credential,
            ..Self::default()
        };
        match &payment.state {
            PaymentState::Open { cancel_requested } => {
                flat.state = OPEN;
                flat.flags = if *cancel_requested {
                    CANCEL_REQUESTED
                } else {
                    0
                };
            }
            PaymentState::Paid(_) => flat.state = PAID,
            PaymentState::Ending(end) => {
                flat.state = ENDING;
                flat.end_code = Some(end_code(*end));
            }
            PaymentState::Ended { end, at, .. } => {
                flat.state = ENDED;
                flat.end_code = Some(end_code(*end));
                flat.ended_at = Some(at.0);
            }
        }
        if let Some(paid) = payment.paid() {
            flat.receipt = Some(to_json(&paid.receipt)?);
            flat.refunded = paid.refunded.get();
            flat.refunding = paid.refunding.get();
            flat.flags |= if paid.cancel_requested {
                CANCEL_REQUESTED
            } else {
                0
            };
            flat.flags |= if paid.refund_failed { REFUND_FAILED } else { 0 };
            flat.flags |= match paid.voucher {
                VoucherFate::Used => 0,
                VoucherFate::Returning => VOUCHER_RETURNING,
                VoucherFate::Returned => VOUCHER_RETURNED,
            };
        }
        Ok(flat)
    }

    fn read(&self) -> Result<PaymentState, StoreError> {
        let end = || end_from(self.end_code.ok_or_else(|| corrupt("End", &"NULL"))?);
        match self.state {
            OPEN => Ok(PaymentState::Open {
                cancel_requested: self.has(CANCEL_REQUESTED),
            }),
            PAID => {
                let paid = self.paid()?.ok_or_else(|| corrupt("Receipt", &"NULL"))?;
                Ok(PaymentState::Paid(paid))
            }
            ENDING => Ok(PaymentState::Ending(end()?)),
            ENDED => {
                let at = self.ended_at.ok_or_else(|| corrupt("ended_at", &"NULL"))?;
                Ok(PaymentState::Ended {
                    end: end()?,
                    at: UnixMs(at),
                    paid: self.paid()?,
                })
            }
            other => Err(corrupt("PaymentState", &other)),
        }
    }

    fn paid(&self) -> Result<Option<Paid>, StoreError> {
        let receipt: Option<Receipt> = self.receipt.as_deref().map(from_json).transpose()?;
        let voucher = self.voucher()?;
        Ok(receipt.map(|receipt| Paid {
            receipt,
            refunded: Fen::new(self.refunded),
            refunding: Fen::new(self.refunding),
            refund_failed: self.has(REFUND_FAILED),
            cancel_requested: self.has(CANCEL_REQUESTED),
            voucher,
        }))
    }

    fn voucher(&self) -> Result<VoucherFate, StoreError> {
        match (self.has(VOUCHER_RETURNING), self.has(VOUCHER_RETURNED)) {
            (false, false) => Ok(VoucherFate::Used),
            (true, false) => Ok(VoucherFate::Returning),
            (false, true) => Ok(VoucherFate::Returned),
            (true, true) => Err(corrupt("VoucherFate", &self.flags)),
        }
    }

    const fn has(&self, flag: i16) -> bool {
        self.flags & flag != 0
    }
}

impl FlatPayment {
    pub(crate) fn of(payment: &Payment) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: payment.tenant.0,
            serial: payment.serial.0,
            merchant: payment.merchant.0,
            claim: payment.key.0,
            merchant_serial: payment.merchant_serial.clone(),
            flow: flow_code(payment.flow),
            channel: i16::from(payment.channel.0),
            amount: payment.amount.get(),
            created_at: payment.created_at.0,
            expires_at: payment.expires_at.0,
            details: to_json(&payment.details)?,
            state: FlatState::of(payment)?,
        })
    }

    pub(crate) fn read(self) -> Result<Payment, StoreError> {
        let channel = u8::try_from(self.channel).map_err(|_| corrupt("channel", &self.channel))?;
        let details: Details = from_json(&self.details)?;
        Ok(Payment {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            merchant: MerchantNo(self.merchant),
            key: ClaimKey(self.claim),
            merchant_serial: self.merchant_serial,
            flow: flow_from(self.flow)?,
            channel: ChannelNo(channel),
            amount: Fen::new(self.amount),
            created_at: UnixMs(self.created_at),
            expires_at: UnixMs(self.expires_at),
            details,
            credential: self
                .state
                .credential
                .as_deref()
                .map(from_json)
                .transpose()?,
            state: self.state.read()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        payment::VoucherPart,
        voucher::{code::CodeNo, ticket::VoucherTicketNo},
    };

    #[test]
    fn a_vouchers_text_has_its_fields_in_turn_or_as_former_versions_named_them() {
        let part = VoucherPart {
            code: CodeNo {
                carton: Serial(7),
                index: 5,
            },
            ticket: VoucherTicketNo(500_812),
            uses: 3,
            face: Fen::new(2_000),
            pays: Fen::new(1_999),
        };
        let short = "[[7,5],500812,3,2000,1999]";
        assert_eq!(to_json(&part).unwrap(), short);
        let long = r#"{"c":{"b":7,"i":5},"t":500812,"n":3,"f":2000,"p":1999}"#;
        for text in [short, long] {
            assert_eq!(from_json::<VoucherPart>(text).unwrap(), part);
        }
    }
}
