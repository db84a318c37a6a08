//! Asking for a secret: without echo on a terminal, else a line of stdin. What stands on a command
//! line can be read by everyone on the machine, and stays in the shell's history.

use super::{CommandError, secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    io::{self, IsTerminal, Read, Write},
    path::Path,
};
use zeroize::Zeroizing;

/// Longest secret that is typed.
const CHARS_MAX: usize = 256;

/// A secret from where it was given: a file, the command line, or whoever is asked for it.
///
/// # Errors
/// When the file cannot be read, or nobody answers.
pub fn secret(
    file: Option<&Path>,
    given: Option<&str>,
    what: &str,
) -> Result<Zeroizing<String>, CommandError> {
    match (file, given) {
        (Some(path), _) => secret::read_line(path),
        (None, Some(text)) => Ok(Zeroizing::new(text.to_owned())),
        (None, None) => ask(what),
    }
}

/// Asks for a secret; `what` says which.
///
/// # Errors
/// When stdin ends first, or the person breaks off.
pub fn ask(what: &str) -> Result<Zeroizing<String>, CommandError> {
    let stdin = io::stdin();
    let text = if stdin.is_terminal() {
        write!(io::stderr().lock(), "{what}: ")?;
        let silent = Silent::new()?;
        let text = typed(stdin.lock().bytes());
        drop(silent);
        writeln!(io::stderr().lock())?;
        text?
    } else {
        line(&mut stdin.lock())?
    };
    match text {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) | None => Err(format!("{what}: nothing was given").into()),
    }
}

/// A voucher code that was given on the command line; - asks for it.
///
/// # Errors
/// As [`ask`].
pub fn code(given: &str) -> Result<Zeroizing<String>, CommandError> {
    if given == "-" {
        return ask("code");
    }
    Ok(Zeroizing::new(given.to_owned()))
}

/// A line, without its end; `None` at the end of the input. Nothing behind it is read, so that
/// several secrets can stand in one input.
fn line(input: &mut impl Read) -> io::Result<Option<Zeroizing<String>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(CHARS_MAX));
    let mut byte = [0];
    while input.read(&mut byte)? == 1 && byte != *b"\n" {
        bytes.extend_from_slice(&byte);
        if bytes.len() > CHARS_MAX {
            return Err(io::Error::other("the secret is too long"));
        }
    }
    let is_end = bytes.is_empty() && byte != *b"\n";
    let text = std::str::from_utf8(&bytes).map_err(io::Error::other)?;
    let text = Zeroizing::new(text.trim_end_matches('\r').to_owned());
    Ok((!is_end).then_some(text))
}

/// What was typed on a terminal that echoes and edits nothing; `None` when the person broke off.
fn typed(
    bytes: impl Iterator<Item = io::Result<u8>>,
) -> Result<Option<Zeroizing<String>>, CommandError> {
    const CANCEL: u8 = 0x03;
    const END: u8 = 0x04;
    const BACK: u8 = 0x08;
    const CLEAR: u8 = 0x15;
    const ERASE: u8 = 0x7F;
    let mut text = Zeroizing::new(Vec::with_capacity(CHARS_MAX));
    for byte in bytes {
        match byte? {
            b'\r' | b'\n' => break,
            CANCEL | END => return Ok(None),
            BACK | ERASE => drop(text.pop()),
            CLEAR => text.clear(),
            byte if text.len() < CHARS_MAX => text.push(byte),
            _ => return Err("the secret is too long".into()),
        }
    }
    let text = std::str::from_utf8(&text)?.to_owned();
    Ok(Some(Zeroizing::new(text)))
}

/// Keeps the terminal from showing what is typed, and from ending the program in between, which
/// would leave it so.
struct Silent(Termios);

impl Silent {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // With the terminal gone there is nothing to be put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_strokes(text: &str) -> Option<String> {
        let typed = typed(text.bytes().map(Ok)).unwrap();
        typed.map(|text| text.to_string())
    }

    #[test]
    fn typing_can_be_corrected_and_broken_off() {
        assert_eq!(key_strokes("1234\n").as_deref(), Some("1234"));
        assert_eq!(key_strokes("12\u{7f}34\u{8}5\r").as_deref(), Some("135"));
        assert_eq!(key_strokes("12\u{15}34\n").as_deref(), Some("34"));
        assert_eq!(key_strokes("12\u{3}34\n"), None);
        assert_eq!(
            key_strokes(&format!("{}\n", "1".repeat(256))).map(|it| it.len()),
            Some(256)
        );
        assert!(typed("1".repeat(257).bytes().map(Ok)).is_err());
    }

    #[test]
    fn several_secrets_stand_in_one_input() {
        let mut input = "one\r\n\ntwo".as_bytes();
        let mut next = || line(&mut input).unwrap().map(|text| text.to_string());
        let read = [next(), next(), next(), next()];
        assert_eq!(
            read,
            [
                Some("one".into()),
                Some(String::new()),
                Some("two".into()),
                None
            ]
        );
    }
}
