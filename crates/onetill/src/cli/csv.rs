//! Lines of CSV files: read and written.

/// The cells of a line, quoted ones too; a cell does not go on in the next line.
///
/// # Errors
/// When a quotation mark is not closed.
pub fn cells(line: &str) -> Result<Vec<String>, String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            _ => cell.push(c),
        }
    }
    if is_quoted {
        return Err("a quotation mark is not closed".to_owned());
    }
    cells.push(cell.trim().to_owned());
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
        let written = ["张三", "Acme, \"old\"", "", "plain"];
        assert_eq!(cells(&line(&written)).unwrap(), written);
        assert_eq!(line(&["a\nb"]), "a b");
    }
}
