//! Verify codes: made of the system's randomness, kept as keyed digests, sent as text messages.
//! A plain digest of six digits is guessed within a moment; the key is the master key's.

use super::Sms;
use crate::{
    app::{AppError, Gateway},
    vault::{Vault, encode_hex},
};
use channels::sms::{
    CodeMessage, Mobile, Refusal as Refused, SmsOutcome, SmsProvider, VerifyCode,
    sandbox::SentMessage,
};
use domain::{command::loyalty::SendCode, ids::TenantId, loyalty::trans::Refusal};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::messages::Caller;

/// How many codes of six digits there are.
const CODES: u32 = 1_000_000;

/// Makes and sends verify codes. Has no `Debug`.
pub struct Codes {
    key: Zeroizing<[u8; 32]>,
    sms: Sms,
}

impl Codes {
    /// With a key of the vault's.
    #[must_use]
    pub fn new(vault: &Vault, sms: Sms) -> Self {
        Self {
            key: vault.derive("verify codes"),
            sms,
        }
    }

    /// The keyed digest by which a code that was sent to `mobile` is known, in hex.
    ///
    /// # Errors
    /// Never with a key of 32 bytes.
    pub fn digest(&self, tenant: TenantId, mobile: &str, code: &str) -> Result<String, AppError> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key[..]);
        let mut mac = mac.map_err(|_| AppError::Unforeseen)?;
        mac.update(format!("{}/{mobile}/", tenant.0).as_bytes());
        mac.update(code.as_bytes());
        Ok(encode_hex(&mac.finalize().into_bytes()))
    }

    /// What the sandbox sent last, newest first; `None` when there is no sandbox.
    #[must_use]
    pub fn sandbox_messages(&self) -> Option<Vec<SentMessage>> {
        match &self.sms {
            Sms::Sandbox(sandbox) => Some(sandbox.messages()),
            Sms::Off | Sms::Provider(_) => None,
        }
    }

    fn provider(&self) -> Option<Arc<dyn SmsProvider>> {
        match &self.sms {
            Sms::Off => None,
            Sms::Sandbox(sandbox) => Some(Arc::clone(sandbox) as Arc<dyn SmsProvider>),
            Sms::Provider(provider) => Some(Arc::clone(provider)),
        }
    }
}

/// Six digits, each code as likely as any other.
fn draw() -> Result<Zeroizing<String>, AppError> {
    let whole = u32::MAX - u32::MAX % CODES;
    loop {
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(|_| AppError::Unforeseen)?;
        let number = u32::from_be_bytes(random);
        // The rest would make some codes likelier than others.
        if number < whole {
            return Ok(Zeroizing::new(format!("{:06}", number % CODES)));
        }
    }
}

/// What became of a code that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSent {
    /// It is on its way, as far as anybody knows.
    OnItsWay,
    /// It was not made.
    Refused(Refusal),
    /// The number takes no messages.
    BadNumber,
}

impl Gateway {
    /// Sends a code to `mobile`. It is noted before it is sent, so that it counts against the
    /// limits whatever the provider says.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when nobody can send it; otherwise when the store failed.
    pub async fn send_code(&self, caller: &Caller, mobile: &str) -> Result<CodeSent, AppError> {
        let codes = &self.loyalty.codes;
        let provider = codes.provider().ok_or(AppError::Unavailable)?;
        let Some(number) = Mobile::parse(mobile) else {
            return Ok(CodeSent::BadNumber);
        };
        let code = draw()?;
        let tenant = caller.terminal.tenant;
        let send = SendCode {
            tenant,
            store: caller.terminal.store.clone(),
            terminal: caller.terminal.number.clone(),
            mobile: mobile.to_owned(),
            digest: codes.digest(tenant, mobile, &code)?,
        };
        if let Err(refusal) = self.run(send).await? {
            return Ok(CodeSent::Refused(refusal));
        }
        let code = VerifyCode::parse(&code).ok_or(AppError::Unforeseen)?;
        let message = CodeMessage {
            mobile: number,
            code,
        };
        judge(&provider.send_code(message).await)
    }
}

/// What the provider's answer means at the till. Where nobody knows, the code stays good.
fn judge(outcome: &SmsOutcome) -> Result<CodeSent, AppError> {
    match outcome {
        SmsOutcome::Accepted { .. } => return Ok(CodeSent::OnItsWay),
        SmsOutcome::Unknown(_) => {
            tracing::warn!(%outcome, "a verify code");
            return Ok(CodeSent::OnItsWay);
        }
        SmsOutcome::Refused { .. } | SmsOutcome::NotSent(_) => {
            tracing::warn!(%outcome, "a verify code was not sent");
        }
    }
    match outcome {
        SmsOutcome::Refused {
            why: Refused::FlowControl,
            ..
        } => Ok(CodeSent::Refused(Refusal::TooMany)),
        SmsOutcome::Refused {
            why: Refused::BadNumber,
            ..
        } => Ok(CodeSent::BadNumber),
        SmsOutcome::Refused {
            why: Refused::Configuration,
            ..
        }
        | SmsOutcome::NotSent(_)
        | SmsOutcome::Accepted { .. }
        | SmsOutcome::Unknown(_) => Err(AppError::Unavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Codes {
        let vault = Vault::from_hex("ab".repeat(32).as_bytes()).unwrap();
        Codes::new(&vault, Sms::Off)
    }

    #[test]
    fn a_digest_is_of_one_code_for_one_number_of_one_retailer() {
        let codes = codes();
        let digest = |tenant, mobile, code| codes.digest(TenantId(tenant), mobile, code).unwrap();
        let one = digest(1, "13800000000", "123456");
        assert_eq!(one, digest(1, "13800000000", "123456"));
        assert_ne!(one, digest(2, "13800000000", "123456"));
        assert_ne!(one, digest(1, "13800000001", "123456"));
        assert_ne!(one, digest(1, "13800000000", "123457"));
    }

    #[test]
    fn codes_are_six_digits_and_differ() {
        let drawn: std::collections::BTreeSet<String> =
            (0..50).map(|_| draw().unwrap().to_string()).collect();
        assert!(drawn.iter().all(|it| VerifyCode::parse(it).is_some()));
        assert!(drawn.len() > 40, "{drawn:?}");
    }
}
