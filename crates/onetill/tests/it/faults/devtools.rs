//! Headless Chromium, controlled through its DevTools websocket.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const CHROMIUM: &str = "/usr/bin/chromium";
/// How long the browser may take to start, or to answer one command.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// A browser with one page open. Dropping it kills it, by its own number.
pub struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The session of the open page.
    session: Option<String>,
    last_id: u64,
}

impl Browser {
    /// Starts Chromium with its profile in `dir`.
    ///
    /// # Panics
    /// When Chromium is not installed: this is no reason to skip the test.
    pub async fn start(dir: &Path) -> Self {
        assert!(
            Path::new(CHROMIUM).exists(),
            "{CHROMIUM} is missing: apt-get install chromium (./test does)"
        );
        let child = Command::new(CHROMIUM)
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-quic", "--no-first-run", "--disable-sync"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--lang=en",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", dir.display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("Chromium starts");
        let (socket, _) = connect_async(address(dir).await).await.expect("DevTools");
        let mut browser = Self {
            child,
            socket,
            session: None,
            last_id: 0,
        };
        browser.open_tab().await;
        browser
    }

    async fn open_tab(&mut self) {
        let made = self
            .send("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let attach = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = self.send("Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session");
        self.session = Some(session.to_owned());
        self.send("Page.enable", json!({})).await;
    }

    /// Gives the page the size of a phone.
    pub async fn be_a_phone(&mut self) {
        let size = json!({ "width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": true });
        self.send("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Opens `url` and waits until it is read whole.
    pub async fn open(&mut self, url: &str) {
        self.send("Page.navigate", json!({ "url": url })).await;
        let ready = "document.readyState === 'complete' && location.href !== 'about:blank'";
        self.until(ready).await;
    }

    /// The value of a script.
    pub async fn eval(&mut self, script: &str) -> Value {
        let params = json!({ "expression": script, "returnByValue": true });
        let answer = self.send("Runtime.evaluate", params).await;
        answer["result"]["value"].clone()
    }

    /// Waits until a script's value is true.
    pub async fn until(&mut self, script: &str) {
        let started = Instant::now();
        while self.eval(script).await != json!(true) {
            assert!(started.elapsed() < PATIENCE, "never true: {script}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Presses the mouse in the middle of the element, as a person would.
    pub async fn click(&mut self, selector: &str) {
        let script = format!(
            "(() => {{ const it = document.querySelector('{selector}'); \
             it.scrollIntoView({{ block: 'center' }}); \
             const box = it.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let point = self.eval(&script).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": point[0], "y": point[1], "button": "left", "clickCount": 1,
            });
            self.send("Input.dispatchMouseEvent", event).await;
        }
    }

    async fn send(&mut self, method: &str, params: Value) -> Value {
        let exchange = tokio::time::timeout(PATIENCE, self.exchange(method, params)).await;
        exchange.unwrap_or_else(|_| panic!("the browser does not answer {method}"))
    }

    async fn exchange(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let message = Message::text(command.to_string());
        self.socket.send(message).await.expect("a command is sent");
        loop {
            let message = self.socket.next().await.expect("an open browser");
            let text = message.expect("a message").into_text().expect("text");
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            // Everything else is an event that nobody asked for.
            if answer["id"] == json!(self.last_id) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers are in its group: whoever outlived it would write to its profile.
        let group = self.child.id().to_string();
        let kill = ["-c", "kill -KILL \"-$0\"", &group];
        let _ = Command::new("sh").args(kill).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address of the browser's websocket, which it writes to its profile.
async fn address(dir: &Path) -> String {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(dir.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n') {
            return format!("ws://127.0.0.1:{port}{path}");
        }
        assert!(started.elapsed() < PATIENCE, "Chromium does not start");
        tokio::time::sleep(POLL).await;
    }
}
