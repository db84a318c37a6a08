//! Provisioning.

use super::{from_sqlite, stock};
use crate::contract::{AdminOp, AdminReply, StoreError};
use domain::{
    channel::ChannelNo,
    ids::{MerchantNo, NODES_MAX, TenantId},
    merchant::{Merchant, MerchantSettings, Tenant},
    time::UnixMs,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(super) fn run(connection: &Connection, op: &AdminOp) -> Result<AdminReply, StoreError> {
    match op {
        AdminOp::AddTenant(tenant) => add_tenant(connection, tenant),
        AdminOp::PutMerchant(merchant) => put_merchant(connection, merchant),
        AdminOp::PutIfAbsent { name, value } => put_if_absent(connection, name, value),
        AdminOp::LeaseNode { now, until, owner } => lease(connection, *now, *until, *owner),
        AdminOp::RenewNode { node, owner, until } => {
            let sql = "UPDATE nodes SET lease_until = ?3 WHERE node = ?1 AND owner = ?2";
            let renewed = connection
                .execute(sql, params![node, owner, until.0])
                .map_err(from_sqlite)?;
            Ok(AdminReply::Renewed(renewed == 1))
        }
        AdminOp::AddUnits(units) => stock::add_units(connection, units),
        AdminOp::AddCodes(codes) => stock::add_codes(connection, codes),
        AdminOp::AddDigests(digests) => stock::add_digests(connection, digests),
        AdminOp::RemoveStock { carton, limit } => stock::remove(connection, *carton, *limit),
    }
}

fn add_tenant(connection: &Connection, tenant: &Tenant) -> Result<AdminReply, StoreError> {
    let sql = "INSERT INTO tenants (tenant, name) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    connection
        .execute(sql, params![tenant.id.0, tenant.name])
        .map_err(from_sqlite)?;
    let sql = "SELECT tenant, name FROM tenants WHERE name = ?1";
    let stored = connection
        .query_row(sql, [&tenant.name], read_tenant)
        .map_err(from_sqlite)?;
    Ok(AdminReply::Tenant(stored))
}

pub(super) fn read_tenant(row: &Row<'_>) -> rusqlite::Result<Tenant> {
    Ok(Tenant {
        id: TenantId(row.get(0)?),
        name: row.get(1)?,
    })
}

fn put_merchant(connection: &Connection, merchant: &Merchant) -> Result<AdminReply, StoreError> {
    let sql = "INSERT INTO merchants (tenant, no, code, name, sealed_key, channels, suspended, \
         settings, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (tenant, no) DO UPDATE SET code = excluded.code, name = excluded.name, \
         sealed_key = excluded.sealed_key, channels = excluded.channels, \
         suspended = excluded.suspended, settings = excluded.settings, \
         updated_at = excluded.updated_at";
    let channels: Vec<u8> = merchant.channels.iter().map(|channel| channel.0).collect();
    let values = params![
        merchant.tenant.0,
        merchant.no.0,
        merchant.code,
        merchant.name,
        merchant.sealed_key,
        json(&channels)?,
        merchant.suspended,
        json(&merchant.settings)?,
        merchant.updated_at.0,
    ];
    connection.execute(sql, values).map_err(from_sqlite)?;
    Ok(AdminReply::Done)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(super) const MERCHANT: &str =
    "tenant, no, code, name, sealed_key, channels, suspended, settings, updated_at";

pub(super) fn read_merchant(row: &Row<'_>) -> rusqlite::Result<Merchant> {
    let wrong = |error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    };
    let channels: Vec<u8> = serde_json::from_str(&row.get::<_, String>(5)?).map_err(wrong)?;
    let settings: MerchantSettings =
        serde_json::from_str(&row.get::<_, String>(7)?).map_err(wrong)?;
    Ok(Merchant {
        tenant: TenantId(row.get(0)?),
        no: MerchantNo(row.get(1)?),
        code: row.get(2)?,
        name: row.get(3)?,
        sealed_key: row.get(4)?,
        channels: channels.into_iter().map(ChannelNo).collect(),
        suspended: row.get(6)?,
        settings,
        updated_at: UnixMs(row.get(8)?),
    })
}

fn put_if_absent(
    connection: &Connection,
    name: &str,
    value: &[u8],
) -> Result<AdminReply, StoreError> {
    let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    connection
        .execute(sql, params![name, value])
        .map_err(from_sqlite)?;
    let sql = "SELECT value FROM settings WHERE name = ?1";
    let stored = connection
        .query_row(sql, [name], |row| row.get(0))
        .map_err(from_sqlite)?;
    Ok(AdminReply::Value(stored))
}

fn lease(
    connection: &Connection,
    now: UnixMs,
    until: UnixMs,
    owner: i64,
) -> Result<AdminReply, StoreError> {
    let sql = "SELECT lease_until FROM nodes WHERE node = ?1";
    for node in 0..NODES_MAX {
        let end: Option<i64> = connection
            .query_row(sql, [node], |row| row.get(0))
            .optional()
            .map_err(from_sqlite)?;
        let end = end.unwrap_or(0);
        if end <= now.0 {
            let sql = "INSERT INTO nodes (node, lease_until, owner) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (node) DO UPDATE SET lease_until = excluded.lease_until, \
                 owner = excluded.owner";
            connection
                .execute(sql, params![node, until.0, owner])
                .map_err(from_sqlite)?;
            return Ok(AdminReply::Lease {
                node,
                issued_until: UnixMs(end),
            });
        }
    }
    Err(StoreError::Refused("all node numbers are taken".to_owned()))
}
