//! QR codes as one SVG path, drawn by our own markup, so that no style or script is needed.

use super::html::Markup;
use qrcode::{Color, QrCode};
use std::fmt::Write;

/// The modules left white around a code, as the standard asks.
const QUIET: usize = 4;

/// A `<symbol id="qr">` that draws `text`, or `None` when it is too long for a code.
pub(super) fn symbol(text: &str) -> Option<Markup> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        draw_row(&mut path, row, y + QUIET);
    }
    let side = width + 2 * QUIET;
    let symbol = format!(
        r##"<symbol id="qr" viewBox="0 0 {side} {side}"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#111" shape-rendering="crispEdges" d="{path}"/></symbol>"##
    );
    Some(Markup::trusted(symbol))
}

/// Draws each run of dark modules as one bar.
fn draw_row(path: &mut String, row: &[Color], y: usize) {
    let mut x = QUIET;
    for run in row.chunk_by(|left, right| left == right) {
        let length = run.len();
        if run.first() == Some(&Color::Dark) {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
        }
        x += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_square_with_a_quiet_border() {
        let symbol = symbol("http://127.0.0.1:8080/sandbox/pay/20261122000000000742").unwrap();
        let symbol = symbol.into_string();
        // The top left finder starts inside the border with a bar of seven modules.
        assert!(symbol.contains("M4 4h7v1h-7z"), "{symbol}");
        assert!(!symbol.contains("style"), "{symbol}");
    }

    #[test]
    fn a_text_too_long_for_any_code_is_left_out() {
        assert_eq!(symbol(&"x".repeat(10_000)), None);
    }
}
