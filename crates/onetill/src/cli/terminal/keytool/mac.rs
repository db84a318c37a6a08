//! `onetill terminal keytool mac`.

use super::{Found, key::KeyArgs};
use crate::cli::{CommandError, output};
use clap::{ArgGroup, Args};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};
use wire::jpos::{Form, Mac, name, operation::Operation};

/// Make the MAC of a request, and show the text it is made over.
///
/// If the request has a `mac`, or --check gives one, tells whether it is right, and exits with 0
/// only if it is.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal keytool mac --key-file mac.key storeNo=102100099990001 traceNo=000001
  onetill terminal keytool mac --key-file mac.key --body-file request.txt
      a request as it was sent: storeNo=…&traceNo=…&mac=…
  onetill terminal keytool mac --key-file mac.key traceNo=000001 --check 55793D50")]
#[command(group = ArgGroup::new("content").required(true))]
pub struct MacArgs {
    /// The request's fields, not encoded
    #[arg(value_name = "NAME=VALUE", group = "content")]
    fields: Vec<String>,
    /// File with the request's body as it is sent; - for stdin
    #[arg(long, value_name = "FILE", group = "content")]
    body_file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    /// A MAC to be checked: 8 hexadecimal digits
    #[arg(long, value_name = "MAC")]
    check: Option<String>,
}

impl MacArgs {
    pub fn run(&self) -> Result<Found, CommandError> {
        let body = self.body()?;
        let form = Form::decode(&body, Operation::SettleDetails.body_bytes_max())
            .map_err(|error| format!("the request: {error}"))?;
        let mac = Mac::of(&self.key.read_single("MAC key")?, &form).to_string();
        let text = output::plain(&form.mac_text());
        let given = self.check.as_deref().or_else(|| form.get(name::MAC));
        let found = Found::new(vec![("text", text), ("mac", mac.clone())]);
        Ok(match given {
            None => found,
            Some(given) if given.eq_ignore_ascii_case(&mac) => {
                found.checked(true, "the MAC is right")
            }
            Some(given) => found.checked(
                false,
                format!("{given} is not the MAC of this text under this key (A0)"),
            ),
        })
    }

    /// The request as it is sent.
    fn body(&self) -> Result<Vec<u8>, CommandError> {
        if let Some(path) = &self.body_file {
            return read(path);
        }
        let mut body = Vec::new();
        for field in &self.fields {
            let (name, value) = field
                .split_once('=')
                .ok_or_else(|| format!("{field}: write it as NAME=VALUE"))?;
            body.extend_from_slice(if body.is_empty() { b"" } else { b"&" });
            body.extend_from_slice(encoded(name).as_bytes());
            body.push(b'=');
            body.extend_from_slice(encoded(value).as_bytes());
        }
        Ok(body)
    }
}

/// Each byte that is no letter or digit as `%XX`.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?
    };
    // A file of one line ends with a line end; a form never does.
    while bytes.last().is_some_and(u8::is_ascii_whitespace) {
        bytes.pop();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;
    use std::fs;

    const KEY: &str = "C24A8FB57AA20123";
    const FIELDS: [&str; 5] = [
        "traceNo=000123",
        "batchNo=000099",
        "cardNo=9999999999025288",
        "storeNo=102100099990001",
        "terminalNo=20141112",
    ];

    #[test]
    fn the_published_mac_is_made_and_checked() {
        let words = [&["mac", "--key", KEY][..], &FIELDS].concat();
        let found = find(&words).unwrap();
        assert_eq!(found["mac"], "55793D50");
        let text = found["text"].as_str().unwrap();
        assert!(text.starts_with("batchNo=000099&cardNo=") && text.ends_with("traceNo=000123"));
        let check = |mac| find(&[&words[..], &["--check", mac]].concat()).unwrap();
        assert_eq!(check("55793d50")["matches"], true);
        assert_eq!(check("55793D51")["matches"], false);
    }

    #[test]
    fn a_body_is_taken_as_it_was_sent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("body");
        fs::write(
            &path,
            format!("{}&registerTraceNo=&mac=55793D50\n", FIELDS.join("&")),
        )
        .unwrap();
        let words = ["mac", "--key", KEY, "--body-file", path.to_str().unwrap()];
        assert_eq!(find(&words).unwrap()["matches"], true);
    }

    #[test]
    fn values_are_not_encoded_twice() {
        let found = find(&["mac", "--key", KEY, "name=张三 & co=1"]).unwrap();
        assert_eq!(found["text"], "name=张三 & co=1");
        assert!(
            find(&["mac", "--key", KEY, "name"])
                .unwrap_err()
                .contains("NAME=VALUE")
        );
    }
}
