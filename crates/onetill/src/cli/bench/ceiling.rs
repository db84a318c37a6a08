//! A server that does everything but remember: the same sockets and limits, the URL, the
//! merchant, the signature, the body, every field, and a paid order's reply. What it answers a
//! second is the most that any store could leave of the gateway.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use wire::opengateway::document::BODY_BYTES_MAX;
use wire::opengateway::reply::{ErrorReply, FundBill, OrderReply};
use wire::opengateway::{
    Document, Format, FundChannel, MerchantKey, Operation, PreOrder, QueryString, ReturnCode, sign,
};

use super::BenchError;
use super::merchants::Merchant;
use crate::server::body::{BODY_TIMEOUT, read_body};
use crate::server::{Server, ServerConfig};

type Keys = Arc<HashMap<String, MerchantKey>>;

/// Serves until the user interrupts it.
pub(super) async fn run(listen: SocketAddr, merchants: Vec<Merchant>) -> Result<(), BenchError> {
    let keys = merchants
        .into_iter()
        .map(|merchant| (merchant.code, merchant.key));
    let keys: Keys = Arc::new(keys.collect());
    let server = Server::bind(ServerConfig::http(listen)).await?;
    writeln!(
        io::stdout(),
        "listening on {}, remembering nothing",
        server.addresses().http
    )?;
    server
        .run(router(keys), async { drop(tokio::signal::ctrl_c().await) })
        .await;
    Ok(())
}

fn router(keys: Keys) -> Router {
    let ready = any(|| async { "ready\n" });
    let dialect = any(serve);
    Router::new()
        .route("/openGateway/{*rest}", dialect)
        .route("/health/ready", ready)
        .with_state(keys)
}

async fn serve(State(keys): State<Keys>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let operation = parts.uri.path().strip_prefix(Operation::PreOrder.base());
    if operation != Some(Operation::PreOrder.segment()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(body) = read_body(body, BODY_BYTES_MAX, BODY_TIMEOUT).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let reply = match answer(&keys, parts.uri.query().unwrap_or(""), &body) {
        Ok(reply) => reply.encode(Format::Json),
        Err(code) => ErrorReply::new(Operation::PreOrder, code, "").encode(Format::Json),
    };
    let content_type = [(header::CONTENT_TYPE, Format::Json.content_type())];
    (content_type, Body::from(reply)).into_response()
}

fn answer(keys: &Keys, query: &str, body: &[u8]) -> Result<OrderReply, ReturnCode> {
    let query = QueryString::parse(query).map_err(|_| ReturnCode::IllegalParameter)?;
    let code = query.busi_code.ok_or(ReturnCode::IllegalParameter)?;
    let key = keys.get(&code).ok_or(ReturnCode::UnregisteredBusi)?;
    let given = query.sign.ok_or(ReturnCode::InvalidSign)?;
    sign::verify(key, &given, body).map_err(|_| ReturnCode::InvalidSign)?;
    let document = Document::decode(body).map_err(|_| ReturnCode::IllegalParameter)?;
    let request = PreOrder::decode(&document).map_err(|_| ReturnCode::IllegalParameter)?;
    let amount = domain::money::Fen::parse_yuan(&request.amount_yuan);
    let amount_fen = amount.map_err(|_| ReturnCode::AmtError)?.get();
    Ok(paid(request, amount_fen))
}

/// The reply to a payment that went through, as the gateway writes it.
fn paid(request: PreOrder, amount_fen: i64) -> OrderReply {
    let bill = FundBill {
        fund_channel: FundChannel::AlipayBalance,
        amount_fen,
    };
    OrderReply {
        channel_type: Some(request.channel_type),
        charge_code: Some(request.charge_code),
        charge_down_code: Some("20260101000000000001".to_owned()),
        charge_third_code: Some("20260101220014000001000000000001".to_owned()),
        merchant_para: request.merchant_para,
        fund_bills: vec![bill],
        oper_id: Some(request.oper_id),
        begin_time: Some("2026-01-01 00:00:00".to_owned()),
        amount_fen: Some(amount_fen),
        dev_id: Some(request.dev_id),
        ..OrderReply::new(ReturnCode::Success, "支付成功")
    }
}
