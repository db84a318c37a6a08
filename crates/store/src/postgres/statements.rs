//! The writer's statements. Each touches one tenant, so each goes to one shard; each takes any
//! number of rows as arrays.

use super::{error::classify, session::Session};
use crate::contract::StoreError;
use tokio_postgres::Statement;

/// Lists the statements once: a field each, its text, and the preparing of all in one round trip.
macro_rules! statements {
    ($($name:ident = $sql:expr;)+) => {
        /// The writer's statements, prepared on its connection.
        pub(super) struct Statements {
            $(pub(super) $name: Statement,)+
        }

        impl Statements {
            /// Prepares all.
            pub(super) async fn prepare(session: &Session) -> Result<Self, StoreError> {
                let client = &session.client;
                let ($($name,)+) = tokio::try_join!($(client.prepare($sql),)+)
                    .map_err(|error| classify(&error))?;
                Ok(Self { $($name,)+ })
            }
        }

        /// Every statement by name, for the test that looks at their plans.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $sql),)+];
    };
}

statements! {
    // A taken key is no error; a serial that exists already is one.
    claim = "INSERT INTO payments (tenant, serial, merchant, claim, merchant_serial, flow,
            channel, amount, created_at, expires_at, details, state, end_code, ended_at, flags,
            refunded, refunding, receipt, credential)
        SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::text[],
            $6::smallint[], $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[],
            $11::text[], $12::smallint[], $13::smallint[], $14::bigint[], $15::smallint[],
            $16::bigint[], $17::bigint[], $18::text[], $19::text[]) AS new
        ON CONFLICT (tenant, claim) DO NOTHING RETURNING serial";

    // Serials and claims in one statement, so that all rows are locked in the order of serials:
    // two writers that lock the same rows in two orders wait for each other.
    lock_payments = "SELECT tenant, serial, merchant, claim, merchant_serial, flow, channel,
            amount, created_at, expires_at, details, state, end_code, ended_at, flags, refunded,
            refunding, receipt, credential
        FROM payments WHERE tenant = $1 AND serial = any($2::bigint[] || array(
            SELECT serial FROM payments WHERE tenant = $1 AND claim = any($3::bytea[])))
        ORDER BY serial FOR UPDATE";
    // Those that took keys earlier than the payments that just claimed them.
    lock_holders = "SELECT tenant, serial, merchant, claim, merchant_serial, flow, channel,
            amount, created_at, expires_at, details, state, end_code, ended_at, flags, refunded,
            refunding, receipt, credential
        FROM payments WHERE tenant = $1 AND serial = any(array(SELECT serial FROM payments
            WHERE tenant = $1 AND claim = any($2::bytea[]) AND serial <> all($3::bigint[])))
        ORDER BY serial FOR UPDATE";
    lock_refunds = "SELECT tenant, serial, payment, merchant, origin, claim, merchant_serial,
            amount, voucher_back, created_at, state, ended_at, failure, first_answer
        FROM refunds WHERE tenant = $1 AND serial = any($2::bigint[] || array(
            SELECT serial FROM refunds WHERE tenant = $1 AND claim = any($3::bytea[])))
        ORDER BY serial FOR UPDATE";
    lock_recharges = "SELECT tenant, serial, merchant, claim, phone, data_mb, reach, notify_url,
            created_at, state, provider_serial, ended_at
        FROM recharges WHERE tenant = $1 AND serial = any($2::bigint[] || array(
            SELECT serial FROM recharges WHERE tenant = $1 AND claim = any($3::bytea[])))
        ORDER BY serial FOR UPDATE";
    lock_jobs = "SELECT tenant, subject, kind, due_at, attempts
        FROM jobs WHERE tenant = $1 AND subject = any($2::bigint[])
        ORDER BY subject FOR UPDATE";
    lock_notifications = "SELECT tenant, subject, merchant, topic, attempts, state, at
        FROM notifications WHERE tenant = $1 AND subject = any($2::bigint[])
        ORDER BY subject FOR UPDATE";

    // Only columns that change, none of them indexed.
    put_payments = "UPDATE payments SET state = new.state, end_code = new.end_code,
            ended_at = new.ended_at, flags = new.flags, refunded = new.refunded,
            refunding = new.refunding, receipt = new.receipt, credential = new.credential
        FROM unnest($2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[], $6::smallint[],
                $7::bigint[], $8::bigint[], $9::text[], $10::text[])
            AS new (serial, state, end_code, ended_at, flags, refunded, refunding, receipt,
                credential)
        WHERE payments.tenant = $1 AND payments.serial = new.serial";
    put_refunds = "INSERT INTO refunds (tenant, serial, payment, merchant, origin, claim,
            merchant_serial, amount, voucher_back, created_at, state, ended_at, failure,
            first_answer)
        SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[],
            $5::smallint[], $6::bytea[], $7::text[], $8::bigint[], $9::boolean[], $10::bigint[],
            $11::smallint[], $12::bigint[], $13::smallint[], $14::smallint[]) AS new
        ON CONFLICT (tenant, serial) DO UPDATE SET state = excluded.state,
            ended_at = excluded.ended_at, failure = excluded.failure,
            first_answer = excluded.first_answer";
    put_recharges = "INSERT INTO recharges (tenant, serial, merchant, claim, phone, data_mb,
            reach, notify_url, created_at, state, provider_serial, ended_at)
        SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::text[],
            $6::bigint[], $7::smallint[], $8::text[], $9::bigint[], $10::smallint[], $11::text[],
            $12::bigint[]) AS new
        ON CONFLICT (tenant, serial) DO UPDATE SET state = excluded.state,
            provider_serial = excluded.provider_serial, ended_at = excluded.ended_at";
    put_jobs = "INSERT INTO jobs (tenant, subject, kind, due_at, attempts)
        SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::smallint[], $4::bigint[],
            $5::integer[]) AS new
        ON CONFLICT (tenant, subject) DO UPDATE SET kind = excluded.kind,
            due_at = excluded.due_at, attempts = excluded.attempts";
    remove_jobs = "DELETE FROM jobs WHERE tenant = $1 AND subject = any($2::bigint[])";
    put_notifications = "INSERT INTO notifications (tenant, subject, merchant, topic, attempts,
            state, at)
        SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::smallint[],
            $5::integer[], $6::smallint[], $7::bigint[]) AS new
        ON CONFLICT (tenant, subject) DO UPDATE SET merchant = excluded.merchant,
            topic = excluded.topic, attempts = excluded.attempts, state = excluded.state,
            at = excluded.at";
    add_postings = "INSERT INTO postings (tenant, posting_no, debit, credit, amount, unit, at)
        SELECT $1::bigint, new.* FROM unnest($2::bigint[], $3::bigint[], $4::bigint[],
            $5::bigint[], $6::smallint[], $7::bigint[]) AS new";
    add_cancel_requests = "INSERT INTO cancel_requests (tenant, serial)
        SELECT $1::bigint, new.serial FROM unnest($2::bigint[]) AS new (serial)
        ON CONFLICT DO NOTHING";
    remove_cancel_requests =
        "DELETE FROM cancel_requests WHERE tenant = $1 AND serial = any($2::bigint[])";

    // The last write of a transaction: see `writer.rs` on lost answers.
    mark = "INSERT INTO writers (tenant, writer, batch, batch_last, at)
        VALUES ($1, $2, $3, 9223372036854775807, $4)
        ON CONFLICT (tenant, writer) DO UPDATE SET batch = excluded.batch, at = excluded.at";
    fence = "INSERT INTO writers (tenant, writer, batch, batch_last, at) VALUES ($1, $2, 0, 0, $3)
        ON CONFLICT (tenant, writer) DO UPDATE SET batch_last = writers.batch RETURNING batch";
}
