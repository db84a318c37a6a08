//! A code that pays a part of a payment.

use super::guesses::Guesser;
use crate::app::{AppError, Gateway, directory::Account};
use domain::{
    money::Fen,
    payment::{Flow, Payment, VoucherPart},
    rows::PaymentRef,
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
        let guesser = Guesser::Merchant(account.merchant.no);
        if !self.vouchers.guesses.may_look(guesser, self.now()) {
            return Ok(Err(CodeRefusal::TooManyMisses));
        }
        let Some(known) = self.known_code(account, text).await? else {
            self.vouchers.guesses.missed(guesser, 1, self.now());
            return Ok(Err(CodeRefusal::Unknown));
        };
        let carton = &known.carton;
        let part = VoucherPart::of(known.code, carton.ticket, &carton.terms, price);
        if part.pays == price && flow != Flow::PayerCode {
            return Ok(Err(CodeRefusal::PaysAll));
        }
        let (span, code_use) = (known.span.as_ref(), known.code_use.as_ref());
        let Standing { status, .. } = self.stands(carton, span, code_use)?;
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
        let spans = self.reader.spans(code.range(), None, 1).await?;
        let uses = self.reader.code_uses(code.range(), 1).await?;
        self.stands(carton, spans.first(), uses.first())
    }

    fn stands(
        &self,
        carton: &Carton,
        span: Option<&Span>,
        code_use: Option<&CodeUse>,
    ) -> Result<Standing, AppError> {
        let span = span.ok_or_else(|| {
            tracing::error!(carton = %carton.serial, "a box has codes without a span");
            AppError::Unforeseen
        })?;
        Ok(standing(span, code_use, carton.terms.uses, self.now()))
    }
}
