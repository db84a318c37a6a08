//! A gateway, or a sandbox, in a process of its own, to be killed, stopped and started again, and
//! clients that speak HTTP to it.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use wire::opengateway::{
    Encryption, Format, MerchantKey, Operation, SerialType,
    call::{Call, Caller},
    received::Received,
};

/// How long a gateway may take to get ready: many run at the same time in a test run.
pub const READY_MAX: Duration = Duration::from_secs(30);
/// How long a gateway may take to end after SIGTERM, without payments that wait.
pub const END_MAX: Duration = Duration::from_secs(20);
/// How long a client waits for a reply: longer than any payment's window in these tests.
const REPLY_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// How a gateway or a sandbox is started. The same recipe starts it again after a kill.
#[derive(Clone)]
pub struct Recipe {
    /// The command.
    command: &'static [&'static str],
    /// The data directory.
    pub data: PathBuf,
    /// Where its log goes, appended; what it prints for people goes beside it, to `.out`.
    pub log: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// More options of the command.
    pub options: Vec<String>,
    /// What stands before the program, such as `unshare -m`.
    pub wrapper: Vec<OsString>,
}

impl Recipe {
    /// A demo gateway named `name` in `dir`, on a free port of the loopback.
    pub fn demo(dir: &Path, name: &str) -> Self {
        Self::of(&["serve", "--demo"], dir, name)
    }

    /// A sandbox named `name` in `dir`, on a free port of the loopback.
    pub fn sandbox(dir: &Path, name: &str) -> Self {
        Self::of(&["sandbox"], dir, name)
    }

    fn of(command: &'static [&'static str], dir: &Path, name: &str) -> Self {
        Self {
            command,
            data: dir.join(name),
            log: dir.join(format!("{name}.log")),
            address: free_address(),
            options: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// With more options.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|&it| it.to_owned()));
        self
    }

    /// Where what it prints for people goes.
    pub fn printed(&self) -> PathBuf {
        self.log.with_extension("out")
    }

    fn spawn(&self) -> io::Result<Child> {
        let append = |path: &Path| OpenOptions::new().create(true).append(true).open(path);
        let words = self
            .wrapper
            .iter()
            .cloned()
            .chain([env!("CARGO_BIN_EXE_onetill").into()]);
        let words: Vec<OsString> = words.collect();
        let mut command = bare(&words[0]);
        command
            .args(&words[1..])
            .args(self.command)
            .args(["--listen", &self.address.to_string()])
            .arg("--data")
            .arg(&self.data)
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(append(&self.printed())?)
            .stderr(append(&self.log)?);
        command.spawn()
    }
}

/// A command without settings from the environment of whoever runs the tests.
pub fn bare(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ONETILL_") {
            command.env_remove(name);
        }
    }
    command
}

