//! How often this disk can make a write durable: the pace that every acknowledged payment
//! depends on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{BenchError, file_error};

/// What one commit of a few payments adds to a log, in bytes.
const BLOCK_BYTES: usize = 4096;

/// What was measured.
#[derive(Serialize)]
struct Probe {
    fdatasync_per_s: f64,
    p50_us: u64,
    p99_us: u64,
}

/// Appends and syncs for `duration_s`, prints what it took, and leaves nothing behind.
pub(super) fn run(directory: &Path, duration_s: f64, json: bool) -> Result<(), BenchError> {
    let path = directory.join(format!(".onetill-fsync-probe-{}", std::process::id()));
    let file = OpenOptions::new().append(true).create_new(true).open(&path);
    let mut file = file.map_err(file_error(&path))?;
    let duration = super::load::seconds("duration", duration_s)?;
    let probe = measure(&mut file, duration).map_err(file_error(&path));
    drop(file);
    fs::remove_file(&path).map_err(file_error(&path))?;
    print(&probe?, json)
}

fn measure(file: &mut File, duration: Duration) -> io::Result<Probe> {
    let mut histogram = Histogram::<u64>::new(3).map_err(io::Error::other)?;
    let block = [b'o'; BLOCK_BYTES];
    let started = Instant::now();
    while started.elapsed() < duration {
        let before = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        histogram.saturating_record(u64::try_from(before.elapsed().as_micros()).unwrap_or(0));
    }
    let syncs = u32::try_from(histogram.len()).unwrap_or(u32::MAX);
    Ok(Probe {
        fdatasync_per_s: f64::from(syncs) / started.elapsed().as_secs_f64(),
        p50_us: histogram.value_at_quantile(0.5),
        p99_us: histogram.value_at_quantile(0.99),
    })
}

fn print(probe: &Probe, json: bool) -> Result<(), BenchError> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, probe).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let Probe {
        fdatasync_per_s,
        p50_us,
        p99_us,
    } = probe;
    writeln!(
        out,
        "{fdatasync_per_s:.0} fdatasync/s of {BLOCK_BYTES} bytes appended"
    )?;
    Ok(writeln!(out, "p50 {p50_us} µs, p99 {p99_us} µs")?)
}
