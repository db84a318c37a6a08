//! The sandbox's memory in a directory: lines of JSON, appended by a thread of its own.
//!
//! A record waits at most [`GATHER`] before it is handed to the operating system, so `kill -9`
//! loses no more than that; nothing is synced to the disk, so a power cut loses more. Both are
//! fine: no payment that the gateway acknowledged depends on this memory.

use super::memory::{Living, Memory, Record};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long records are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(20);
/// Bytes that are written without gathering more.
const WRITE_BYTES: usize = 256 * 1024;
/// How long the thread rests after each write while it starts the journal again, so that this never
/// takes a core, or the disk, away from the payments beside it.
const REST: Duration = Duration::from_millis(10);
/// Lines after which the journal starts again with what is still worth remembering: many times as
/// many as that, since a file that is begun and one that is removed are work for the disk which the
/// payments beside it wait for.
const LINES_MAX: usize = if cfg!(test) { 200_000 } else { 1_000_000 };
/// Records that may wait to be written; when the disk stands still, more are forgotten.
const QUEUE_MAX: usize = 1_000_000;
const PREFIX: &str = "sandbox-";
const SUFFIX: &str = ".jsonl";

/// A memory in files of one directory, which nobody else writes to.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    writer: OnceLock<Writing>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Writing {
    queue: mpsc::Sender<Entry>,
    queued: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Entry {
    Record(Record),
    /// All before it is to be written now; told once it is.
    Flush(mpsc::Sender<()>),
}

impl Journal {
    /// The journal in `dir`, which is made if it is missing.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            writer: OnceLock::new(),
            lost: Arc::default(),
        })
    }

    /// Waits until all that was remembered so far is written, or counted as lost.
    pub fn flush(&self) {
        let Some(writing) = self.writer.get() else {
            return;
        };
        let (written, waiting) = mpsc::channel();
        if writing.queue.send(Entry::Flush(written)).is_ok() {
            // An error means that the writer has ended, after writing all it was given.
            let _ = waiting.recv();
        }
    }

    /// How many records could not be written since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Memory for Journal {
    fn recall(&self, visit: &mut dyn FnMut(Record)) -> io::Result<()> {
        for (_, path) in segments(&self.dir)? {
            read_segment(&path, visit)?;
        }
        Ok(())
    }

    fn begin(&self, living: Arc<dyn Living>) -> io::Result<()> {
        let (queue, entries) = mpsc::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let writer = Writer::start(&self.dir, living, &self.lost)?;
        let taken = Arc::clone(&queued);
        let thread = thread::Builder::new()
            .name("sandbox-journal".to_owned())
            .spawn(move || writer.run(&entries, &taken))?;
        let _ = self.writer.set(Writing {
            queue,
            queued,
            thread,
        });
        Ok(())
    }

    fn remember(&self, record: Record) {
        let Some(writing) = self.writer.get() else {
            return;
        };
        if writing.queued.fetch_add(1, Ordering::Relaxed) < QUEUE_MAX
            && writing.queue.send(Entry::Record(record)).is_ok()
        {
            return;
        }
        writing.queued.fetch_sub(1, Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Journal {
    /// Writes what is still waiting.
    fn drop(&mut self) {
        if let Some(writing) = self.writer.take() {
            drop(writing.queue);
            let _ = writing.thread.join();
        }
    }
}

/// The files of the journal by their number, oldest first.
fn segments(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            found.push((number, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads the lines that were written whole. A process that is killed leaves at most a torn last
/// line; a disk that was full for a while may leave one in the middle.
fn read_segment(path: &Path, visit: &mut dyn FnMut(Record)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(WRITE_BYTES, File::open(path)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if let Ok(record) = serde_json::from_slice(&line) {
            visit(record);
        }
        line.clear();
    }
    Ok(())
}

/// The thread that writes.
struct Writer {
    dir: PathBuf,
    number: u64,
    file: File,
    living: Arc<dyn Living>,
    lost: Arc<AtomicU64>,
    waiting: Vec<u8>,
    waiting_lines: u64,
    lines: usize,
    /// The last write failed and may have left half a line.
    torn: bool,
}

impl Writer {
    /// Starts a new file after the ones that exist.
    fn start(dir: &Path, living: Arc<dyn Living>, lost: &Arc<AtomicU64>) -> io::Result<Self> {
        let last = segments(dir)?.last().map_or(0, |(number, _)| *number);
        let number = last.saturating_add(1);
        Ok(Self {
            dir: dir.to_owned(),
            number,
            file: create(dir, number)?,
            living,
            lost: Arc::clone(lost),
            waiting: Vec::new(),
            waiting_lines: 0,
            lines: 0,
            torn: false,
        })
    }

    fn run(mut self, entries: &mpsc::Receiver<Entry>, queued: &AtomicUsize) {
        self.rewrite();
        while let Ok(first) = entries.recv() {
            // While this thread sleeps, a sender has nobody to wake, which keeps it fast.
            thread::sleep(GATHER);
            let rest = entries.try_iter().take(LINES_MAX);
            for entry in std::iter::once(first).chain(rest) {
                self.take(&entry, queued);
            }
            self.flush();
            if self.lines >= LINES_MAX {
                self.next_file();
            }
        }
    }

    fn take(&mut self, entry: &Entry, queued: &AtomicUsize) {
        match entry {
            Entry::Record(record) => {
                queued.fetch_sub(1, Ordering::Relaxed);
                self.put(record);
            }
            Entry::Flush(written) => {
                self.flush();
                // Whoever asked may have gone.
                let _ = written.send(());
            }
        }
    }

    fn put(&mut self, record: &Record) {
        if serde_json::to_writer(&mut self.waiting, record).is_ok() {
            self.waiting.push(b'\n');
            self.waiting_lines += 1;
            self.lines += 1;
        }
        if self.waiting.len() >= WRITE_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let start: &[u8] = if self.torn { b"\n" } else { b"" };
        let written = self.file.write_all(start);
        let written = written.and_then(|()| self.file.write_all(&self.waiting));
        self.torn = written.is_err();
        if self.torn {
            self.lost.fetch_add(self.waiting_lines, Ordering::Relaxed);
        }
        self.waiting.clear();
        self.waiting_lines = 0;
    }

    fn next_file(&mut self) {
        let number = self.number.saturating_add(1);
        // Without a new file the old one grows on; that is tried again with the next batch.
        if let Ok(file) = create(&self.dir, number) {
            self.number = number;
            self.file = file;
            self.torn = false;
            self.rewrite();
        }
    }

    /// Writes all that is worth remembering to the current file, then removes the older ones. A
    /// process killed in between leaves both, and the newer lines win.
    fn rewrite(&mut self) {
        let living = Arc::clone(&self.living);
        let lost_before = self.lost.load(Ordering::Relaxed);
        living.each(&mut |record| {
            self.put(record);
            if self.waiting.is_empty() {
                thread::sleep(REST);
            }
        });
        self.flush();
        self.lines = 0;
        if self.lost.load(Ordering::Relaxed) == lost_before {
            self.remove_older();
        }
    }

    fn remove_older(&self) {
        let found = segments(&self.dir).unwrap_or_default();
        let older = found.iter().filter(|(number, _)| *number < self.number);
        for (_, path) in older {
            // What cannot be removed is read again at the next start, which does no harm.
            let _ = fs::remove_file(path);
        }
    }
}

fn create(dir: &Path, number: u64) -> io::Result<File> {
    let path = dir.join(format!("{PREFIX}{number:08}{SUFFIX}"));
    OpenOptions::new().create_new(true).append(true).open(path)
}
