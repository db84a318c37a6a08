//! `onetill sign`: what a request's signature is made of, and where a given one goes wrong.

use super::{
    CommandError, Place,
    admin_client::open_reader,
    output::{self, Shape, Tone},
    secret::{self, KeyArgs},
};
use crate::{
    admin::demo,
    app::{compose::system_clock, directory::Directory},
    vault::{MASTER_KEY_FILE, MASTER_KEY_VARIABLE, Vault},
};
use clap::{Arg, ArgGroup, Args};
use serde_json::json;
use std::{fs, io::Read, path::Path, path::PathBuf, process::ExitCode};
use wire::opengateway::{
    MerchantKey,
    code::Locale,
    explain::{Diagnosis, SignReport, explain},
    sign,
};

/// Show what a request's signature is made of, and where a given one goes wrong.
///
/// Shows {key} where the key stands; the key itself is never shown. With --check, exits with 0
/// only if the given signature is right.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill sign --demo --query S1
      the signature of a query
  onetill sign --demo --body request.json --check 0cc175b9c0f1b6a831c399e269772661:1795300000
      why the gateway answers INVALID_SIGN
  printf '%s' '{\"AMT\":\"0.01\"}' | ONETILL_KEY=… onetill sign --body -
  onetill sign --merchant 0020000007 --from-store --data /var/lib/onetill --cancel S1")]
