//! `onetill call voucher activate`, `result`, `void`, `info`, `query` and `trace`.

use super::Message;
use crate::cli::{CommandError, output};
use clap::Args;
use wire::voucher::{
    Action, Request,
    request::{Activate, Codes, ExtendData, Item, Items, ResultQuery, TraceQuery},
};
use zeroize::Zeroizing;

/// `businessType` that asks for the level of boxes.
const BOXES: u32 = wire::voucher::readings::BUSINESS_TYPE_BOX;

/// What a message is about.
#[derive(Args)]
pub struct NamesArgs {
    /// Codes, reels, packages and boxes
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Your own number of the message, unique for ever; made up and printed when absent
    #[arg(long, value_name = "NO")]
    trace_no: Option<String>,
    /// Show the boxes as well (businessType 12)
    #[arg(long)]
    boxes: bool,
}

/// Activate codes, reels, packages or boxes: all of them, or none.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call voucher activate R112102F-0000242-2585 --total 30.00
  onetill call voucher activate X22169-3141157-33476 --total 180 --shop 88001 --receipt 0042")]
pub struct ActivateArgs {
    #[command(flatten)]
    names: NamesArgs,
    /// What is paid for all of them, in yuan
    #[arg(long, value_name = "YUAN", value_parser = fen, default_value = "0")]
    total: i64,
    /// The shop, to be kept with it
    #[arg(long, value_name = "TEXT")]
    shop: Option<String>,
    /// The receipt, to be kept with it
    #[arg(long, value_name = "TEXT")]
    receipt: Option<String>,
    /// The till's serial, to be kept with it
    #[arg(long, value_name = "TEXT")]
    till_serial: Option<String>,
    /// The order system's number, to be kept with it
    #[arg(long, value_name = "TEXT")]
    oms: Option<String>,
}

/// What became of an activation.
#[derive(Args)]
pub struct ResultArgs {
    /// The activation's trace number
    #[arg(value_name = "TRACE_NO")]
    original: String,
    /// Show the boxes as well (businessType 12)
    #[arg(long)]
    boxes: bool,
}

/// What happened to a code.
#[derive(Args)]
pub struct TraceArgs {
    /// The code
    #[arg(value_name = "CODE")]
    code: String,
}

/// Yuan with at most two decimals, in fen.
pub(super) fn fen(text: &str) -> Result<i64, String> {
    let most = wire::jpos::Amount::new(wire::voucher::request::FEN_MAX);
    let read = wire::jpos::Amount::parse(text, most);
    read.map(|it| it.get()).map_err(|error| error.to_string())
}

impl NamesArgs {
    fn items(&self) -> Result<Items, CommandError> {
        let wrong = "a code or a name is 8 to 64 letters, digits, dashes or equal signs, and at \
                     most 1000 are named at once";
        let items = self.names.iter().map(|it| Item::parse(it.trim()));
        let items = items.collect::<Option<Vec<_>>>().and_then(Items::new);
        items.ok_or_else(|| wrong.into())
    }

    /// The number that was given, or the new one, which is printed.
    fn trace_no(&self, fresh: String) -> String {
        self.trace_no.clone().unwrap_or_else(|| {
            output::note(&format!("trace-no {fresh}"));
            fresh
        })
    }

    fn business_type(&self) -> Option<u32> {
        self.boxes.then_some(BOXES)
    }

    fn codes(&self, fresh: String) -> Result<Codes, CommandError> {
        Ok(Codes {
            items: self.items()?,
            trace_no: self.trace_no(fresh),
            business_type: self.business_type(),
        })
    }

    pub(super) fn void(&self, fresh: String) -> Result<Message, CommandError> {
        let codes = self.codes(fresh)?;
        let if_lost = again(&codes.trace_no);
        Ok(message(&Request::DelVoucher(codes), if_lost))
    }

    pub(super) fn look(&self, action: Action, fresh: String) -> Result<Message, CommandError> {
        let codes = Codes {
            items: self.items()?,
            trace_no: self.trace_no.clone().unwrap_or(fresh),
            business_type: self.business_type(),
        };
        let request = if action == Action::QueryVoucher {
            Request::QueryVoucher(codes)
        } else {
            Request::QueryVerifyInfo(codes)
        };
        Ok(message(&request, "ask again".to_owned()))
    }
}

impl ActivateArgs {
    pub(super) fn message(self, fresh: String) -> Result<Message, CommandError> {
        let trace_no = self.names.trace_no(fresh);
        let if_lost = format!(
            "ask with `onetill call voucher result {trace_no}`, or {}",
            again(&trace_no)
        );
        let request = Request::ActiveVoucher(Activate {
            items: self.names.items()?,
            trace_no,
            total_amount_fen: self.total,
            business_type: self.names.business_type(),
            extend_data: ExtendData {
                shop_no: self.shop,
                voucher_no: self.receipt,
                pos_serial_no: self.till_serial,
                oms: self.oms,
            },
        });
        Ok(message(&request, if_lost))
    }
}

impl ResultArgs {
    pub(super) fn message(self, trace_no: String) -> Message {
        let request = Request::ActiveResultQuery(ResultQuery {
            trace_no,
            original_trace_no: self.original,
            business_type: self.boxes.then_some(BOXES),
        });
        message(&request, "ask again".to_owned())
    }
}

impl TraceArgs {
    pub(super) fn message(&self, request_id: String) -> Result<Message, CommandError> {
        let item = Item::parse(self.code.trim());
        let item = item.ok_or("a code is 8 to 64 letters, digits, dashes or equal signs")?;
        let request = Request::QueryCodeTrace(TraceQuery { request_id, item });
        Ok(message(&request, "ask again".to_owned()))
    }
}

fn again(trace_no: &str) -> String {
    format!("send it again with --trace-no {trace_no}, which does nothing twice")
}

fn message(request: &Request, if_lost: String) -> Message {
    Message {
        action: request.action(),
        body: Zeroizing::new(request.to_json()),
        if_lost,
        server_key: None,
    }
}
