//! The codes of a box for the printer, page by page.

use crate::app::{AppError, Gateway};
use domain::voucher::{
    code::{CodeNo, CodeRange},
    stock::{Carton, Level, Unit},
};
use zeroize::Zeroizing;

/// How many codes a page has at most.
const PAGE_CODES: u32 = 2_000;

/// A code with the names it is packed under.
pub struct PrintedCode {
    /// Its package.
    pub package: String,
    /// Its reel.
    pub reel: String,
    /// Its text.
    pub text: Zeroizing<String>,
}

impl Gateway {
    /// The codes of a box from index `from` on, by index; none behind the last.
    ///
    /// # Errors
    /// When the store failed, or rows of the box are missing.
    pub async fn printed_codes(
        &self,
        carton: &Carton,
        from: u32,
    ) -> Result<Vec<PrintedCode>, AppError> {
        if from >= carton.codes {
            return Ok(Vec::new());
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
        let printed = stored.into_iter().map(|stored| {
            let code = stored.code;
            Ok(PrintedCode {
                package: name_of(&packages, code)?,
                reel: name_of(&reels, code)?,
                text: self.vouchers.codes.open(code, &stored.sealed)?,
            })
        });
        printed.collect()
    }
}

/// The name of the unit, among units by their first codes, that a code lies in.
fn name_of(units: &[Unit], code: CodeNo) -> Result<String, AppError> {
    let behind = units.partition_point(|it| it.range.first <= code.index);
    let unit = behind.checked_sub(1).and_then(|at| units.get(at));
    let unit = unit.filter(|it| it.range.contains(code));
    unit.map(|it| it.id.clone()).ok_or_else(|| {
        tracing::error!(carton = %code.carton, "units of a box are missing");
        AppError::Unforeseen
    })
}
