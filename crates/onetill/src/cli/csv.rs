//! Lines of CSV files: read and written.

/// The cells of a line, quoted ones too; a cell does not go on in the next line.
///
/// # Errors
/// When a quotation mark is not closed.
pub fn cells(line: &str) -> Result<Vec<String>, String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    // Blanks around a cell are nothing, those inside of quotation marks are a part of it.
    let mut kept_len = 0;
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => {
                cell.truncate(kept_len);
                cells.push(std::mem::take(&mut cell));
            }
            _ if c.is_whitespace() && !is_quoted && cell.is_empty() => {}
            _ => cell.push(c),
        }
        if is_quoted || c == '"' || !c.is_whitespace() {
            kept_len = cell.len();
        }
    }
    if is_quoted {
        return Err("a quotation mark is not closed".to_owned());
    }
    cell.truncate(kept_len);
    cells.push(cell);
    Ok(cells)
}

/// A line of these cells; those with a comma, a quotation mark or an edge of blanks are quoted.
#[must_use]
pub fn line<C: AsRef<str>>(cells: &[C]) -> String {
    let cell = |cell: &C| {
        // A line end would begin another row; nothing that is stored needs one.
        let text = cell.as_ref().replace(['\r', '\n'], " ");
        if text.contains([',', '"']) || text.trim() != text {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let written = [
            "张三",
            "Acme, \"old\"",
            "",
            "plain",
            " edges ",
            "in side",
            " ",
            "\"",
        ];
        assert_eq!(cells(&line(&written)).unwrap(), written);
        let spaced = cells(" a , \" b \" ,, c d ").unwrap();
        assert_eq!(spaced, ["a", " b ", "", "c d"]);
        assert_eq!(line(&["a\nb"]), "a b");
    }
}
