//! A client's side of a request: signed, sealed if asked for, with its target.

use super::key::MerchantKey;
use super::operation::Operation;
use super::query::{Encryption, Format, SerialType, percent_encode};
use super::{seal, sign};
use std::fmt;

/// What every call of one merchant has in common.
pub struct Caller<'a> {
    /// The merchant.
    pub busi_code: &'a str,
    /// Its key.
    pub key: &'a MerchantKey,
    /// 10 digits of seconds or 13 of milliseconds.
    pub timestamp: &'a str,
    /// The reply's format.
    pub format: Format,
    /// The cipher of request and reply.
    pub encryption: Encryption,
}

/// A request ready to be sent. Its `Debug` shows the method only.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// `POST` or `GET`.
    pub method: &'static str,
    /// Path and query, starting with `/openGateway/`.
    pub target: String,
    /// The body; empty for GET.
    pub body: Vec<u8>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The target carries the signature and the body the payer's code: sent again, they pay.
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Caller<'_> {
    /// A POST of `plaintext` for an operation that has a body.
    pub fn post(&self, operation: Operation, plaintext: &[u8]) -> Call {
        let mut target = path(operation);
        if matches!(operation, Operation::FlowRecharge) {
            push_segment(&mut target, self.busi_code);
        }
        self.push_query(&mut target, Some(plaintext), true);
        let body = match self.encryption {
            Encryption::None => plaintext.to_vec(),
            Encryption::TripleDes => seal::seal(self.key, plaintext).into_bytes(),
        };
        Call {
            method: "POST",
            target,
            body,
        }
    }

    /// A query; it signs the bare code. `is_signed` false is what the source documents.
    pub fn query(&self, code: &str, serial_type: SerialType, is_signed: bool) -> Call {
        let mut target = path(Operation::Query);
        push_segment(&mut target, code);
        push_segment(&mut target, self.busi_code);
        let content = is_signed.then_some(code.as_bytes());
        self.push_query(&mut target, content, false);
        target.push_str("&serType=");
        target.push_str(serial_type.as_str());
        get(target)
    }

    /// A cancellation, at once or after an operator's approval.
    pub fn cancel(&self, charge_code: &str, needs_approval: bool) -> Call {
        let mut target = path(Operation::CancelTrade);
        push_segment(&mut target, charge_code);
        push_segment(&mut target, self.busi_code);
        let content = sign::cancel_content(charge_code, self.busi_code);
        self.push_query(&mut target, Some(content.as_bytes()), false);
        if needs_approval {
            target.push_str("&opType=ACO");
        }
        get(target)
    }

    fn push_query(&self, target: &mut String, content: Option<&[u8]>, has_busi_code: bool) {
        target.push_str("?_type=");
        target.push_str(self.format.as_str());
        if let Some(content) = content {
            target.push_str("&sign=");
            target.push_str(&sign::sign(self.key, self.timestamp, content));
        }
        if self.encryption == Encryption::TripleDes {
            target.push_str("&encrypt=3DES");
        }
        if has_busi_code {
            target.push_str("&busiCode=");
            target.push_str(&percent_encode(self.busi_code));
        }
    }
}

fn path(operation: Operation) -> String {
    let mut path = String::with_capacity(256);
    path.push_str(operation.base());
    path.push_str(operation.segment());
    path
}

fn push_segment(target: &mut String, segment: &str) {
    target.push('/');
    target.push_str(&percent_encode(segment));
}

const fn get(target: String) -> Call {
    Call {
        method: "GET",
        target,
        body: Vec::new(),
    }
}
