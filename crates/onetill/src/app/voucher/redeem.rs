//! A code that pays a part of a payment.

use super::guesses::Guesser;
use crate::app::{AppError, Gateway, directory::Account};
use domain::{
    money::Fen,
    payment::{Flow, Payment, VoucherPart},
    rows::PaymentRef,
    time::UnixMs,
    voucher::{
        code::{CodeNo, may_be_code},
        code_use::CodeUse,
        span::Span,
        status::{CodeStatus, Standing, standing},
        stock::Carton,
    },
};
use store::contract::KnownCode;

/// Why a code cannot pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// It is no code of this retailer's.
    Unknown,
    /// This merchant named too many such codes lately; it was not looked up.
    TooManyMisses,
    /// It stands so that it cannot be used.
    Status(CodeStatus),
    /// It pays all of an order, which then has nothing for its payer to do.
    PaysAll,
}

impl Gateway {
    /// The part that a code would pay of `price`, if it may be used as it stands now.
    ///
    /// # Errors
    /// When the store failed.
    pub(in crate::app) async fn voucher_part(
        &self,
        account: &Account,
        text: &str,
        flow: Flow,
        price: Fen,
    ) -> Result<Result<VoucherPart, CodeRefusal>, AppError> {
        let known = match self.code_of_merchant(account, text).await? {
            Ok(known) => known,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let carton = &known.carton;
        let part = VoucherPart::of(known.code, carton.ticket, &carton.terms, price);
        if part.pays == price && flow != Flow::PayerCode {
            return Ok(Err(CodeRefusal::PaysAll));
        }
        let Standing { status, .. } = self.known_standing(&known)?;
        Ok(match status {
            CodeStatus::Active => Ok(part),
            CodeStatus::InStock
            | CodeStatus::UsedUp
            | CodeStatus::Void
            | CodeStatus::Expired
            | CodeStatus::Reserved
            | CodeStatus::Frozen => Err(CodeRefusal::Status(status)),
        })
    }

    /// The code that a merchant names, if it is one of its retailer's; a miss counts against the
    /// merchant's guesses.
    ///
    /// # Errors
    /// When the store failed.
    pub(super) async fn code_of_merchant(
        &self,
        account: &Account,
        text: &str,
    ) -> Result<Result<KnownCode, CodeRefusal>, AppError> {
        let guesser = Guesser::Merchant(account.merchant.no);
        if !self.vouchers.guesses.may_look(guesser, self.now()) {
            return Ok(Err(CodeRefusal::TooManyMisses));
        }
        let known = self.known_code(account, text).await?;
        if known.is_none() {
            self.vouchers.guesses.missed(guesser, 1, self.now());
        }
        Ok(known.ok_or(CodeRefusal::Unknown))
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
        let known = self.known_code(account, text).await?;
        let Some(serial) = known.and_then(|it| it.code_use?.newest) else {
            return Ok(None);
        };
        let by = PaymentRef::Serial(account.merchant.tenant, serial);
        Ok(self.reader.payment(by).await?)
    }

    /// The code of this text, if it is one of this retailer's in a box that is ready.
    async fn known_code(
        &self,
        account: &Account,
        text: &str,
    ) -> Result<Option<KnownCode>, AppError> {
        if !may_be_code(text) {
            return Ok(None);
        }
        let tenant = account.merchant.tenant;
        let digest = self.vouchers.codes.digest(tenant, text);
        let known = self.reader.known_code(tenant, digest).await?;
        Ok(known.filter(|it| it.carton.ready))
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
        let until = spans
            .first()
            .and_then(Span::activation)
            .and_then(|it| it.term.until);
        Ok((self.stands(code, uses, spans.first(), used.first())?, until))
    }

    /// Where a code stands now that was looked up a moment ago.
    ///
    /// # Errors
    /// When the code has no span.
    pub(super) fn known_standing(&self, known: &KnownCode) -> Result<Standing, AppError> {
        let (span, code_use) = (known.span.as_ref(), known.code_use.as_ref());
        self.stands(known.code, known.carton.terms.uses, span, code_use)
    }

    fn stands(
        &self,
        code: CodeNo,
        uses: u32,
        span: Option<&Span>,
        code_use: Option<&CodeUse>,
    ) -> Result<Standing, AppError> {
        let span = span.ok_or_else(|| {
            tracing::error!(carton = %code.carton, "a box has codes without a span");
            AppError::Unforeseen
        })?;
        Ok(standing(span, code_use, uses, self.now()))
    }
}
