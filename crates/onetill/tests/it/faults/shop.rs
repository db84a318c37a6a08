//! A merchant that sells one thing after the other and holds its gateway to what it was told.

use super::sale;
use crate::support::process::{Client, HttpReply, Merchant, Process, Recipe, bare};
use std::time::{Duration, Instant};
use wire::opengateway::Operation;

/// A busy machine may be slow; nothing here is timed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a merchant was told of its payments, by their numbers.
pub struct Shop {
    client: Client,
    name: String,
    count: u32,
    /// Answered SUCCESS.
    pub acknowledged: Vec<String>,
    /// Answered that nothing was recorded.
    pub refused: Vec<String>,
    /// Answered that nobody knows.
    pub unknown: Vec<String>,
}

impl Shop {
    /// A merchant whose numbers begin with `name`.
    pub fn new(gateway: &Process, name: &str) -> Self {
        Self {
            client: gateway.client(),
            name: name.to_owned(),
            count: 0,
            acknowledged: Vec::new(),
            refused: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Goes on with another gateway.
    pub fn moves_to(&mut self, gateway: &Process) {
        self.client = gateway.client();
    }

    /// The number that was sold last.
    pub fn last(&self) -> String {
        format!("{}-{}", self.name, self.count)
    }

    /// Sells something new; the answer's code.
    pub async fn sell(&mut self) -> String {
        self.count += 1;
        self.ask_to_pay(self.last()).await
    }

    async fn ask_to_pay(&mut self, number: String) -> String {
        let body = sale::pre_order(&number, 500, "284214903060794755");
        let call = Merchant::demo().post(Operation::PreOrder, &body);
        let reply = self.client.call(&call).await.unwrap();
        let told = match reply.code().as_str() {
            "SUCCESS" => &mut self.acknowledged,
            "DATABASE_ERROR" => &mut self.refused,
            "EXCEPTION" => &mut self.unknown,
            code => panic!("{code} is no answer of a broken store: {}", reply.text()),
        };
        told.push(number);
        reply.code()
    }

    /// What a query for `number` says: the code, and STATE.
    pub async fn query(&mut self, number: &str) -> (String, String) {
        let call = Merchant::demo().query(number);
        let reply: HttpReply = self.client.call(&call).await.unwrap();
        (reply.code(), reply.field("STATE"))
    }

    /// The store works again: what was refused was not recorded and can be asked for again, what
    /// was unknown is known.
    pub async fn settles(&mut self) {
        for number in std::mem::take(&mut self.refused) {
            let (code, _) = self.query(&number).await;
            assert_eq!(code, "CHARGE_NONEXISTENT", "{number} was refused");
            self.pays(number).await;
        }
        for number in std::mem::take(&mut self.unknown) {
            self.becomes_known(number).await;
        }
    }

    /// Asks to pay until that is done: one of several writers may come back later than another.
    async fn pays(&mut self, number: String) {
        let started = Instant::now();
        while self.ask_to_pay(number.clone()).await != "SUCCESS" {
            assert_eq!(self.refused.pop().as_ref(), Some(&number), "nothing else");
            assert!(
                started.elapsed() < PATIENCE,
                "{number} is refused on and on"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// It is not there, or it ends.
    async fn becomes_known(&mut self, number: String) {
        let started = Instant::now();
        loop {
            let (code, state) = self.query(&number).await;
            match (code.as_str(), state.as_str()) {
                ("CHARGE_NONEXISTENT", _) => return self.pays(number).await,
                ("SUCCESS", "1") => return self.acknowledged.push(number),
                ("SUCCESS", "2" | "6") => return,
                ("SUCCESS" | "EXCEPTION" | "DATABASE_ERROR", _) => {}
                (code, state) => panic!("{number} is {code} {state}"),
            }
            assert!(started.elapsed() < PATIENCE, "{number}: {code} {state}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Whatever was acknowledged is there, and paid.
    pub async fn finds_all_again(&mut self) {
        for number in self.acknowledged.clone() {
            let found = self.query(&number).await;
            assert_eq!(found, ("SUCCESS".to_owned(), "1".to_owned()), "{number}");
        }
    }
}

/// Waits until `/health/ready` answers `status`.
pub async fn becomes(gateway: &Process, status: u16) {
    let started = Instant::now();
    while gateway.health("ready").await != Some(status) {
        let log = || gateway.log_tail();
        assert!(started.elapsed() < PATIENCE, "never {status}:\n{}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What an operator is told by `onetill doctor`, on the gateway's own disk, while it is broken.
pub fn doctor(recipe: &Recipe) -> String {
    let program = [env!("CARGO_BIN_EXE_onetill").into()];
    let mut words = recipe.wrapper.iter().cloned().chain(program);
    let mut command = bare(&words.next().unwrap());
    command.args(words).args(["doctor", "--demo", "--data"]);
    command.arg(&recipe.data).args(&recipe.options);
    command.args(["--listen", &recipe.address.to_string()]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}
