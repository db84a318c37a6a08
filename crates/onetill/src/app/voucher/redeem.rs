//! A code that pays a part of a payment.

use super::guesses::Guesser;
use crate::app::{AppError, Gateway, directory::Account};
use domain::{
    ids::TenantId,
    payment::Payment,
    rows::PaymentRef,
    time::UnixMs,
    voucher::{
        code::{CodeDigest, CodeNo},
        paying::CodeRefusal,
        status::{Standing, standing},
        stock::Carton,
    },
};

/// Why a voucher pays nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherRefusal {
    /// This merchant named too many codes lately that do not exist; this one was not looked up.
    TooManyMisses,
    /// Its code pays nothing.
    Code(CodeRefusal),
}

impl Gateway {
    /// By what the code that a merchant names is looked up, with the payment that it is to pay.
    ///
    /// # Errors
    /// When it is not to be looked up.
    pub(in crate::app) fn paying_code(
        &self,
        account: &Account,
        text: &str,
    ) -> Result<CodeDigest, VoucherRefusal> {
        let guesser = Guesser::Merchant(account.merchant.no);
        if !self.vouchers.guesses.may_look(guesser, self.now()) {
            return Err(VoucherRefusal::TooManyMisses);
        }
        Ok(self.vouchers.codes.digest(account.merchant.tenant, text))
    }

    /// The code that a merchant named pays nothing.
    pub(in crate::app) fn refused(&self, account: &Account, why: CodeRefusal) -> VoucherRefusal {
        if why == CodeRefusal::Unknown {
            self.missed(account);
        }
        VoucherRefusal::Code(why)
    }

    /// The code that a merchant named does not exist: that counts against its guesses.
    pub(super) fn missed(&self, account: &Account) {
        let guesser = Guesser::Merchant(account.merchant.no);
        self.vouchers.guesses.missed(guesser, 1, self.now());
    }

    /// The newest payment that held a code.
    ///
    /// # Errors
    /// When the store failed.
    pub async fn payment_of_code(
        &self,
        account: &Account,
        text: &str,
    ) -> Result<Option<Payment>, AppError> {
        let tenant = account.merchant.tenant;
        let digest = self.vouchers.codes.digest(tenant, text);
        let Some(code) = self.code_of(tenant, digest).await? else {
            return Ok(None);
        };
        let uses = self.reader.code_uses(code.range(), 1).await?;
        let Some(serial) = uses.first().and_then(|it| it.newest) else {
            return Ok(None);
        };
        let by = PaymentRef::Serial(tenant, serial);
        Ok(self.reader.payment(by).await?)
    }

    /// The code of a retailer that a digest leads to, whether or not its box is ready.
    pub(super) async fn code_of(
        &self,
        tenant: TenantId,
        digest: CodeDigest,
    ) -> Result<Option<CodeNo>, AppError> {
        let found = self.reader.codes_by_digest(vec![digest]).await?;
        let found = found.into_iter().find(|it| it.tenant == tenant);
        Ok(found.map(|it| it.code))
    }

    /// Where a code of a box stands now.
    ///
    /// # Errors
    /// When the store failed, or the code has no span.
    pub async fn standing(&self, carton: &Carton, code: CodeNo) -> Result<Standing, AppError> {
        let stands = self.standing_in_term(code, carton.terms.uses).await?;
        Ok(stands.0)
    }

    /// Where a code that may be used `uses` times stands now, and when its term ends.
    ///
    /// # Errors
    /// When the store failed, or the code has no span.
    pub(in crate::app) async fn standing_in_term(
        &self,
        code: CodeNo,
        uses: u32,
    ) -> Result<(Standing, Option<UnixMs>), AppError> {
        let spans = self.reader.spans(code.range(), None, 1).await?;
        let used = self.reader.code_uses(code.range(), 1).await?;
        let span = spans.first().ok_or_else(|| {
            tracing::error!(carton = %code.carton, "a box has codes without a span");
            AppError::Unforeseen
        })?;
        let until = span.activation().and_then(|it| it.term.until);
        Ok((standing(span, used.first(), uses, self.now()), until))
    }
}
