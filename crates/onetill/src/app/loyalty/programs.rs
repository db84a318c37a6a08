//! Member programs, version by version: each is a named value that is written once, so the list
//! of them is the program's history.

use crate::app::{AppError, Gateway};
use domain::{
    ids::TenantId,
    loyalty::program::{Program, Rules},
};
use std::sync::Arc;
use store::{AdminOp, AdminReply, Reader, StoreError, contract::NamedValue};

/// How often a change is tried again when others change the program at the same time.
const TRIES_MAX: u32 = 8;

fn prefix(tenant: TenantId) -> String {
    format!("program/{}/", tenant.0)
}

fn name(tenant: TenantId, version: i64) -> String {
    format!("{}{version:010}", prefix(tenant))
}

/// A tenant's program as it stands; `None` until it has set one.
///
/// # Errors
/// When the store failed or holds what cannot be read.
pub async fn newest(reader: &dyn Reader, tenant: TenantId) -> Result<Option<Program>, StoreError> {
    let newest = reader.values(prefix(tenant), 1).await?;
    newest.first().map(read).transpose()
}

/// The versions of a tenant's program, newest first, at most `limit`.
///
/// # Errors
/// When the store failed or holds what cannot be read.
pub async fn history(
    reader: &dyn Reader,
    tenant: TenantId,
    limit: u32,
) -> Result<Vec<Program>, StoreError> {
    let versions = reader.values(prefix(tenant), limit).await?;
    versions.iter().map(read).collect()
}

fn read((name, value): &NamedValue) -> Result<Program, StoreError> {
    serde_json::from_slice(value).map_err(|error| StoreError::Corrupt(format!("{name}: {error}")))
}

impl Gateway {
    /// Changes a tenant's program: `change` makes the next version of the newest one. It may be
    /// called more than once, when others change the program at the same time.
    ///
    /// # Errors
    /// What `change` says, or when the store failed.
    pub async fn change_program<E: From<AppError>>(
        self: &Arc<Self>,
        tenant: TenantId,
        by: &str,
        change: impl Fn(&Rules) -> Result<Rules, E>,
    ) -> Result<Program, E> {
        for _ in 0..TRIES_MAX {
            let newest = newest(self.reader.as_ref(), tenant).await;
            let newest = newest.map_err(AppError::from)?;
            let (version, rules) =
                newest.map_or((0, Rules::default()), |it| (it.version, it.rules));
            let next = Program {
                tenant,
                version: version + 1,
                at: self.now(),
                by: by.to_owned(),
                rules: change(&rules)?,
            };
            if self.put_program(&next).await? {
                self.loyalty
                    .estate
                    .refresh(self.reader.as_ref())
                    .await
                    .map_err(AppError::from)?;
                return Ok(next);
            }
        }
        Err(AppError::Overloaded.into())
    }

    /// Whether the version was free, and is now this one.
    async fn put_program(&self, program: &Program) -> Result<bool, AppError> {
        let value = serde_json::to_vec(program).map_err(|error| {
            tracing::error!(%error, "a program cannot be written");
            AppError::Unforeseen
        })?;
        let put = AdminOp::PutIfAbsent {
            name: name(program.tenant, program.version),
            value: value.clone(),
        };
        match self.engine.admin(put).await? {
            AdminReply::Value(stored) => Ok(stored == value),
            other @ (AdminReply::Done
            | AdminReply::Tenant(_)
            | AdminReply::Lease { .. }
            | AdminReply::Renewed(_)
            | AdminReply::Removed(_)) => {
                tracing::error!(?other, "the store answered something else");
                Err(AppError::Unforeseen)
            }
        }
    }
}
