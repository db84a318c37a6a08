//! A throw-away PostgreSQL server for tests: real processes, a real disk, fsync on. And stored
//! rows of any kind, for fuzzing; and what SQLite makes of a file.

pub use crate::flat::probe::{Columns, read_row};

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How often a start is tried: another process may take the free port first.
const STARTS_MAX: u32 = 5;

/// What SQLite finds in the file at `path`, page by page: `ok`, or what is wrong. Nobody else may
/// have it open: its log is taken into it.
///
/// # Errors
/// When it cannot be read.
pub fn integrity(path: &Path) -> rusqlite::Result<String> {
    let connection = rusqlite::Connection::open(path)?;
    connection.pragma_query_value(None, "integrity_check", |row| row.get(0))
}

static NEXT: AtomicUsize = AtomicUsize::new(0);
static SHARED: Mutex<Option<TestCluster>> = Mutex::new(None);

/// A server of its own, stopped and removed when dropped.
pub struct TestCluster {
    /// Address of its first database.
    pub url: String,
    binaries: PathBuf,
    dir: PathBuf,
    port: u16,
    /// The account the server runs as, because it refuses to run as root.
    user: Option<Account>,
    /// More settings, as options of the server.
    settings: String,
}

#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl TestCluster {
    /// Creates and starts a server.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> io::Result<Self> {
        Self::start_with("-c max_connections=200")
    }

    /// Creates and starts a server with more settings, written as options (`-c name=value`).
    ///
    /// # Errors
    /// As [`TestCluster::start`].
    pub fn start_with(settings: &str) -> io::Result<Self> {
        let user = if effective_uid()? == 0 {
            Some(postgres_account()?)
        } else {
            None
        };
        let dir = fresh_dir(user)?;
        let mut cluster = Self {
            url: String::new(),
            binaries: binaries()?,
            dir,
            port: 0,
            user,
            settings: settings.to_owned(),
        };
        cluster.initialise()?;
        cluster.start_again()?;
        Ok(cluster)
    }

    /// Stops the server as a power cut would: nothing is written any more.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> io::Result<()> {
        self.pg_ctl(&["stop", "-m", "immediate", "-w"])
    }

    /// Starts the stopped server, on the same port if it had one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> io::Result<()> {
        let fixed = self.port != 0;
        for attempt in 1..=STARTS_MAX {
            if !fixed {
                self.port = free_port()?;
                self.url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
            }
            match self.try_start() {
                Err(_) if attempt < STARTS_MAX => {}
                result => return result,
            }
        }
        Ok(())
    }

    /// Stops the server at once and starts it again.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// Stops the server and starts it again as the standby of nobody, which takes no writes.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub fn demote(&mut self) -> io::Result<()> {
        self.pg_ctl(&["stop", "-m", "fast", "-w"])?;
        fs::write(self.data().join("standby.signal"), "")?;
        self.start_again()
    }

    /// Makes a standby take writes.
    ///
    /// # Errors
    /// When it does not become a primary.
    pub fn promote(&self) -> io::Result<()> {
        self.pg_ctl(&["promote", "-w"])
    }

    /// Halts each process of the server where it is: connections stay, nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    /// Lets a halted server go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    /// Signals the server's first process, and then those it started.
    fn signal(&self, signal: &str) -> io::Result<()> {
        let text = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let first = text.lines().next().unwrap_or_default().to_owned();
        send(signal, std::slice::from_ref(&first))?;
        let children = children(&first)?;
        send(signal, &children)
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Creates an empty database; returns its address.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn database(&self) -> io::Result<String> {
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        let mut command = Command::new(self.binaries.join("createdb"));
        let args = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", &name];
        run(command.args(args))?;
        Ok(format!("postgres://postgres@127.0.0.1:{port}/{name}"))
    }

    fn initialise(&self) -> io::Result<()> {
        let data = self.data();
        let mut command = self.command("initdb");
        command.arg("-D").arg(&data);
        run(command.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]))
    }

    fn try_start(&self) -> io::Result<()> {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=on {}",
            self.port,
            self.dir.display(),
            self.settings
        );
        self.pg_ctl(&["start", "-w", "-t", "30", "-o", &options])
    }

    fn pg_ctl(&self, args: &[&str]) -> io::Result<()> {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data());
        command.arg("-l").arg(self.dir.join("log"));
        run(command.args(args))
    }

    fn command(&self, binary: &str) -> Command {
        let mut command = Command::new(self.binaries.join(binary));
        if let Some(user) = self.user {
            use std::os::unix::process::CommandExt;
            command.uid(user.uid).gid(user.gid);
        }
        command.current_dir(&self.dir);
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        // A test may have halted or stopped it; the directory goes in any case.
        drop(self.thaw());
        drop(self.stop());
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// An empty database on the server that all tests of this process share.
///
/// # Errors
/// When there is no server and none can be started.
pub fn database() -> io::Result<String> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if shared.is_none() {
        let cluster = TestCluster::start()?;
        reap(&cluster)?;
        *shared = Some(cluster);
    }
    shared
        .as_ref()
        .map_or_else(|| Err(io::Error::other("no server")), TestCluster::database)
}

