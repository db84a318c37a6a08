//! One connection's requests, and what it remembers of the answers.

use std::collections::VecDeque;
use std::sync::Arc;

use wire::opengateway::call::{Call, Caller};
use wire::opengateway::request::{DynamicIdType, TradeType};
use wire::opengateway::{
    ChannelType, Encryption, Format, Operation, Order, PreOrder, Refund, SerialType,
};

use super::codes::Codes;
use super::merchants::Merchant;
use super::mix::{Dice, Kind, PaymentKind, Shares};
use super::source::Errand;
use super::wire_client::Reply;

/// How many of its payments a till remembers.
const REMEMBERED_MAX: usize = 64;
/// The sandbox pays this code at once, and it is Alipay's.
const PAYER_CODE_START: &str = "28";
/// What a sale with a voucher costs at least, in yuan: more than a voucher of the demo pays, so that
/// the channel is asked as well.
const REDEEM_YUAN_MIN: usize = 100;
/// What stands for the reply when there is no code left to pay with.
const NO_CODES_LEFT: &str = "NO_CODES_LEFT";

/// What all tills of a run have in common.
pub(super) struct Habits {
    pub(super) merchants: Vec<Merchant>,
    pub(super) mix: Shares<PaymentKind>,
    /// Percent of the payments that repeat an earlier serial.
    pub(super) duplicates: u32,
    /// What redeem pays with.
    pub(super) codes: Option<Arc<Codes>>,
    /// Whether somebody wants to know what was promised.
    pub(super) keeps_promises: bool,
    /// What makes this run's serials differ from those of all others.
    pub(super) run: String,
}

/// A payment that was asked for.
#[derive(Clone)]
pub(super) struct Sale {
    merchant: usize,
    merchant_serial: String,
}

/// A payment that the gateway acknowledged.
pub(super) struct Promise {
    pub(super) merchant: String,
    pub(super) merchant_serial: String,
    pub(super) gateway_serial: String,
}

/// The source of one connection's requests.
pub(super) struct Till {
    habits: Arc<Habits>,
    number: u32,
    dice: Dice,
    issued: u64,
    paid: VecDeque<Sale>,
}

impl Till {
    pub(super) fn new(habits: Arc<Habits>, number: u32, seed: u64) -> Self {
        let seed = seed ^ u64::from(number).wrapping_mul(0xA076_1D64_78BD_642F);
        Self {
            habits,
            number,
            dice: Dice::new(seed),
            issued: 0,
            paid: VecDeque::with_capacity(REMEMBERED_MAX),
        }
    }

    /// The next request, signed at `now_ms`. What needs an earlier payment is a payment as long
    /// as there is none. The error says what cannot be asked, and why.
    pub(super) fn next(&mut self, now_ms: i64) -> Result<Errand, (Kind, String)> {
        let mut kind = self.habits.mix.pick(self.dice.roll());
        if kind == PaymentKind::Pay && self.dice.below(100) < self.habits.duplicates as usize {
            kind = PaymentKind::Duplicate;
        }
        let (kind, sale) = match kind {
            PaymentKind::Pay | PaymentKind::Redeem | PaymentKind::Order => (kind, self.new_sale()),
            PaymentKind::Duplicate | PaymentKind::Query => self.earlier(kind, false),
            PaymentKind::Refund | PaymentKind::Cancel => self.earlier(kind, true),
        };
        let call = self.call(kind, &sale, now_ms);
        let kind = Kind::Payment(kind);
        Ok(Errand {
            kind,
            call: call.ok_or_else(|| (kind, NO_CODES_LEFT.to_owned()))?,
            sale: Some(sale),
        })
    }

    /// Remembers a payment that was acknowledged; says what was promised of it, if anybody wants
    /// to know.
    pub(super) fn hear(&mut self, errand: &Errand, reply: &Reply<'_>) -> Option<Promise> {
        let is_pay = matches!(
            errand.kind,
            Kind::Payment(PaymentKind::Pay | PaymentKind::Redeem)
        );
        let sale = errand.sale.as_ref().filter(|_| is_pay)?;
        if self.paid.len() >= REMEMBERED_MAX {
            self.paid.pop_front();
        }
        self.paid.push_back(sale.clone());
        if !self.habits.keeps_promises {
            return None;
        }
        Some(Promise {
            merchant: self.habits.merchants.get(sale.merchant)?.code.clone(),
            merchant_serial: sale.merchant_serial.clone(),
            gateway_serial: reply.gateway_serial()?.to_owned(),
        })
    }

