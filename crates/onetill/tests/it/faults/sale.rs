//! What a merchant asked for and what it was told: the memory that a gateway is held to.

use crate::support::process::HttpReply;
use wire::opengateway::{
    ChannelType, Order, PreOrder, Refund,
    request::{DynamicIdType, TradeType},
};

/// What the merchant knows about something it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// No reply came, or one that says that nobody knows.
    Nothing,
    /// SUCCESS.
    Done,
    /// Refused or declined: no money moved.
    Refused,
    /// The store was down and nothing was recorded.
    NotRecorded,
    /// The serial was used before.
    Repeat,
}

impl Told {
    /// What a reply says.
    pub fn of(reply: &HttpReply) -> Self {
        match (reply.status, reply.code().as_str()) {
            (200, "SUCCESS") => Self::Done,
            (200, "SERIAL_REPEAT") => Self::Repeat,
            (200, "DATABASE_ERROR") | (503, _) => Self::NotRecorded,
            (200, "FAIL" | "AMT_ERROR" | "AREADY_REVOKED" | "SERVICE_UNAVAILABLE") => Self::Refused,
            (200, "EXCEPTION") => Self::Nothing,
            // Its voucher's code cannot pay; a sale that was recorded is told its number.
            (200, "ILLEGAL_PARAMETER") if reply.field("CHARGE_DOWN_CODE").is_empty() => {
                Self::NotRecorded
            }
            (200, "ILLEGAL_PARAMETER") => Self::Refused,
            (status, code) => panic!("nobody expected {status} {code}: {}", reply.text()),
        }
    }
}

/// How a sale is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// By the code that the customer showed.
    PayerCode(String),
    /// By the customer, on the sandbox's page; with where to notify.
    Page(Option<String>),
}

/// A refund that was asked for.
#[derive(Clone, Debug)]
pub struct Back {
    /// The merchant's number of it.
    pub number: String,
    /// How much.
    pub fen: i64,
    /// What the merchant was told last.
    pub told: Told,
    /// It was asked for again, because nothing was told first.
    pub again: bool,
}

impl Back {
    /// Whether SUCCESS can mean "accepted" only: asked for again while it was under way, it is
    /// still to be refused by a wallet that gives no such amount back.
    pub const fn may_be_refused_later(&self) -> bool {
        self.again && self.fen % 100 == 97
    }
}

/// One sale of a till.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The merchant's serial.
    pub number: String,
    /// How much.
    pub fen: i64,
    /// How it is paid.
    pub how: How,
    /// The voucher's code that pays a part.
    pub code: Option<String>,
    /// The gateway's serial, when the merchant was told it.
    pub gateway_serial: Option<String>,
    /// What the merchant was told of the payment or order itself.
    pub told: Told,
    /// A query once said that it is paid.
    pub seen_paid: bool,
    /// The payer's page was told to pay, and said so.
    pub page_paid: bool,
    /// The refunds asked for.
    pub refunds: Vec<Back>,
    /// What became of the cancellation, if one was asked for.
    pub cancel: Option<Told>,
    /// Something of it was asked for again, because nothing was told first.
    pub again: bool,
    /// The round of the test in which it was last asked about.
    pub round: u32,
}

impl Sale {
    /// A sale nobody was told about yet.
    pub fn new(number: String, fen: i64, how: How, round: u32) -> Self {
        Self {
            number,
            fen,
            how,
            code: None,
            gateway_serial: None,
            told: Told::Nothing,
            seen_paid: false,
            page_paid: false,
            refunds: Vec::new(),
            cancel: None,
            again: false,
            round,
        }
    }

    /// Takes over what the reply to the payment or order says.
    pub fn begun(&mut self, reply: &HttpReply) {
        self.told = Told::of(reply);
        let serial = reply.field("CHARGE_DOWN_CODE");
        if !serial.is_empty() {
            self.gateway_serial = Some(serial);
        }
    }

    /// Whether the merchant was told that the customer paid.
    pub fn is_known_paid(&self) -> bool {
        self.seen_paid || (matches!(self.how, How::PayerCode(_)) && self.told == Told::Done)
    }

    /// Whether the customer's code makes the sandbox wait.
    pub fn is_slow(&self) -> bool {
        match &self.how {
            How::PayerCode(code) => ["01", "03", "08"].iter().any(|it| code.ends_with(it)),
            How::Page(_) => false,
        }
    }

    /// Whether something that was asked for has no answer.
    pub fn has_unanswered(&self) -> bool {
        let refund = self.refunds.iter().any(|it| it.told == Told::Nothing);
        self.told == Told::Nothing || refund || self.cancel == Some(Told::Nothing)
    }

    /// The request as first made; the same bytes each time.
    pub fn body(&self) -> String {
        match &self.how {
            How::PayerCode(code) => {
                let request = PreOrder {
                    verify_code: self.code.clone(),
                    ..pre_order_of(&self.number, self.fen, code)
                };
                request.to_json()
            }
            How::Page(notify_url) => {
                let request = Order {
                    verify_code: self.code.clone(),
                    ..order_of(&self.number, self.fen, notify_url.clone())
                };
                request.to_json()
            }
        }
    }
}

/// The body of a preOrder.
pub fn pre_order(number: &str, fen: i64, code: &str) -> String {
    pre_order_of(number, fen, code).to_json()
}

fn pre_order_of(number: &str, fen: i64, code: &str) -> PreOrder {
    PreOrder {
        busi_id: None,
        oper_id: "001".to_owned(),
        dev_id: "T01".to_owned(),
        merchant_para: None,
        register_id: None,
        amount_yuan: yuan(fen),
        time_expire_s: None,
        channel_type: ChannelType::Alipay,
        dynamic_id_type: DynamicIdType::Barcode,
        dynamic_id: code.to_owned(),
        charge_code: number.to_owned(),
        pay_subject: "Groceries".to_owned(),
        goods: Vec::new(),
        verify_code: None,
    }
}

/// The body of an order that the customer pays on a page.
pub fn order(number: &str, fen: i64, notify_url: Option<String>) -> String {
    order_of(number, fen, notify_url).to_json()
}

fn order_of(number: &str, fen: i64, notify_url: Option<String>) -> Order {
    Order {
        busi_id: None,
        oper_id: "001".to_owned(),
        dev_id: "T01".to_owned(),
        merchant_para: None,
        register_id: None,
        amount_yuan: yuan(fen),
        time_expire_s: None,
        channel_type: ChannelType::Alipay,
        trade_type: TradeType::Native,
        sub_appid: None,
        sub_openid: None,
        charge_code: number.to_owned(),
        notify_url,
        pay_subject: "Groceries".to_owned(),
        goods: Vec::new(),
        verify_code: None,
    }
}

/// The body of a refund.
pub fn refund(sale: &str, number: &str, fen: i64) -> String {
    let request = Refund {
        busi_id: None,
        oper_id: "001".to_owned(),
        dev_id: "T01".to_owned(),
        refund_yuan: yuan(fen),
        refund_subject: "Returned".to_owned(),
        charge_code: Some(sale.to_owned()),
        charge_down_code: None,
        out_refund_no: Some(number.to_owned()),
    };
    request.to_json()
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
