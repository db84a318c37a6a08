//! mobile/sendVerifyCode and card/active: a stocked card gets its holder.

use zeroize::Zeroizing;

use super::error::{Demand, RequestError};
use super::fields;
use super::head::{Card, Head, Terminal};
use crate::jpos::form::Form;
use crate::jpos::name;
use crate::jpos::number::{BatchNo, TraceNo};
use crate::jpos::person::IdType;
use crate::text::is_digits;

/// Digits of a mobile number.
const MOBILE_LEN: usize = 11;

/// A request for a verification code (source: "发送验证码"). No `Debug`: it names a person's phone.
#[derive(Clone, PartialEq, Eq)]
pub struct SendVerifyCode {
    /// The sender.
    pub terminal: Terminal,
    /// `mobileNo`.
    pub mobile_no: String,
    /// `traceNo`, which is not needed.
    pub trace_no: Option<TraceNo>,
    /// `batchNo`; `None` means the open batch.
    pub batch_no: Option<BatchNo>,
}

impl SendVerifyCode {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            terminal: Terminal::decode(form)?,
            mobile_no: mobile_no(form)?,
            trace_no: fields::maybe_trace_no(form, name::TRACE_NO)?,
            batch_no: fields::maybe_batch_no(form, name::BATCH_NO)?,
        })
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.terminal.push(&mut form);
        form.push(name::MOBILE_NO, &*self.mobile_no)
            .maybe(name::TRACE_NO, self.trace_no.map(|no| no.to_string()))
            .maybe(name::BATCH_NO, self.batch_no.map(|no| no.to_string()));
        form
    }
}

/// An activation (source: "卡激活"). No `Debug`: the code proves who the holder is.
#[derive(Clone, PartialEq, Eq)]
pub struct CardActive {
    /// Sender and number.
    pub head: Head,
    /// The card.
    pub card: Card,
    /// `mobileNo`.
    pub mobile_no: String,
    /// `verifyCode`; another than the one sent is wrong, whatever its form.
    pub verify_code: Zeroizing<String>,
    /// `idType`.
    pub id_type: IdType,
    /// `idNo`.
    pub id_no: Option<String>,
}

impl CardActive {
    /// Takes the message out of a form.
    ///
    /// # Errors
    ///
    /// [`RequestError`] naming the first field that misses its rule.
    pub fn decode(form: &Form<'_>) -> Result<Self, RequestError> {
        Ok(Self {
            head: Head::decode(form)?,
            card: Card::decode(form)?,
            mobile_no: mobile_no(form)?,
            verify_code: Zeroizing::new(fields::text(form, name::VERIFY_CODE)?),
            id_type: fields::get(form, name::ID_TYPE, Demand::IdType, IdType::from_code)?,
            id_no: fields::maybe_text(form, name::ID_NO)?,
        })
    }

    /// The form a client sends.
    pub fn to_form(&self) -> Form<'_> {
        let mut form = Form::new();
        self.head.push(&mut form);
        self.card.push(&mut form);
        form.push(name::MOBILE_NO, &*self.mobile_no)
            .push(name::VERIFY_CODE, &**self.verify_code)
            .push(name::ID_TYPE, self.id_type.code())
            .maybe(name::ID_NO, self.id_no.as_deref());
        form
    }
}

fn mobile_no(form: &Form<'_>) -> Result<String, RequestError> {
    fields::get(form, name::MOBILE_NO, Demand::PhoneNumber, |text| {
        let is_mobile = is_digits(text) && text.len() == MOBILE_LEN && text.starts_with('1');
        is_mobile.then(|| text.to_owned())
    })
}
