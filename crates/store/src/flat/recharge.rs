//! Top-ups as columns.

use super::corrupt;
use crate::contract::StoreError;
use domain::{
    ids::{ClaimKey, MerchantNo, Serial, TenantId},
    recharge::{Reach, Recharge, RechargeState},
    time::UnixMs,
};

codes!(reach_code, reach_from, Reach, {
    Reach::National => 0 => Reach::National,
    Reach::Provincial => 1 => Reach::Provincial,
});

const CREATED: i16 = 0;
const AT_PROVIDER: i16 = 1;
const DELIVERED: i16 = 2;
const NOT_DELIVERED: i16 = 3;

/// A top-up as columns.
#[derive(Clone, Debug)]
pub(crate) struct FlatRecharge {
    pub tenant: i64,
    pub serial: i64,
    pub merchant: i64,
    pub claim: [u8; 16],
    pub phone: String,
    pub data_mb: i64,
    pub reach: i16,
    pub notify_url: Option<String>,
    pub created_at: i64,
    /// 0 created, 1 at the provider, 2 done, 3 failed.
    pub state: i16,
    pub provider_serial: Option<String>,
    pub ended_at: Option<i64>,
}

impl FlatRecharge {
    pub(crate) fn of(recharge: &Recharge) -> Self {
        let (state, ended_at) = match &recharge.state {
            RechargeState::Created => (CREATED, None),
            RechargeState::AtProvider(_) => (AT_PROVIDER, None),
            RechargeState::Done(_, at) => (DELIVERED, Some(at.0)),
            RechargeState::Failed(_, at) => (NOT_DELIVERED, Some(at.0)),
        };
        Self {
            tenant: recharge.tenant.0,
            serial: recharge.serial.0,
            merchant: recharge.merchant.0,
            claim: recharge.key.0,
            phone: recharge.phone.clone(),
            data_mb: recharge.data_mb,
            reach: reach_code(recharge.reach),
            notify_url: recharge.notify_url.clone(),
            created_at: recharge.created_at.0,
            state,
            provider_serial: recharge.provider_serial().map(str::to_owned),
            ended_at,
        }
    }

    pub(crate) fn read(self) -> Result<Recharge, StoreError> {
        let state = match (self.state, self.provider_serial, self.ended_at) {
            (CREATED, None, None) => RechargeState::Created,
            (AT_PROVIDER, Some(serial), None) => RechargeState::AtProvider(serial),
            (DELIVERED, Some(serial), Some(at)) => RechargeState::Done(serial, UnixMs(at)),
            (NOT_DELIVERED, serial, Some(at)) => RechargeState::Failed(serial, UnixMs(at)),
            (other, _, _) => return Err(corrupt("RechargeState", &other)),
        };
        Ok(Recharge {
            tenant: TenantId(self.tenant),
            serial: Serial(self.serial),
            merchant: MerchantNo(self.merchant),
            key: ClaimKey(self.claim),
            phone: self.phone,
            data_mb: self.data_mb,
            reach: reach_from(self.reach)?,
            notify_url: self.notify_url,
            created_at: UnixMs(self.created_at),
            state,
        })
    }
}
