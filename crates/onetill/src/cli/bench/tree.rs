//! `onetill bench --tree`: how fast the tree of a box is sent, and what memory that takes, also
//! while its readers read nothing.

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;
use wire::voucher::Request;
use wire::voucher::request::Codes as Names;

use super::partner::{Partner, broken};
use super::{BenchArgs, BenchError, desk, load};

/// How often the gateway's memory is looked at.
const TICK: Duration = Duration::from_millis(10);
/// What each code of a tree has once.
const CODE: &[u8] = b"\"code\":\"";
const TRACE_NO: &str = "bench";

/// What was measured. Units last.
#[derive(Serialize)]
struct Report {
    readers: u32,
    /// Codes that came, of all trees together.
    codes: u64,
    bytes: u64,
    /// Until the first byte of the first tree.
    first_ms: f64,
    took_s: f64,
    codes_per_s: f64,
    memory_before_mb: Option<f64>,
    memory_growth_mb: Option<f64>,
}

/// What came of a tree.
#[derive(Clone, Copy, Default)]
struct Came {
    codes: u64,
    bytes: u64,
    first: Option<Duration>,
}

/// Has the tree of the box `name` sent over each connection.
///
/// # Errors
/// When one broke off.
pub(super) async fn run(args: &BenchArgs, name: &str) -> Result<(), BenchError> {
    let partner = Arc::new(Partner::new(args).await?);
    let items = desk::items(name);
    let items = items.ok_or_else(|| BenchError::Setting(format!("{name:?} is no box")))?;
    let request = Arc::new(Request::QueryVoucher(Names {
        trace_no: TRACE_NO.to_owned(),
        items,
        business_type: None,
    }));
    let stall = args.stall.then(|| load::seconds("duration", args.duration));
    let stall = stall.transpose()?;
    let memory_before_mb = args.pid.and_then(resident_mb);
    let started = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..args.connections {
        let (partner, request) = (Arc::clone(&partner), Arc::clone(&request));
        reading.spawn(async move { read(&partner, &request, stall).await });
    }
    let mut memory_max_mb = memory_before_mb;
    let mut all = Came::default();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            came = reading.join_next() => match came {
                Some(came) => all.add(came.map_err(io::Error::other)??),
                None => break,
            },
            _ = tick.tick() => {
                let now_mb = args.pid.and_then(resident_mb);
                memory_max_mb = memory_max_mb.zip(now_mb).map(|(max, now)| max.max(now));
            }
        }
    }
    let took_s = started.elapsed().as_secs_f64();
    let report = Report {
        readers: args.connections,
        codes: all.codes,
        bytes: all.bytes,
        first_ms: all.first.unwrap_or_default().as_secs_f64() * 1e3,
        took_s,
        codes_per_s: super::tally::float(all.codes) / took_s.max(1e-9),
        memory_before_mb,
        memory_growth_mb: memory_max_mb
            .zip(memory_before_mb)
            .map(|(max, before)| max - before),
    };
    report.print(args.json)
}

/// Reads a tree to its end; or its first piece only, and then nothing for as long as `stall` says.
async fn read(
    partner: &Partner,
    request: &Request,
    stall: Option<Duration>,
) -> Result<Came, BenchError> {
    let started = Instant::now();
    let mut reply = partner.send(request).await?;
    let status = reply.status().as_u16();
    if status != 200 {
        return Err(BenchError::Partner(format!(
            "a tree was answered HTTP {status}"
        )));
    }
    let mut came = Came::default();
    // The end of a piece that may be the beginning of what is counted.
    let mut tail = Vec::new();
    while let Some(piece) = reply.chunk().await.map_err(|error| broken(&error))? {
        came.first.get_or_insert_with(|| started.elapsed());
        came.bytes += piece.len() as u64;
        tail.extend_from_slice(&piece);
        came.codes += count(&tail);
        tail.drain(..tail.len().saturating_sub(CODE.len() - 1));
        if let Some(stall) = stall {
            tokio::time::sleep(stall).await;
            break;
        }
    }
    if came.codes == 0 {
        let text = "no codes came: is this a box of the partner's?";
        return Err(BenchError::Partner(text.to_owned()));
    }
    Ok(came)
}

fn count(bytes: &[u8]) -> u64 {
    let found = bytes.windows(CODE.len()).filter(|it| *it == CODE).count();
    found as u64
}

/// The memory that a process holds, in MB.
fn resident_mb(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kb: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kb) / 1024.0)
}

impl Came {
    fn add(&mut self, other: Self) {
        self.codes += other.codes;
        self.bytes += other.bytes;
        self.first = self.first.into_iter().chain(other.first).min();
    }
}

impl Report {
    fn print(&self, as_json: bool) -> Result<(), BenchError> {
        let mut out = io::stdout().lock();
        if as_json {
            serde_json::to_writer(&mut out, self).map_err(io::Error::from)?;
            writeln!(out)?;
            return Ok(());
        }
        writeln!(
            out,
            "{} codes in {} bytes over {:.1} s, the first after {:.1} ms",
            self.codes, self.bytes, self.took_s, self.first_ms
        )?;
        if let (Some(before), Some(growth)) = (self.memory_before_mb, self.memory_growth_mb) {
            writeln!(
                out,
                "the gateway's memory: {before:.1} MB and {growth:.1} more"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_counted() {
        assert_eq!(count(br#"[{"code":"a","orderNo":""},{"code":"b"}]"#), 2);
        assert_eq!(count(br#""qrcode":"a""#), 0);
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(resident_mb(std::process::id()).is_some_and(|it| it > 1.0));
    }
}
