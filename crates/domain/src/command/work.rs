//! What the workers claim and report.

use super::Command;
use crate::{
    ids::{Serial, TenantId},
    job::{Job, LEASE_MS},
    notification::{DELIVERY_LEASE_MS, Delivery, Notification},
    rows::{Inconsistent, Plan, Rows},
    time::UnixMs,
};

/// A worker takes jobs. A taken job is due again when its lease ends, so a worker that dies
/// loses nothing and two workers never hold the same job.
#[derive(Debug)]
pub struct ClaimJobs {
    /// The jobs a look at the store found due.
    pub subjects: Vec<(TenantId, Serial)>,
}

impl Command for ClaimJobs {
    type Reply = Vec<Job>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.jobs.extend(&self.subjects);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Vec<Job>, Inconsistent> {
        let due = self
            .subjects
            .iter()
            .filter_map(|(_, subject)| rows.job(*subject).copied());
        let due: Vec<Job> = due.filter(|job| job.due_at <= now).collect();
        for job in &due {
            let attempts = job.attempts.saturating_add(1);
            rows.put_job(Job {
                due_at: now.plus_ms(LEASE_MS),
                attempts,
                ..*job
            });
        }
        Ok(due)
    }
}

/// A worker takes notifications to deliver.
#[derive(Debug)]
pub struct ClaimNotifications {
    /// The notifications a look at the store found due.
    pub subjects: Vec<(TenantId, Serial)>,
}

impl Command for ClaimNotifications {
    type Reply = Vec<Notification>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.notifications.extend(&self.subjects);
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Vec<Notification>, Inconsistent> {
        let is_due = |notification: &Notification| match notification.delivery {
            Delivery::Due(at) => at <= now,
            Delivery::Delivered(_) | Delivery::Dead(_) => false,
        };
        let found = self
            .subjects
            .iter()
            .filter_map(|(_, id)| rows.notification(*id).copied());
        let due: Vec<Notification> = found.filter(is_due).collect();
        for notification in &due {
            let delivery = Delivery::Due(now.plus_ms(DELIVERY_LEASE_MS));
            rows.put_notification(Notification {
                delivery,
                ..*notification
            });
        }
        Ok(due)
    }
}

/// A worker reports how an attempt to deliver ended.
#[derive(Debug)]
pub struct RecordDelivery {
    /// Whose.
    pub tenant: TenantId,
    /// The payment or top-up it tells of.
    pub subject: Serial,
    /// The receiver answered with the status that means "received".
    pub acknowledged: bool,
}

impl Command for RecordDelivery {
    type Reply = Notification;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.notifications.push((self.tenant, self.subject));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Notification, Inconsistent> {
        let before = *rows
            .notification(self.subject)
            .ok_or(Inconsistent(self.subject))?;
        let after = match before.delivery {
            Delivery::Due(_) => before.after_attempt(self.acknowledged, now),
            Delivery::Delivered(_) | Delivery::Dead(_) => before,
        };
        rows.put_notification(after);
        Ok(after)
    }
}

/// An operator sends a notification again, from the first attempt on.
#[derive(Debug)]
pub struct Renotify {
    /// Whose.
    pub tenant: TenantId,
    /// The payment or top-up it tells of.
    pub subject: Serial,
}

impl Command for Renotify {
    /// The notification as it is now, or `None` when there never was one.
    type Reply = Option<Notification>;

    fn plan<'a>(&'a self, plan: &mut Plan<'a>) {
        plan.notifications.push((self.tenant, self.subject));
    }

    fn decide(&self, rows: &mut Rows, now: UnixMs) -> Result<Self::Reply, Inconsistent> {
        let Some(before) = rows.notification(self.subject).copied() else {
            return Ok(None);
        };
        let after = Notification {
            attempts: 0,
            delivery: Delivery::Due(now),
            ..before
        };
        rows.put_notification(after);
        Ok(Some(after))
    }
}
