//! Jobs and notifications as columns.

use super::corrupt;
use crate::contract::StoreError;
use domain::{
    ids::{MerchantNo, Serial, TenantId},
    job::{Job, JobKind},
    notification::{Delivery, Notification, Topic},
    time::UnixMs,
};

codes!(job_code, job_from, JobKind, {
    JobKind::SettlePayment => 1 => JobKind::SettlePayment,
    JobKind::ReversePayment => 2 => JobKind::ReversePayment,
    JobKind::ConfirmReversal => 3 => JobKind::ConfirmReversal,
    JobKind::FinishRefund => 4 => JobKind::FinishRefund,
    JobKind::FinishRecharge => 5 => JobKind::FinishRecharge,
});

codes!(topic_code, topic_from, Topic, {
    Topic::PaymentPaid => 1 => Topic::PaymentPaid,
    Topic::RechargeEnded => 2 => Topic::RechargeEnded,
});

/// A job as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatJob {
    pub tenant: i64,
    pub subject: i64,
    pub kind: i16,
    pub due_at: i64,
    pub attempts: i32,
}

impl FlatJob {
    pub(crate) fn of(job: &Job) -> Self {
        Self {
            tenant: job.tenant.0,
            subject: job.subject.0,
            kind: job_code(job.kind),
            due_at: job.due_at.0,
            attempts: i32::try_from(job.attempts).unwrap_or(i32::MAX),
        }
    }

    pub(crate) fn read(self) -> Result<Job, StoreError> {
        Ok(Job {
            tenant: TenantId(self.tenant),
            subject: Serial(self.subject),
            kind: job_from(self.kind)?,
            due_at: UnixMs(self.due_at),
            attempts: attempts(self.attempts)?,
        })
    }
}

fn attempts(stored: i32) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| corrupt("attempts", &stored))
}

const DUE: i16 = 0;
const RECEIVED: i16 = 1;
const DEAD: i16 = 2;

/// A notification as columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlatNotification {
    pub tenant: i64,
    pub subject: i64,
    pub merchant: i64,
    pub topic: i16,
    pub attempts: i32,
    /// 0 due, 1 delivered, 2 dead.
    pub state: i16,
    /// When it is due, was delivered or died.
    pub at: i64,
}

impl FlatNotification {
    pub(crate) fn of(notification: &Notification) -> Self {
        let (state, at) = match notification.delivery {
            Delivery::Due(at) => (DUE, at),
            Delivery::Delivered(at) => (RECEIVED, at),
            Delivery::Dead(at) => (DEAD, at),
        };
        Self {
            tenant: notification.tenant.0,
            subject: notification.subject.0,
            merchant: notification.merchant.0,
            topic: topic_code(notification.topic),
            attempts: i32::try_from(notification.attempts).unwrap_or(i32::MAX),
            state,
            at: at.0,
        }
    }

    pub(crate) fn read(self) -> Result<Notification, StoreError> {
        let delivery = match self.state {
            DUE => Delivery::Due(UnixMs(self.at)),
            RECEIVED => Delivery::Delivered(UnixMs(self.at)),
            DEAD => Delivery::Dead(UnixMs(self.at)),
            other => return Err(corrupt("Delivery", &other)),
        };
        Ok(Notification {
            tenant: TenantId(self.tenant),
            subject: Serial(self.subject),
            merchant: MerchantNo(self.merchant),
            topic: topic_from(self.topic)?,
            attempts: attempts(self.attempts)?,
            delivery,
        })
    }
}
