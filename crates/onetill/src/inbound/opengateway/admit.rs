//! From bytes to a signed, decrypted request of a known merchant.
//!
//! The order is the dialect's: the URL, the merchant, decryption, the signature, the body. What
//! is refused before the merchant is known is answered in plain text.

use super::{Dialect, Envelope, Refusal, info::Info, route::Route};
use crate::app::directory::Account;
use std::{borrow::Cow, sync::Arc};
use wire::opengateway::{
    Document, Encryption, Locale, Operation, QueryString, ReturnCode, SerialType, seal, sign,
};

/// A request that may be carried out.
pub(super) struct Admitted<'a> {
    /// Who asks.
    pub account: Arc<Account>,
    /// What is asked.
    pub operation: Operation,
    /// The language of INFO.
    pub locale: Locale,
    /// The URL's parameters.
    pub query: QueryString,
    /// The format of the reply.
    pub format: wire::opengateway::Format,
    /// The decrypted body; empty for a GET.
    pub plaintext: Cow<'a, [u8]>,
    /// The signature, which was right; `None` on an unsigned query that is allowed.
    pub signature: Option<String>,
}

/// A refused request, with the merchant if it is known.
pub(super) struct Refused {
    pub refusal: Refusal,
    pub account: Option<Arc<Account>>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            account: None,
        }
    }
}

/// Admits or refuses a request, and says how its reply is written.
pub(super) fn admit<'a>(
    dialect: &Dialect,
    route: &Route,
    raw_query: &str,
    body: &'a [u8],
) -> (Envelope, Result<Admitted<'a>, Refused>) {
    let operation = route.operation();
    let parsed = QueryString::parse(raw_query);
    let query = parsed
        .as_ref()
        .unwrap_or_else(|error| &error.understood)
        .clone();
    let format = query.reply_format(operation);
    let envelope = Envelope {
        operation,
        format,
        encryption: query.encryption,
    };
    let fault = parsed.err();
    let admitted = find_account(dialect, route, &query, body).and_then(|account| {
        let locale = locale_of(&account);
        let known = Some(Arc::clone(&account));
        let refuse = |refusal| Refused {
            refusal,
            account: known.clone(),
        };
        if let Some(fault) = fault {
            return Err(refuse(Refusal::illegal(&fault.info(locale), locale)));
        }
        let plaintext = decrypt(&account, operation, &query, body).map_err(refuse)?;
        let signature =
            check_signature(dialect, &account, route, &query, &plaintext).map_err(refuse)?;
        Ok(Admitted {
            operation,
            locale,
            format,
            signature,
            plaintext,
            query,
            account,
        })
    });
    (envelope, admitted)
}

/// The language a merchant wants INFO in.
pub(super) fn locale_of(account: &Account) -> Locale {
    if account.merchant.settings.english {
        Locale::En
    } else {
        Locale::Zh
    }
}

/// The merchant of the path, else of the URL's parameters, else of the body (which only an
/// unencrypted request can tell).
fn find_account(
    dialect: &Dialect,
    route: &Route,
    query: &QueryString,
    body: &[u8],
) -> Result<Arc<Account>, Refused> {
    let locale = Locale::default();
    let in_path = route.busi_code();
    if let (Some(path), Some(parameter)) = (in_path, query.busi_code.as_deref())
        && path != parameter
    {
        return Err(Refusal::new(ReturnCode::IllegalParameter, Info::TwoMerchants, locale).into());
    }
    let code = match in_path.or(query.busi_code.as_deref()) {
        Some(code) => code.to_owned(),
        None => busi_id_of_body(query, body)?,
    };
    let account = dialect.gateway.directory.find(&code);
    account.ok_or_else(|| {
        Refusal::new(ReturnCode::UnregisteredBusi, Info::UnknownMerchant, locale).into()
    })
}

fn busi_id_of_body(query: &QueryString, body: &[u8]) -> Result<String, Refusal> {
    let locale = Locale::default();
    let missing = || Refusal::new(ReturnCode::IllegalParameter, Info::NoMerchant, locale);
    if query.encryption != Encryption::None {
        return Err(missing());
    }
    let document = Document::decode(body).map_err(|error| illegal(error, locale))?;
    let busi_id = document
        .fields()
        .text("BUSI_ID")
        .map_err(|error| illegal(error, locale))?;
    busi_id.map(str::to_owned).ok_or_else(missing)
}