/// A static is never dropped, so a small process waits for this one to end and cleans up.
fn reap(cluster: &TestCluster) -> io::Result<()> {
    let script = "while kill -0 \"$1\" 2>/dev/null; do sleep 0.2; done; \
        kill -QUIT \"$(head -n 1 \"$2/data/postmaster.pid\")\"; sleep 1; rm -rf \"$2\"";
    Command::new("setsid")
        .args(["sh", "-c", script, "sh", &std::process::id().to_string()])
        .arg(&cluster.dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

fn run(command: &mut Command) -> io::Result<()> {
    // Not captured: a server would hold a pipe open for as long as it runs.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{command:?}: {status}")))
    }
}

/// Runs statements in the database at `url`.
///
/// # Errors
/// When the server refuses one.
pub fn execute(url: &str, sql: &str) -> io::Result<()> {
    let mut command = Command::new(binaries()?.join("psql"));
    run(command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]))
}

/// Sends a signal to processes, by their numbers.
///
/// # Errors
/// When there is no shell.
pub fn send(signal: &str, pids: &[String]) -> io::Result<()> {
    let mut command = Command::new("sh");
    // One of them may have ended by itself.
    command.args(["-c", "kill \"$@\" || true", "sh", signal]);
    run(command.args(pids))
}

/// The processes that the process `parent` started and that still run.
fn children(parent: &str) -> io::Result<Vec<String>> {
    let entries = fs::read_dir("/proc")?.flatten();
    let processes = entries.filter_map(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let mut after_name = stat.rsplit(')').next()?.split_whitespace();
        let is_child = after_name.nth(1)? == parent;
        is_child.then(|| entry.file_name().to_string_lossy().into_owned())
    });
    Ok(processes.collect())
}

fn effective_uid() -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata("/proc/self")?.uid())
}

/// The account `postgres`, which its package creates.
fn postgres_account() -> io::Result<Account> {
    let accounts = fs::read_to_string("/etc/passwd")?;
    let mut lines = accounts.lines().map(|line| line.split(':'));
    let account = lines.find_map(|mut fields| {
        (fields.next()? == "postgres").then_some(())?;
        let mut ids = fields.skip(1).map(str::parse);
        let (uid, gid) = (ids.next()?.ok()?, ids.next()?.ok()?);
        Some(Account { uid, gid })
    });
    account.ok_or_else(|| io::Error::other("there is no account postgres to run the server as"))
}

/// A new directory that the server's account owns.
fn fresh_dir(user: Option<Account>) -> io::Result<PathBuf> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("onetill-postgres-{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir(&dir)?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
    if let Some(user) = user {
        chown(&dir, Some(user.uid), Some(user.gid))?;
    }
    Ok(dir)
}

/// Where the server's programs are: the newest version of Debian's layout, or on the path.
fn binaries() -> io::Result<PathBuf> {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = installed
        .flatten()
        .filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|dir| dir.join("initdb").exists());
    let found = newest.map(|(_, bin)| bin).or(on_path);
    found.ok_or_else(|| io::Error::other("PostgreSQL is not installed: no initdb found"))
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
