//! Refunds as columns.

use super::corrupt;
use crate::contract::StoreError;
use domain::{
    channel::NotSent,
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    money::Fen,
    refund::{FirstAnswer, Origin, Refund, RefundFailure, RefundState},
    time::UnixMs,
};

codes!(failure_code, failure_from, RefundFailure, {
    RefundFailure::Declined => 10 => RefundFailure::Declined,
    RefundFailure::NotSent(NotSent::Unavailable) => 20
        => RefundFailure::NotSent(NotSent::Unavailable),
    RefundFailure::NotSent(NotSent::Connect) => 21 => RefundFailure::NotSent(NotSent::Connect),
    RefundFailure::NotSent(NotSent::Secure) => 22 => RefundFailure::NotSent(NotSent::Secure),
    RefundFailure::NotSent(NotSent::Write) => 23 => RefundFailure::NotSent(NotSent::Write),
});

codes!(answer_code, answer_from, FirstAnswer, {
    FirstAnswer::Accepted => 1 => FirstAnswer::Accepted,
    FirstAnswer::Refused => 2 => FirstAnswer::Refused,
});

const REQUESTED: i16 = 0;
const CANCELLATION: i16 = 1;
const LATE_SUCCESS: i16 = 2;
const IN_PROGRESS: i16 = 0;
const DONE: i16 = 1;
const FAILED: i16 = 2;

/// A refund as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatRefund {
    pub tenant: i64,
    pub serial: i64,
    pub payment: i64,
    pub merchant: i64,
    /// 0 request, 1 cancellation, 2 late success.
    pub origin: i16,
    pub claim: Option<[u8; 16]>,
    pub merchant_serial: Option<String>,
    pub amount: i64,
    pub voucher_back: bool,
    pub created_at: i64,
    /// 0 in progress, 1 done, 2 failed.
    pub state: i16,
    pub ended_at: Option<i64>,
    pub failure: Option<i16>,
    pub first_answer: Option<i16>,
}

impl FlatRefund {
    pub(crate) fn of(refund: &Refund) -> Self {
        let (origin, claim, merchant_serial) = match &refund.origin {
            Origin::Request {
                key,
                merchant_serial,
            } => (REQUESTED, Some(key.0), merchant_serial.clone()),
            Origin::Cancellation => (CANCELLATION, None, None),
            Origin::LateSuccess => (LATE_SUCCESS, None, None),
        };
        let (state, ended_at, failure) = match refund.state {
            RefundState::InProgress => (IN_PROGRESS, None, None),
            RefundState::Done(at) => (DONE, Some(at.0), None),
            RefundState::Failed(at, why) => (FAILED, Some(at.0), Some(failure_code(why))),
        };
        Self {
            tenant: refund.tenant.0,
            serial: refund.serial.0,
            payment: refund.payment.0,
            merchant: refund.merchant.0,
            origin,
            claim,
            merchant_serial,
            amount: refund.amount.get(),
            voucher_back: refund.voucher_back,
            created_at: refund.created_at.0,
            state,
            ended_at,
            failure,
            first_answer: refund.first_answer.map(answer_code),
        }
    }

    pub(crate) fn read(self) -> Result<Refund, StoreError> {
        let origin = self.read_origin()?;
        Ok(Refund {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            payment: Serial(self.payment),
            merchant: MerchantNo(self.merchant),
            origin,
            amount: Fen::new(self.amount),
            voucher_back: self.voucher_back,
            created_at: UnixMs(self.created_at),
            state: self.read_state()?,
            first_answer: self.first_answer.map(answer_from).transpose()?,
        })
    }

    fn read_origin(&self) -> Result<Origin, StoreError> {
        match (self.origin, self.claim) {
            (REQUESTED, Some(claim)) => Ok(Origin::Request {
                key: ClaimKey(claim),
                merchant_serial: self.merchant_serial.clone(),
            }),
            (CANCELLATION, None) => Ok(Origin::Cancellation),
            (LATE_SUCCESS, None) => Ok(Origin::LateSuccess),
            (other, _) => Err(corrupt("Origin", &other)),
        }
    }

    fn read_state(&self) -> Result<RefundState, StoreError> {
        match (self.state, self.ended_at, self.failure) {
            (IN_PROGRESS, None, None) => Ok(RefundState::InProgress),
            (DONE, Some(at), None) => Ok(RefundState::Done(UnixMs(at))),
            (FAILED, Some(at), Some(why)) => {
                Ok(RefundState::Failed(UnixMs(at), failure_from(why)?))
            }
            (other, _, _) => Err(corrupt("RefundState", &other)),
        }
    }
}
