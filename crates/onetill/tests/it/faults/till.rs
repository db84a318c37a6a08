//! A till: one client that sells, takes back, cancels and asks until it is told to stop or its
//! gateway is gone.

use super::{
    dice::Dice,
    sale::{self, Back, How, Sale, Told},
    top_up::TopUp,
    vouchers::Pool,
};
use crate::support::process::{Client, HttpReply, Merchant};
use std::{io, net::SocketAddr, time::Duration};
use tokio::sync::watch;
use wire::opengateway::Operation;

/// A till with all it ever sold.
pub struct Till {
    /// Its number.
    pub number: usize,
    /// Its gateway.
    pub gateway: SocketAddr,
    /// Everything it sold.
    pub sales: Vec<Sale>,
    /// Everything it topped up.
    pub top_ups: Vec<TopUp>,
    /// The round of the test.
    pub round: u32,
    /// Whether the next sale is one whose customer hesitates.
    pub slow_next: bool,
    /// The vouchers' codes that its customers hold.
    pool: Pool,
    /// Where it is notified.
    notify: String,
    /// Its customers, on the wallet's page.
    page: Client,
    dice: Dice,
    merchant: Merchant,
}

/// Customers' codes by their last two digits; most pay at once.
const QUICK_ENDS: [&str; 12] = [
    "00", "10", "11", "12", "13", "14", "15", "16", "02", "04", "05", "07",
];
const SLOW_ENDS: [&str; 3] = ["01", "03", "08"];

impl Till {
    /// A till that has sold nothing.
    pub fn new(
        number: usize,
        gateway: SocketAddr,
        wallet: SocketAddr,
        notify: &str,
        pool: &Pool,
        seed: u64,
    ) -> Self {
        let salt = u64::try_from(number).expect("a small number");
        Self {
            number,
            gateway,
            sales: Vec::new(),
            top_ups: Vec::new(),
            round: 0,
            slow_next: false,
            pool: pool.clone(),
            notify: notify.to_owned(),
            page: Client::new(wallet),
            dice: Dice::new(seed ^ salt.wrapping_mul(0xA076_1D64_78BD_642F)),
            merchant: Merchant::demo(),
        }
    }

    /// Works until told to stop or until a request gets no reply. One that is still waited for
    /// when it is told to stop is hung up on: it is remembered as unanswered.
    pub async fn work(mut self, mut stopped: watch::Receiver<bool>) -> Self {
        let mut client = Client::new(self.gateway);
        tokio::select! {
            () = self.work_on(&mut client) => {}
            _ = stopped.wait_for(|it| *it) => {}
        }
        self
    }