    fn earlier(&mut self, kind: PaymentKind, forget: bool) -> (PaymentKind, Sale) {
        let index = self.dice.below(self.paid.len());
        let sale = if forget {
            self.paid.swap_remove_back(index)
        } else {
            self.paid.get(index).cloned()
        };
        match sale {
            Some(sale) => (kind, sale),
            None => (PaymentKind::Pay, self.new_sale()),
        }
    }

    /// As at a real till: its serials ascend, and many tills' serials interleave.
    fn new_sale(&mut self) -> Sale {
        self.issued += 1;
        let (run, till, issued) = (&self.habits.run, self.number, self.issued);
        Sale {
            merchant_serial: format!("{till:04}-{run}-{issued:08}"),
            merchant: self.dice.below(self.habits.merchants.len()),
        }
    }

    /// `None` when there is no code left for it.
    fn call(&mut self, kind: PaymentKind, sale: &Sale, now_ms: i64) -> Option<Call> {
        let habits = Arc::clone(&self.habits);
        let Some(merchant) = habits.merchants.get(sale.merchant) else {
            return Some(Call {
                method: "GET",
                target: "/".to_owned(),
                body: Vec::new(),
            });
        };
        let caller = Caller {
            busi_code: &merchant.code,
            key: &merchant.key,
            timestamp: &now_ms.to_string(),
            format: Format::Json,
            encryption: Encryption::None,
        };
        let serial = &sale.merchant_serial;
        Some(match kind {
            PaymentKind::Pay | PaymentKind::Duplicate => {
                let body = self.pre_order(serial).to_json();
                caller.post(Operation::PreOrder, body.as_bytes())
            }
            PaymentKind::Redeem => {
                let code = habits.codes.as_ref()?.take()?;
                let body = self.redeem(serial, code).to_json();
                caller.post(Operation::PreOrder, body.as_bytes())
            }
            PaymentKind::Order => {
                caller.post(Operation::Order, self.order(serial).to_json().as_bytes())
            }
            PaymentKind::Refund => {
                caller.post(Operation::Refund, self.refund(serial).to_json().as_bytes())
            }
            PaymentKind::Query => caller.query(serial, SerialType::Merchant, true),
            PaymentKind::Cancel => caller.cancel(serial, false),
        })
    }

    fn redeem(&mut self, serial: &str, code: &str) -> PreOrder {
        PreOrder {
            amount_yuan: self.amount_yuan(REDEEM_YUAN_MIN),
            verify_code: Some(code.to_owned()),
            ..self.pre_order(serial)
        }
    }

    fn pre_order(&mut self, serial: &str) -> PreOrder {
        let payer = self.dice.roll() % 10_000_000_000_000;
        PreOrder {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: self.device(),
            merchant_para: None,
            register_id: Some("S001".to_owned()),
            amount_yuan: self.amount_yuan(0),
            time_expire_s: None,
            channel_type: ChannelType::Alipay,
            dynamic_id_type: DynamicIdType::Barcode,
            // The last two digits choose the sandbox's behaviour; 00 pays at once.
            dynamic_id: format!("{PAYER_CODE_START}{payer:013}100"),
            charge_code: serial.to_owned(),
            pay_subject: "Groceries".to_owned(),
            goods: Vec::new(),
            verify_code: None,
        }
    }

    fn order(&mut self, serial: &str) -> Order {
        Order {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: self.device(),
            merchant_para: None,
            register_id: Some("S001".to_owned()),
            amount_yuan: self.amount_yuan(0),
            time_expire_s: None,
            channel_type: ChannelType::Alipay,
            trade_type: TradeType::Native,
            sub_appid: None,
            sub_openid: None,
            charge_code: serial.to_owned(),
            notify_url: None,
            pay_subject: "Groceries".to_owned(),
            goods: Vec::new(),
            verify_code: None,
        }
    }

    fn refund(&self, serial: &str) -> Refund {
        Refund {
            busi_id: None,
            oper_id: "001".to_owned(),
            dev_id: self.device(),
            refund_yuan: "0.01".to_owned(),
            refund_subject: "Returned".to_owned(),
            charge_code: Some(serial.to_owned()),
            charge_down_code: None,
            out_refund_no: Some(format!("R{serial}")),
        }
    }

    fn device(&self) -> String {
        format!("T{:04}", self.number)
    }

    /// The sandbox refuses to refund amounts that end in 99 fen, and takes its time for 98.
    fn amount_yuan(&mut self, yuan_min: usize) -> String {
        let (yuan, fen) = (self.dice.below(500 - yuan_min), self.dice.below(90) + 1);
        let yuan = yuan_min + yuan;
        format!("{yuan}.{fen:02}")
    }
}
