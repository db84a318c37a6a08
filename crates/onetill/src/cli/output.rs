//! What commands print: results on stdout, for people or as JSON, everything else on stderr.
//!
//! A reader that closes the pipe early (`| head`) has seen enough: that is success.

use super::CommandError;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    time::Duration,
};
use unicode_width::UnicodeWidthStr;

/// How a command prints its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text for people.
    Text,
    /// One JSON document.
    Json,
}

/// Prints to stdout, with a line end behind it.
///
/// # Errors
/// When stdout fails in another way than its reader having gone.
pub fn print(text: &str) -> Result<(), CommandError> {
    Ok(write_to(&mut io::stdout().lock(), text)?)
}

fn write_to(out: &mut impl Write, text: &str) -> io::Result<()> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints JSON to stdout: indented on a terminal, else one line.
///
/// # Errors
/// As [`print()`].
pub fn print_json(value: &Value) -> Result<(), CommandError> {
    if io::stdout().is_terminal() {
        print(&format!("{value:#}"))
    } else {
        print(&value.to_string())
    }
}

/// Tells the person at the keyboard something that is no result.
pub fn note(text: &str) {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A spinner on a terminal; invisible elsewhere. `{pos}` in `template` is its position.
#[must_use]
pub fn spinner(template: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template(&format!("{{spinner}} {template}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A bar up to `len` on a terminal; invisible elsewhere.
#[must_use]
pub fn bar(len: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(len);
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} ({eta})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar
}

/// Something to be seen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Went well.
    Good,
    /// Wants a look.
    Warning,
    /// Went wrong.
    Bad,
    /// Matters.
    Strong,
}

/// Colours `text` on a terminal, unless the person said no (no-color.org).
#[must_use]
pub fn paint(text: &str, tone: Tone) -> String {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if refused || !io::stdout().is_terminal() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => "1;32",
        Tone::Warning => "1;33",
        Tone::Bad => "1;31",
        Tone::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// `text` with control characters written out, so that nothing stored can steer a terminal.
#[must_use]
pub fn plain(text: &str) -> String {
    let written = text.chars().map(|c| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    });
    written.collect()
}

/// Lines of a name and a value, the values below each other.
#[must_use]
pub fn fields<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.as_ref().width()).max();
    let line = |(name, value): &(N, V)| {
        let name = pad(name.as_ref(), width.unwrap_or(0), Side::Left);
        format!("{name}  {}", plain(value.as_ref()))
            .trim_end()
            .to_owned()
    };
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Where the text of a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At the left: words.
    Left,
    /// At the right: figures.
    Right,
}

/// A table with aligned columns; wide (Chinese) characters count double.
#[derive(Clone, Debug, Default)]
pub struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(columns: &[(&str, Side)]) -> Self {
        Self {
            sides: columns.iter().map(|(_, side)| *side).collect(),
            rows: vec![columns.iter().map(|(name, _)| (*name).to_owned()).collect()],
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows
            .push(row.into_iter().map(|it| plain(&it)).collect());
    }

    /// The table, header first, without a line end behind it.
    #[must_use]
    pub fn render(&self) -> String {
        let widths: Vec<usize> = (0..self.sides.len())
            .map(|column| self.width_of(column))
            .collect();
        let lines = self.rows.iter().map(|row| {
            let columns = row.iter().zip(&widths).zip(&self.sides);
            let cells = columns.map(|((cell, width), side)| pad(cell, *width, *side));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    }
}

fn pad(text: &str, width: usize, side: Side) -> String {
    let gap = " ".repeat(width.saturating_sub(text.width()));
    match side {
        Side::Left => format!("{text}{gap}"),
        Side::Right => format!("{gap}{text}"),
    }
}

/// A member of a JSON object as text for a table: a dash when it is absent.
#[must_use]
pub fn text_of(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            other.to_string()
        }
    }
}

/// `amount` hundredths with two decimals, such as `-12.30`.
#[must_use]
pub fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// `bytes` in the largest unit that leaves at least one, such as `12.5 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = "KiB";
    for larger in UNITS.iter().skip(1) {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_with_wide_characters() {
        let mut table = Table::new(&[("name", Side::Left), ("yuan", Side::Right)]);
        table.push(["演示商户".to_owned(), "0.01".to_owned()]);
        table.push(["Shop".to_owned(), "100.00".to_owned()]);
        let expected = "name        yuan\n演示商户    0.01\nShop      100.00";
        assert_eq!(table.render(), expected);
    }

    #[test]
    fn stored_text_cannot_steer_a_terminal() {
        assert_eq!(
            fields(&[("name", "a\u{1b}[2Jb\n")]),
            "name  a\\u{1b}[2Jb\\n"
        );
    }

    #[test]
    fn amounts_and_sizes_are_readable() {
        assert_eq!(
            (yuan(-5), yuan(123_456)),
            ("-0.05".into(), "1234.56".into())
        );
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 * 1024 * 1024 * 1024), "5.0 GiB");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        struct Closed(ErrorKind);
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(write_to(&mut Closed(ErrorKind::BrokenPipe), "x").is_ok());
        assert!(write_to(&mut Closed(ErrorKind::StorageFull), "x").is_err());
    }
}