/// `ILLEGAL_PARAMETER` with what is wrong with the message.
pub(super) fn illegal(
    error: impl Into<wire::opengateway::RequestError>,
    locale: Locale,
) -> Refusal {
    Refusal::illegal(&error.into().info(locale), locale)
}

fn decrypt<'a>(
    account: &Account,
    operation: Operation,
    query: &QueryString,
    body: &'a [u8],
) -> Result<Cow<'a, [u8]>, Refusal> {
    match (query.encryption, operation.has_body()) {
        (_, false) => Ok(Cow::Borrowed(&[])),
        (Encryption::None, true) => Ok(Cow::Borrowed(body)),
        (Encryption::TripleDes, true) => {
            let locale = locale_of(account);
            let opened = seal::open(&account.key, body);
            opened
                .map(Cow::Owned)
                .map_err(|_| Refusal::new(ReturnCode::IllegalParameter, Info::NotEncrypted, locale))
        }
    }
}

fn check_signature(
    dialect: &Dialect,
    account: &Account,
    route: &Route,
    query: &QueryString,
    plaintext: &[u8],
) -> Result<Option<String>, Refusal> {
    let locale = locale_of(account);
    let Some(given) = &query.sign else {
        return if may_be_unsigned(account, route, query) {
            Ok(None)
        } else {
            Err(Refusal::new(
                ReturnCode::InvalidSign,
                missing_sign(route),
                locale,
            ))
        };
    };
    let verified = match route {
        Route::PreOrder | Route::Order | Route::Refund | Route::FlowRecharge { .. } => {
            sign::verify(&account.key, given, plaintext)
        }
        Route::Query { code, .. } => sign::verify(&account.key, given, code.as_bytes()),
        Route::CancelTrade { code, busi_code } => {
            let content = sign::cancel_content(code, busi_code);
            sign::verify(&account.key, given, content.as_bytes())
        }
    };
    verified.map_err(|_| Refusal::new(ReturnCode::InvalidSign, Info::WrongSign, locale))?;
    check_age(dialect, account, given)?;
    Ok(Some(given.clone()))
}

/// The source documents the query without a signature; the merchant's setting decides.
fn may_be_unsigned(account: &Account, route: &Route, query: &QueryString) -> bool {
    let asks_by_serial = match query.serial_type {
        SerialType::Merchant | SerialType::Gateway => true,
        SerialType::VerifyCode => false,
    };
    matches!(route, Route::Query { .. })
        && asks_by_serial
        && !account.merchant.settings.require_query_sign
}

const fn missing_sign(route: &Route) -> Info<'static> {
    match route {
        Route::Query { .. } => Info::UnsignedQuery,
        Route::PreOrder
        | Route::Order
        | Route::Refund
        | Route::CancelTrade { .. }
        | Route::FlowRecharge { .. } => Info::NoSign,
    }
}

fn check_age(dialect: &Dialect, account: &Account, given: &str) -> Result<(), Refusal> {
    let Some(age_s_max) = account.merchant.settings.signature_max_age_s else {
        return Ok(());
    };
    let now_ms = dialect.gateway.now().0;
    let age_ms = sign::signed_at_ms(given).map(|at_ms| now_ms.saturating_sub(at_ms).abs());
    match age_ms {
        Some(age_ms) if age_ms <= i64::from(age_s_max) * 1000 => Ok(()),
        Some(_) | None => {
            let locale = locale_of(account);
            Err(Refusal::new(ReturnCode::InvalidSign, Info::OldSign, locale))
        }
    }
}

impl Admitted<'_> {
    /// The body as a document.
    pub(super) fn document(&self) -> Result<Document<'_>, Refusal> {
        Document::decode(&self.plaintext).map_err(|error| illegal(error, self.locale))
    }

    /// Checks that the body names no other merchant than the URL.
    pub(super) fn check_busi_id(&self, busi_id: Option<&str>) -> Result<(), Refusal> {
        match busi_id {
            Some(busi_id) if busi_id != self.account.merchant.code => Err(Refusal::new(
                ReturnCode::IllegalParameter,
                Info::TwoMerchants,
                self.locale,
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// A refusal in this merchant's language.
    pub(super) fn refuse(&self, code: ReturnCode, info: Info<'_>) -> Refusal {
        Refusal::new(code, info, self.locale)
    }
}
