//! Data top-ups.

use super::{AppError, Gateway, directory::Account};
use channels::{RechargeProvider, RechargeRequest};
use domain::{
    channel::RechargeOutcome,
    command::{BeginRecharge, RechargeBegan, RecordRecharge},
    ids::{ClaimKey, ClaimSpace},
    recharge::{Reach, Recharge, RechargeState},
};

/// What a merchant wants topped up.
pub struct NewRecharge {
    /// The request's signature, which is its only number.
    pub signature: String,
    /// The phone that receives: 11 digits.
    pub phone: String,
    /// How much, in megabytes.
    pub data_mb: i64,
    /// Where the data is good.
    pub reach: Reach,
    /// Where to tell how it ended.
    pub notify_url: Option<String>,
}

impl Gateway {
    /// Orders a top-up; the same request again gets the first one's present state.
    ///
    /// # Errors
    /// When there is no provider, the merchant is suspended, or the store failed.
    pub async fn recharge(
        &self,
        account: &Account,
        new: NewRecharge,
    ) -> Result<Box<Recharge>, AppError> {
        if account.merchant.suspended {
            return Err(AppError::NoContract);
        }
        let provider = self.recharge.clone().ok_or(AppError::Unavailable)?;
        let recharge = self.new_recharge(account, new)?;
        let begin = BeginRecharge {
            recharge: Box::new(recharge.clone()),
        };
        match self.run(begin).await? {
            RechargeBegan::Exists(earlier) => Ok(earlier),
            RechargeBegan::New => {
                let sent = self.send_recharge(&*provider, &recharge).await;
                sent.map_err(AppError::after_recording)
            }
        }
    }

    fn new_recharge(&self, account: &Account, new: NewRecharge) -> Result<Recharge, AppError> {
        let (tenant, merchant) = (account.merchant.tenant, account.merchant.no);
        Ok(Recharge {
            tenant,
            serial: self.next_serial()?,
            merchant,
            key: ClaimKey::of(
                tenant,
                merchant,
                ClaimSpace::RechargeSignature,
                &new.signature,
            ),
            phone: new.phone,
            data_mb: new.data_mb,
            reach: new.reach,
            notify_url: new.notify_url,
            created_at: self.now(),
            state: RechargeState::Created,
        })
    }

    async fn send_recharge(
        &self,
        provider: &dyn RechargeProvider,
        recharge: &Recharge,
    ) -> Result<Box<Recharge>, AppError> {
        let outcome = provider.recharge(request(recharge)).await;
        self.record_recharge(recharge, outcome).await
    }

    /// Records what the provider said.
    pub(super) async fn record_recharge(
        &self,
        recharge: &Recharge,
        outcome: RechargeOutcome,
    ) -> Result<Box<Recharge>, AppError> {
        let (tenant, serial) = (recharge.tenant, recharge.serial);
        let said = outcome.clone();
        let record = RecordRecharge {
            tenant,
            serial,
            outcome,
        };
        let recharge = self.run(record).await?;
        if recharge.is_over() && recharge.notify_url.is_some() {
            self.owed.notify_one();
        }
        self.compare_recharge(&recharge, &said).await;
        Ok(recharge)
    }
}

/// The top-up as the provider is asked for it.
pub(super) fn request(recharge: &Recharge) -> RechargeRequest {
    RechargeRequest {
        serial: recharge.serial,
        phone: recharge.phone.clone(),
        data_mb: recharge.data_mb,
        reach: recharge.reach,
    }
}
