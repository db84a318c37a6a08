//! What pay and order have in common.

use super::{CommandError, Maker, Notes};
use clap::Args;
use serde_json::Value;
use std::{fs, path::PathBuf};
use wire::opengateway::{ChannelType, code::Locale, request::Good};

/// The fields of a sale.
#[derive(Args)]
pub struct SaleArgs {
    /// What to charge, in yuan
    #[arg(long, value_name = "YUAN")]
    pub amount: String,
    /// Your own serial of the payment, unique for ever; made up and printed when absent
    #[arg(long)]
    pub serial: Option<String>,
    /// What is sold
    #[arg(long, default_value = "onetill call")]
    pub subject: String,
    /// Who sells
    #[arg(long, default_value = "001")]
    pub operator: String,
    /// At which till
    #[arg(long, default_value = "onetill-cli")]
    pub device: String,
    /// In which shop
    #[arg(long, value_name = "ID")]
    pub store_id: Option<String>,
    /// How long the customer may take, in seconds, at least 120
    #[arg(long, value_name = "S")]
    pub time_expire: Option<u32>,
    /// A text to be given back in replies
    #[arg(long, value_name = "TEXT")]
    pub echo: Option<String>,
    /// File with the articles: a JSON array of objects with GOOD_ID, GOOD_NAME, GOOD_CLASS,
    /// GOOD_PRICE, GOOD_SUBJECT, GOOD_QUANTITY
    #[arg(long, value_name = "FILE")]
    pub goods_json: Option<PathBuf>,
    /// A voucher's code, redeemed with the payment
    #[arg(long, value_name = "CODE")]
    pub voucher: Option<String>,
}

impl SaleArgs {
    /// The serial that was given, or a new one and its note.
    pub fn serial(&self, maker: &Maker<'_>) -> Result<(String, Notes), CommandError> {
        let (serial, is_new) = maker.serial(self.serial.clone())?;
        let generated = is_new.then(|| ("serial", serial.clone()));
        Ok((serial, generated.into_iter().collect()))
    }

    /// The articles.
    pub fn goods(&self) -> Result<Vec<Good>, CommandError> {
        let Some(path) = &self.goods_json else {
            return Ok(Vec::new());
        };
        let name = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let goods = serde_json::from_str::<Vec<Value>>(&text);
        let goods = goods.map_err(|error| format!("{name}: not a JSON array: {error}"))?;
        Ok(goods.iter().map(good).collect())
    }
}

/// What is missing is sent empty: the gateway says which field it is.
fn good(item: &Value) -> Good {
    let text = |name| match item.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    Good {
        id: text("GOOD_ID").unwrap_or_default(),
        name: text("GOOD_NAME").unwrap_or_default(),
        class: text("GOOD_CLASS").unwrap_or_default(),
        price_yuan: text("GOOD_PRICE").unwrap_or_default(),
        subject: text("GOOD_SUBJECT").unwrap_or_default(),
        quantity: text("GOOD_QUANTITY").unwrap_or_default(),
        show_url: text("GOOD_SHOWURL"),
    }
}

/// Reads a channel's number.
pub fn channel(text: &str) -> Result<ChannelType, String> {
    let known = text.parse().ok().and_then(ChannelType::from_code);
    known.ok_or_else(|| {
        let all = ChannelType::ALL.iter();
        let all = all.map(|it| format!("{} {}", it.code(), it.name(Locale::En)));
        format!("channels are {}", all.collect::<Vec<_>>().join(", "))
    })
}

/// What to do when the reply to a payment is lost.
pub fn if_lost(serial: &str) -> String {
    format!(
        "ask with `onetill call query {serial}` before charging again; `onetill call cancel \
         {serial}` takes it back, paid or not"
    )
}
