//! A merchant's till: it signs, seals, sends and reads.

use super::{
    bodies,
    house::House,
    http::{self, Reply},
};
use serde_json::Value;
use std::ops::Deref;
use wire::opengateway::{
    Encryption, Format, MerchantKey, Operation, SerialType,
    call::{Call, Caller},
    received::Received,
    seal,
};

/// A till of one merchant.
#[derive(Clone)]
pub struct Till<'a> {
    house: &'a House,
    /// The merchant.
    pub busi_code: String,
    /// Its key.
    pub key: MerchantKey,
    format: Format,
    encryption: Encryption,
}

/// A reply, opened and read.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer(Received);

impl Answer {
    /// Reads a plaintext.
    pub fn read(plaintext: &[u8]) -> Self {
        let text = String::from_utf8_lossy(plaintext);
        Self(Received::decode(plaintext).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    /// `CODE`.
    pub fn code(&self) -> String {
        self.0.code_text().unwrap()
    }

    /// `INFO`.
    pub fn info(&self) -> String {
        self.0.info().unwrap()
    }

    /// A field that must be there.
    pub fn get(&self, path: &str) -> String {
        self.0
            .field(path)
            .unwrap_or_else(|| panic!("no {path} in {:?}", self.0.flattened()))
    }

    /// The answer, if its `CODE` is this one.
    pub fn expect(self, code: &str) -> Self {
        assert_eq!(self.code(), code, "{}", self.info());
        self
    }
}

impl Deref for Answer {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.0
    }
}

impl<'a> Till<'a> {
    /// A till that asks for JSON.
    pub fn new(house: &'a House, busi_code: &str, key: &str) -> Self {
        Self {
            house,
            busi_code: busi_code.to_owned(),
            key: MerchantKey::new(key),
            format: Format::Json,
            encryption: Encryption::None,
        }
    }

    /// The same till asking for XML.
    pub fn xml(&self) -> Self {
        Self {
            format: Format::Xml,
            ..self.clone()
        }
    }

    /// The same till sealing with 3DES.
    pub fn sealed(&self) -> Self {
        Self {
            encryption: Encryption::TripleDes,
            ..self.clone()
        }
    }

    /// A call of this till, signed at the house's time.
    pub fn call(&self, make: impl FnOnce(&Caller<'_>) -> Call) -> Call {
        make(&Caller {
            busi_code: &self.busi_code,
            key: &self.key,
            timestamp: &self.house.now().0.to_string(),
            format: self.format,
            encryption: self.encryption,
        })
    }

    /// A signed POST.
    pub fn posting(&self, operation: Operation, body: &[u8]) -> Call {
        self.call(|caller| caller.post(operation, body))
    }

    /// Sends a call.
    pub async fn send(&self, call: &Call) -> Reply {
        http::send(self.house.address, call).await
    }

    /// Opens and reads a reply, which the dialect always gives with HTTP 200.
    pub fn read(&self, reply: &Reply) -> Answer {
        assert_eq!(reply.status, 200, "{reply:?}");
        match self.encryption {
            Encryption::None => Answer::read(&reply.body),
            Encryption::TripleDes => Answer::read(&seal::open(&self.key, &reply.body).unwrap()),
        }
    }

    /// Sends a call and reads its reply.
    pub async fn ask(&self, call: &Call) -> Answer {
        self.read(&self.send(call).await)
    }

    /// Posts a body.
    pub async fn post(&self, operation: Operation, body: &Value) -> Answer {
        self.post_text(operation, &body.to_string()).await
    }

    /// Posts a body as it is written.
    pub async fn post_text(&self, operation: Operation, body: &str) -> Answer {
        self.ask(&self.posting(operation, body.as_bytes())).await
    }

    /// preOrder with a code that pays at once unless its end says otherwise, for 0.01 yuan.
    pub async fn pay(&self, charge_code: &str, dynamic_id: &str) -> Answer {
        let body = bodies::pre_order(charge_code, dynamic_id);
        self.post(Operation::PreOrder, &body).await
    }

    /// preOrder over an amount in yuan, which is paid at once; gives CHARGE_DOWN_CODE.
    pub async fn paid(&self, charge_code: &str, yuan: &str) -> String {
        let body = bodies::with(bodies::pre_order(charge_code, bodies::PAYS), "AMT", yuan);
        let answer = self.post(Operation::PreOrder, &body).await;
        answer.expect("SUCCESS").get("CHARGE_DOWN_CODE")
    }

    /// order of 0.10 yuan over channel 2.
    pub async fn order(&self, charge_code: &str) -> Answer {
        self.post(Operation::Order, &bodies::order(charge_code))
            .await
    }

    /// Refund under a number.
    pub async fn refund(&self, charge_code: &str, yuan: &str, number: &str) -> Answer {
        let body = bodies::refund(charge_code, yuan, number);
        self.post(Operation::Refund, &body).await
    }

    /// Signed query by the merchant's serial.
    pub async fn query(&self, charge_code: &str) -> Answer {
        let call = self.call(|it| it.query(charge_code, SerialType::Merchant, true));
        self.ask(&call).await
    }

    /// The STATE that a query shows.
    pub async fn state(&self, charge_code: &str) -> String {
        let found = self.query(charge_code).await;
        found.expect("SUCCESS").get("STATE")
    }

    /// Cancellation at once.
    pub async fn cancel(&self, charge_code: &str) -> Answer {
        self.ask(&self.call(|it| it.cancel(charge_code, false)))
            .await
    }

    /// Cancellation by an operator's decision.
    pub async fn request_cancel(&self, charge_code: &str) -> Answer {
        self.ask(&self.call(|it| it.cancel(charge_code, true)))
            .await
    }
}
