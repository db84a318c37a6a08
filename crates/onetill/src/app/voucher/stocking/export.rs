//! The codes of a box for the printer, page by page.

use crate::app::{AppError, Gateway, voucher::codes::CodeVault};
use domain::voucher::{
    code::{CodeNo, CodeRange},
    stock::{Carton, Level, Unit},
};
use store::contract::StoredCode;
use zeroize::Zeroizing;

/// How many codes a page has at most: some 700 KB of text.
const PAGE_CODES: u32 = 10_000;
/// About how long a line is.
const LINE_BYTES: usize = 80;

impl Gateway {
    /// The codes of a box from index `from` on, by index: a line of package, reel and code for each,
    /// none behind the last.
    ///
    /// # Errors
    /// When the store failed, or rows of the box are missing.
    pub async fn printed_codes(
        &self,
        carton: &Carton,
        from: u32,
    ) -> Result<Zeroizing<String>, AppError> {
        if from >= carton.codes {
            return Ok(Zeroizing::default());
        }
        let all = carton.range();
        let page = CodeRange {
            first: from,
            last: from.saturating_add(PAGE_CODES - 1).min(all.last),
            ..all
        };
        let units = |level| self.reader.units_in(page, level, None, PAGE_CODES);
        let packages = units(Level::Package).await?;
        let reels = units(Level::Reel).await?;
        let stored = self.reader.stored_codes(page, PAGE_CODES).await?;
        let vault = self.vouchers.codes.clone();
        // Opening thousands is too long a work for a thread that answers tills.
        let lines = move || lines(&vault, &packages, &reels, &stored);
        tokio::task::spawn_blocking(lines)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, "opening codes ended early");
                Err(AppError::Unforeseen)
            })
    }
}

fn lines(
    vault: &CodeVault,
    packages: &[Unit],
    reels: &[Unit],
    stored: &[StoredCode],
) -> Result<Zeroizing<String>, AppError> {
    let mut lines = Zeroizing::new(String::with_capacity(stored.len() * LINE_BYTES));
    for StoredCode { code, sealed } in stored {
        let text = vault.open(*code, sealed)?;
        let (package, reel) = (name_of(packages, *code)?, name_of(reels, *code)?);
        for part in [package, ",", reel, ",", &text, "\n"] {
            lines.push_str(part);
        }
    }
    Ok(lines)
}

/// The name of the unit, among units by their first codes, that a code lies in.
fn name_of(units: &[Unit], code: CodeNo) -> Result<&str, AppError> {
    let behind = units.partition_point(|it| it.range.first <= code.index);
    let unit = behind.checked_sub(1).and_then(|at| units.get(at));
    let unit = unit.filter(|it| it.range.contains(code));
    unit.map(|it| it.id.as_str()).ok_or_else(|| {
        tracing::error!(carton = %code.carton, "units of a box are missing");
        AppError::Unforeseen
    })
}