    async fn work_on(&mut self, client: &mut Client) {
        while self.step(client).await.is_ok() {
            let last = self.sales.last().map(|sale| sale.told);
            if last == Some(Told::NotRecorded) {
                // A store that is down refuses at once; nobody learns more from asking faster.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn step(&mut self, client: &mut Client) -> io::Result<()> {
        match self.dice.below(100) {
            0..=39 => self.pay(client).await,
            40..=59 => self.order(client).await,
            60..=74 => self.refund(client).await,
            75..=82 => self.cancel(client).await,
            83..=88 => self.top_up(client).await,
            _ => self.query(client).await,
        }
    }

    async fn pay(&mut self, client: &mut Client) -> io::Result<()> {
        let ends: &[&str] = if std::mem::take(&mut self.slow_next) {
            &SLOW_ENDS
        } else if self.dice.percent(70) {
            &["00"]
        } else {
            &QUICK_ENDS
        };
        let end = *self.dice.pick(ends);
        let code = format!("28{:014}{end}", self.dice.below(100_000_000_000_000));
        self.begin(client, How::PayerCode(code)).await
    }

    async fn order(&mut self, client: &mut Client) -> io::Result<()> {
        let notify = self.dice.percent(70).then(|| self.notify.clone());
        self.begin(client, How::Page(notify)).await?;
        let Some(sale) = self.sales.last_mut() else {
            return Ok(());
        };
        let Some(serial) = sale.gateway_serial.clone() else {
            return Ok(());
        };
        let action = match self.dice.below(10) {
            0 => return Ok(()),
            1 => "action=decline",
            _ => "action=pay",
        };
        let page = format!("/sandbox/pay/{serial}");
        let reply = self.page.post_form(&page, action).await?;
        sale.page_paid = reply.status == 200 && reply.text().contains("\"state\":\"paid\"");
        sale.round = self.round;
        Ok(())
    }

    async fn begin(&mut self, client: &mut Client, how: How) -> io::Result<()> {
        let number = format!("F{:02}-{:06}", self.number, self.sales.len());
        // The sandbox never gives back an amount that ends in 97 fen: a late success of such a
        // sale would be tried for ever.
        let tens = i64::try_from(self.dice.below(70)).expect("a small amount");
        let fen = 200 + 10 * tens + *self.dice.pick(&[0, 1, 5, 8]);
        let roll = self.dice.roll();
        let code = self
            .dice
            .percent(30)
            .then(|| self.pool.draw(roll))
            .flatten();
        let sale = Sale::new(number, fen, how, self.round);
        self.sales.push(Sale { code, ..sale });
        let index = self.sales.len() - 1;
        self.ask_begin(client, index).await
    }

    /// Asks for the sale at `index`, the first time or again.
    async fn ask_begin(&mut self, client: &mut Client, index: usize) -> io::Result<()> {
        let sale = &mut self.sales[index];
        let operation = match sale.how {
            How::PayerCode(_) => Operation::PreOrder,
            How::Page(_) => Operation::Order,
        };
        sale.round = self.round;
        let reply = client
            .call(&self.merchant.post(operation, &sale.body()))
            .await?;
        sale.begun(&reply);
        Ok(())
    }

    /// An earlier sale that is known to be paid and was not cancelled.
    fn earlier_paid(&mut self) -> Option<usize> {
        let count = u64::try_from(self.sales.len()).ok()?.min(200);
        if count == 0 {
            return None;
        }
        let back = usize::try_from(self.dice.below(count)).ok()?;
        let index = self.sales.len() - 1 - back;
        let sale = &self.sales[index];
        (sale.is_known_paid() && sale.cancel.is_none()).then_some(index)
    }

    async fn refund(&mut self, client: &mut Client) -> io::Result<()> {
        let Some(index) = self.earlier_paid() else {
            return Ok(());
        };
        let fen = match self.dice.below(20) {
            // Refused for good, and waiting at first: the sandbox's special amounts.
            0 => 97,
            1 | 2 => 98,
            _ => 1 + i64::try_from(self.dice.below(90)).expect("a small amount"),
        };
        let sale = &mut self.sales[index];
        let number = format!("{}-R{}", sale.number, sale.refunds.len());
        sale.refunds.push(Back {
            number,
            fen,
            told: Told::Nothing,
            again: false,
        });
        let last = sale.refunds.len() - 1;
        self.ask_refund(client, index, last).await
    }

    async fn ask_refund(
        &mut self,
        client: &mut Client,
        sale: usize,
        back: usize,
    ) -> io::Result<()> {
        let sale = &mut self.sales[sale];
        let (number, fen) = (sale.refunds[back].number.clone(), sale.refunds[back].fen);
        let body = sale::refund(&sale.number, &number, fen);
        sale.round = self.round;
        let reply = client
            .call(&self.merchant.post(Operation::Refund, &body))
            .await?;
        sale.refunds[back].told = Told::of(&reply);
        Ok(())
    }

    async fn cancel(&mut self, client: &mut Client) -> io::Result<()> {
        match self.earlier_paid() {
            Some(index) => self.ask_cancel(client, index).await,
            None => Ok(()),
        }
    }

    async fn ask_cancel(&mut self, client: &mut Client, index: usize) -> io::Result<()> {
        let sale = &mut self.sales[index];
        sale.cancel = Some(Told::Nothing);
        sale.round = self.round;
        let reply = client.call(&self.merchant.cancel(&sale.number)).await?;
        sale.cancel = Some(Told::of(&reply));
        Ok(())
    }

    async fn top_up(&mut self, client: &mut Client) -> io::Result<()> {
        // 1, the till, and a count: every phone is topped up once.
        let count = self.top_ups.len() + 1;
        let dead = if self.dice.percent(15) {
            "0000"
        } else {
            "1234"
        };
        let phone = format!("1{:02}{count:04}{dead}", self.number);
        let notify = self.dice.percent(70).then(|| self.notify.clone());
        let top_up = TopUp::new(&self.merchant, phone, notify, self.round);
        self.top_ups.push(top_up);
        self.ask_top_up(client, self.top_ups.len() - 1).await
    }

    async fn ask_top_up(&mut self, client: &mut Client, index: usize) -> io::Result<()> {
        let top_up = &mut self.top_ups[index];
        top_up.round = self.round;
        let reply = client.call(&top_up.call).await?;
        top_up.begun(&reply);
        Ok(())
    }

    async fn query(&mut self, client: &mut Client) -> io::Result<()> {
        let recent = self.sales.len().saturating_sub(20);
        if recent == self.sales.len() {
            return Ok(());
        }
        let span = u64::try_from(self.sales.len() - recent).expect("a short list");
        let index = recent + usize::try_from(self.dice.below(span)).expect("an index");
        let reply = self.ask_state(client, index).await?;
        if reply.code() == "SUCCESS" && reply.field("STATE") == "1" {
            self.sales[index].seen_paid = true;
        }
        Ok(())
    }

    /// Queries the sale at `index`.
    pub async fn ask_state(&self, client: &mut Client, index: usize) -> io::Result<HttpReply> {
        client
            .call(&self.merchant.query(&self.sales[index].number))
            .await
    }

    /// Asks again, with the same bytes, for everything that got no answer. Customers who
    /// hesitate are not asked again: each would hold the till for seconds.
    pub async fn ask_again(&mut self) -> io::Result<usize> {
        let mut client = Client::new(self.gateway);
        let mut again = 0;
        for index in 0..self.sales.len() {
            let sale = &self.sales[index];
            if !sale.has_unanswered() || sale.is_slow() {
                continue;
            }
            again += 1;
            self.sales[index].again = true;
            if self.sales[index].told == Told::Nothing {
                self.ask_begin(&mut client, index).await?;
            }
            if self.sales[index].cancel == Some(Told::Nothing) {
                self.ask_cancel(&mut client, index).await?;
            }
            for back in 0..self.sales[index].refunds.len() {
                if self.sales[index].refunds[back].told == Told::Nothing {
                    self.sales[index].refunds[back].again = true;
                    self.ask_refund(&mut client, index, back).await?;
                }
            }
        }
        for index in 0..self.top_ups.len() {
            if self.top_ups[index].told == Told::Nothing {
                again += 1;
                self.top_ups[index].again = true;
                self.ask_top_up(&mut client, index).await?;
            }
        }
        Ok(again)
    }
}