#[command(mut_arg("demo", show_demo))]
#[command(group = ArgGroup::new("content").required(true))]
pub struct SignArgs {
    /// The merchant who signs
    #[arg(long, value_name = "CODE", default_value = demo::MERCHANT)]
    merchant: String,
    #[command(flatten)]
    key: KeyArgs,
    /// Take the merchant's key from the gateway's own store
    #[arg(long)]
    from_store: bool,
    /// Sign a request's body: a file, or - for stdin
    #[arg(long, value_name = "FILE", group = "content")]
    body: Option<PathBuf>,
    /// Sign a query for this code
    #[arg(long, value_name = "CODE", group = "content")]
    query: Option<String>,
    /// Sign the cancellation of this serial
    #[arg(long, value_name = "SERIAL", group = "content")]
    cancel: Option<String>,
    /// 10 digits of seconds or 13 of milliseconds [default: the present]
    #[arg(long, value_name = "T", conflicts_with = "check")]
    timestamp: Option<String>,
    /// A signature to explain, such as 0cc1…2661:1795300000
    #[arg(long, value_name = "SIGN")]
    check: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Here the setting of `serve` that help hides elsewhere means the demo's key.
fn show_demo(arg: Arg) -> Arg {
    arg.hide(false)
        .help("Use the key of the demo's merchant")
        .help_heading(None)
}

/// Shows and checks a signature.
///
/// # Errors
/// When key or content cannot be read.
pub async fn run(args: SignArgs, shape: Shape) -> Result<ExitCode, CommandError> {
    let content = args.content()?;
    let check = args.check.clone();
    let timestamp = args.timestamp.clone();
    let key = args.key().await?;
    let given = check.unwrap_or_else(|| {
        let now = || system_clock()().0.to_string();
        sign::sign(&key, &timestamp.unwrap_or_else(now), &content)
    });
    let report = explain(&key, &given, &content);
    match shape {
        Shape::Json => output::print_json(&as_json(&report))?,
        Shape::Text => output::print(&as_text(&report, &content))?,
    }
    Ok(if report.diagnoses == [Diagnosis::Matches] {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl SignArgs {
    /// What is signed.
    fn content(&self) -> Result<Vec<u8>, CommandError> {
        if let Some(path) = &self.body {
            return read(path);
        }
        let cancel = self.cancel.as_ref();
        let cancel = cancel.map(|serial| sign::cancel_content(serial, &self.merchant));
        let text = self.query.clone().or(cancel);
        Ok(text.unwrap_or_default().into_bytes())
    }

    async fn key(self) -> Result<MerchantKey, CommandError> {
        if self.from_store {
            return stored_key(self.place, &self.merchant).await;
        }
        if self.place.settings.options.demo {
            let known = secret::demo_key(&self.merchant);
            return known.ok_or_else(|| "the demo has no such merchant".into());
        }
        let text = "the key is needed: set ONETILL_KEY, or give --key-file FILE, --from-store on \
                    the gateway's machine, or --demo";
        self.key.given()?.ok_or_else(|| text.into())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// The key as the gateway has it, for whoever may read its master key anyhow.
async fn stored_key(place: Place, code: &str) -> Result<MerchantKey, CommandError> {
    let config = place.settings.for_command()?;
    let reader = open_reader(&config.store).await?;
    let file = config.data.join(MASTER_KEY_FILE);
    // Opening a vault makes a key where there is none.
    if std::env::var_os(MASTER_KEY_VARIABLE).is_none() && !file.exists() {
        return Err(format!("there is no master key at {}", file.display()).into());
    }
    let directory = Directory::of(Vault::open(&config.data)?, reader.merchants().await?);
    let account = directory.find(code);
    let account = account
        .ok_or_else(|| format!("there is no merchant {code}; see `onetill merchant list`"))?;
    Ok(account.key.clone())
}

fn as_text(report: &SignReport, content: &[u8]) -> String {
    let removed = content.len() - sign::normalise(content).len();
    let bytes = match removed {
        0 => format!("{} bytes", content.len()),
        _ => format!(
            "{} bytes, of which {removed} white space, not signed",
            content.len()
        ),
    };
    let lines = [
        ("content", bytes),
        ("signed text", report.canonical.clone()),
        ("sign", report.expected.clone()),
    ];
    let mut text = output::fields(&lines);
    for diagnosis in &report.diagnoses {
        let (word, tone) = if *diagnosis == Diagnosis::Matches {
            ("right", Tone::Good)
        } else {
            ("WRONG", Tone::Bad)
        };
        let word = output::paint(word, tone);
        let message = diagnosis.message(Locale::En);
        text.push_str(&format!("\n{word}        {message}"));
    }
    text
}

fn as_json(report: &SignReport) -> serde_json::Value {
    let diagnoses = report.diagnoses.iter();
    let diagnoses = diagnoses
        .map(|it| json!({ "diagnosis": format!("{it:?}"), "message": it.message(Locale::En) }));
    json!({
        "canonical": report.canonical,
        "sign": report.expected,
        "diagnoses": diagnoses.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const KEY: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        sign: SignArgs,
    }

    fn report(given: &str, content: &str) -> SignReport {
        explain(&MerchantKey::new(KEY), given, content.as_bytes())
    }

    #[test]
    fn one_content_is_named() {
        let parse = |words: &[&str]| TestCli::try_parse_from([&["sign", "--demo"], words].concat());
        assert!(parse(&[]).is_err() && parse(&["--query", "1", "--cancel", "1"]).is_err());
        assert!(parse(&["--body", "-", "--check", "0:1", "--merchant", "M1"]).is_ok());
        let cancel = parse(&["--cancel", "S1"]).map_err(|error| error.to_string());
        let content = cancel.unwrap().sign.content().unwrap();
        assert_eq!(content, b"chargeCode=S1&busiCode=0010000001");
    }

    #[test]
    fn the_key_is_never_shown() {
        let content = "{ \"AMT\": 1 }";
        for given in ["0:1", "0cc175b9c0f1b6a831c399e269772661:1795300000"] {
            let report = report(given, content);
            let shown = as_text(&report, content.as_bytes()) + &as_json(&report).to_string();
            assert!(!shown.contains(KEY) && shown.contains("{key}"), "{shown}");
            assert!(shown.contains("WRONG"), "{shown}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        let key = MerchantKey::new(KEY);
        let right = sign::sign(&key, "1795300000", b"S1");
        let upper = right.to_uppercase();
        assert!(as_text(&report(&right, "S1"), b"S1").contains("right  "));
        assert!(as_text(&report(&upper, "S1"), b"S1").contains("in lowercase"));
    }
}