/// The program with these arguments, to its end.
pub fn onetill(args: &[&str]) -> std::process::Output {
    let mut command = bare(env!("CARGO_BIN_EXE_onetill").as_ref());
    command
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// An address of the loopback that nobody uses at the moment.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

/// A running gateway or sandbox. Dropping it kills it, by its own number.
pub struct Process {
    /// How it was started.
    pub recipe: Recipe,
    child: Child,
}

impl Process {
    /// Starts it and waits until it is ready.
    pub async fn start(recipe: Recipe) -> Self {
        let started = Instant::now();
        loop {
            let child = recipe.spawn().expect("the program starts");
            let recipe = recipe.clone();
            let mut process = Self { recipe, child };
            if process.became_ready().await {
                return process;
            }
            let log = process.log_tail();
            // Another program may have taken the port for a moment.
            assert!(
                log.contains("cannot listen") && started.elapsed() < READY_MAX,
                "it did not start:\n{log}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn became_ready(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < READY_MAX {
            if self.child.try_wait().expect("a child").is_some() {
                return false;
            }
            if self.is_ready().await {
                return true;
            }
            tokio::time::sleep(POLL).await;
        }
        false
    }

    /// Whether `/health/ready` answers 200.
    pub async fn is_ready(&self) -> bool {
        self.health("ready").await == Some(200)
    }

    /// The status of `/health/{which}`; `None` without an answer.
    pub async fn health(&self, which: &str) -> Option<u16> {
        let mut client = Client::new(self.recipe.address);
        let reply = client.get(&format!("/health/{which}")).await;
        reply.ok().map(|reply| reply.status)
    }

    /// Ends it without warning.
    pub fn kill9(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills it if it still runs, and starts it again as before.
    pub async fn restart(&mut self) {
        self.kill9();
        let again = Self::start(self.recipe.clone()).await;
        // The one that is replaced has ended: its drop finds nothing to kill.
        *self = again;
    }

    /// Sends SIGTERM and returns at once.
    pub fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Stops it where it is, as if its machine stood still.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`Process::pause`].
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -\"$1\" \"$0\"", &self.pid().to_string(), name])
            .status();
        assert!(status.expect("a shell").success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, patience: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(
                started.elapsed() < patience,
                "it does not end:\n{}",
                self.log_tail()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_end();
        self.ended(END_MAX).await
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client with a connection of its own.
    pub fn client(&self) -> Client {
        Client::new(self.recipe.address)
    }

    /// All it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.recipe.log).unwrap_or_default()
    }

    /// The end of what it has logged.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// A reply as it came.
#[derive(Clone, Debug)]
pub struct HttpReply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpReply {
    /// The dialect's CODE.
    pub fn code(&self) -> String {
        let received = Received::decode(&self.body).ok();
        received.and_then(|it| it.code_text()).unwrap_or_default()
    }

    /// A field of the dialect's document; empty when there is none.
    pub fn field(&self, path: &str) -> String {
        let received = Received::decode(&self.body).ok();
        received.and_then(|it| it.field(path)).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client that keeps its connection.
pub struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client of the server at `address`; it connects when it is first used.
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// Sends a dialect's request. An error means that no reply came: the request may have been
    /// carried out.
    pub async fn call(&mut self, call: &Call) -> io::Result<HttpReply> {
        self.send(
            call.method,
            &call.target,
            "application/json",
            &call.body,
            None,
        )
        .await
    }

    /// The same, showing a token.
    pub async fn call_as(&mut self, call: &Call, token: &str) -> io::Result<HttpReply> {
        let kind = "application/json";
        self.send(call.method, &call.target, kind, &call.body, Some(token))
            .await
    }

    /// Gets a page.
    pub async fn get(&mut self, target: &str) -> io::Result<HttpReply> {
        self.send("GET", target, "text/plain", b"", None).await
    }

    /// Posts a form.
    pub async fn post_form(&mut self, target: &str, form: &str) -> io::Result<HttpReply> {
        let kind = "application/x-www-form-urlencoded";
        self.send("POST", target, kind, form.as_bytes(), None).await
    }

    async fn send(
        &mut self,
        method: &str,
        target: &str,
        content_type: &str,
        body: &[u8],
        token: Option<&str>,
    ) -> io::Result<HttpReply> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", self.address.to_string())
            .header("content-type", content_type);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(Bytes::copy_from_slice(body)))
            .map_err(io::Error::other)?;
        let exchange = tokio::time::timeout(REPLY_MAX, self.exchange(request)).await;
        let reply = exchange.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if reply.is_err() {
            self.connection = None;
        }
        reply
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> io::Result<HttpReply> {
        let connection = self.connected().await?;
        connection.ready().await.map_err(io::Error::other)?;
        let reply = connection.send_request(request).await;
        let (parts, body) = reply.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?;
        Ok(HttpReply {
            status: parts.status.as_u16(),
            body: body.to_bytes().to_vec(),
        })
    }

    async fn connected(&mut self) -> io::Result<&mut SendRequest<Full<Bytes>>> {
        let is_open = self.connection.as_ref().is_some_and(|it| !it.is_closed());
        if !is_open {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let shake = handshake(TokioIo::new(stream)).await;
            let (sender, connection) = shake.map_err(io::Error::other)?;
            // It ends with the sender; how, the sender hears.
            tokio::spawn(async { drop(connection.await) });
            self.connection = Some(sender);
        }
        self.connection
            .as_mut()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// A merchant that signs its requests.
pub struct Merchant {
    code: &'static str,
    key: MerchantKey,
}

impl Merchant {
    /// The demo's first merchant.
    pub fn demo() -> Self {
        Self {
            code: "0010000001",
            key: MerchantKey::new(DEMO_KEY),
        }
    }

    /// A signed POST.
    pub fn post(&self, operation: Operation, body: &str) -> Call {
        self.sign(|caller| caller.post(operation, body.as_bytes()))
    }

    /// A signed query by the merchant's own serial.
    pub fn query(&self, number: &str) -> Call {
        self.sign(|caller| caller.query(number, SerialType::Merchant, true))
    }

    /// A signed cancellation.
    pub fn cancel(&self, number: &str) -> Call {
        self.sign(|caller| caller.cancel(number, false))
    }

    /// Its key, to check what it is sent.
    pub const fn key(&self) -> &MerchantKey {
        &self.key
    }

    fn sign(&self, make: impl FnOnce(&Caller<'_>) -> Call) -> Call {
        make(&Caller {
            busi_code: self.code,
            key: &self.key,
            timestamp: &Timestamp::now().as_millisecond().to_string(),
            format: Format::Json,
            encryption: Encryption::None,
        })
    }
}

/// The key of the demo's first merchant.
pub const DEMO_KEY: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// Every file below `dir`, read whole.
pub fn all_files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a directory").flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => dirs.push(path),
                Ok(kind) if kind.is_file() => {
                    let mut bytes = Vec::new();
                    let mut file = File::open(&path).expect("a file");
                    io::Read::read_to_end(&mut file, &mut bytes).expect("a readable file");
                    found.push((path, bytes));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    found
}
