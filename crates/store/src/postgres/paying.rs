//! The codes that new payments name, looked up before the payments are recorded.
//!
//! The look locks no codes, and its batch has claimed nothing yet. Whoever decides on a payment looks at
//! its code again, locked by then.

use super::{
    columns::{get, serial_text},
    session::{Param, Step},
    voucher::{CODE_USE, SPAN, read_span, read_use},
};
use crate::{
    contract::{FoundCode, StoreError},
    flat::{FlatDocument, found},
};
use domain::{
    loyalty::document::{Document, DocumentKind},
    rows::Claim,
    voucher::paying::PayingCodes,
};
use tokio_postgres::{Row, Statement};

/// Where the digests `$2` of tenant `$1` lead, the boxes, the spans, and what tills did with the codes.
pub(super) fn paying_sql() -> String {
    let box_key = serial_text("found.carton");
    format!(
        "SELECT found.*, cartons.*, spans.*, uses.* FROM unnest($2::bytea[]) AS named (digest)
        CROSS JOIN LATERAL (SELECT digest, tenant, carton, idx FROM voucher_digests
            WHERE digest = named.digest AND tenant = $1 LIMIT 1) AS found
        CROSS JOIN LATERAL (SELECT key, body FROM cartons
            WHERE tenant = $1 AND key = {box_key} LIMIT 1) AS cartons
        LEFT JOIN LATERAL (SELECT {SPAN} FROM voucher_spans
            WHERE carton = found.carton AND first <= found.idx
            ORDER BY carton DESC, first DESC LIMIT 1) AS spans ON true
        LEFT JOIN LATERAL (SELECT {CODE_USE} FROM code_uses
            WHERE carton = found.carton AND idx = found.idx LIMIT 1) AS uses ON true"
    )
}

/// Where the columns of the box, its span and the code's row begin.
const CARTON_FROM: usize = 4;
const SPAN_FROM: usize = 6;
const USE_FROM: usize = 12;

/// Steps that look up the codes that `claims` name, a tenant each; none where they name none.
pub(super) fn looking(statement: &Statement, claims: &[Claim<'_>]) -> Vec<Step> {
    let mut steps = Vec::new();
    for claims in claims.chunk_by(|a, b| a.payment.tenant == b.payment.tenant) {
        let digests = claims.iter().filter_map(|it| Some(it.code?.0.to_vec()));
        let digests: Vec<Vec<u8>> = digests.collect();
        if let (Some(first), false) = (claims.first(), digests.is_empty()) {
            let params: Vec<Param> = vec![Box::new(first.payment.tenant.0), Box::new(digests)];
            steps.push(Step::new(statement, params));
        }
    }
    steps
}

/// Takes in what a step found.
pub(super) fn take(rows: &[Row], codes: &mut PayingCodes) -> Result<(), StoreError> {
    for row in rows {
        let leads = found(get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?)?;
        let FoundCode {
            digest,
            tenant,
            code,
        } = leads;
        codes.add_code(digest, code);
        if !codes.has_carton(code.carton) {
            let (key, body) = (get(row, CARTON_FROM)?, get(row, CARTON_FROM + 1)?);
            let carton = FlatDocument::read(DocumentKind::Carton, tenant.0, key, body)?;
            if let Document::Carton(carton) = carton {
                codes.add_carton(*carton);
            }
        }
        let has_span = get::<Option<i64>>(row, SPAN_FROM)?.is_some();
        if has_span && !codes.rows.has_span_of(code) {
            codes.rows.add_span(read_span(row, SPAN_FROM)?);
        }
        if get::<Option<i64>>(row, USE_FROM)?.is_some() {
            codes.rows.add_use(read_use(row, USE_FROM)?);
        }
    }
    Ok(())
}
