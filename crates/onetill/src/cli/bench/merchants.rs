//! Who asks.

use std::fs;
use std::path::Path;

use wire::opengateway::MerchantKey;

use super::{BenchArgs, BenchError, file_error};

/// The merchant of the demo data.
pub(super) const DEMO_CODE: &str = "0010000001";
/// Its key, which is no secret.
pub(super) const DEMO_KEY: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// A merchant with its key.
#[derive(Clone)]
pub(super) struct Merchant {
    pub(super) code: String,
    pub(super) key: MerchantKey,
}

/// The merchants of the file, or the one that was named; never none.
pub(super) fn read(args: &BenchArgs) -> Result<Vec<Merchant>, BenchError> {
    let Some(path) = &args.merchants_file else {
        return Ok(vec![merchant(&args.merchant, &args.key)]);
    };
    let mut merchants = read_file(path)?;
    if args.merchants > merchants.len() {
        let text = format!("{} has {} merchants only", path.display(), merchants.len());
        return Err(BenchError::Setting(text));
    }
    if args.merchants > 0 {
        merchants.truncate(args.merchants);
    }
    Ok(merchants)
}

fn read_file(path: &Path) -> Result<Vec<Merchant>, BenchError> {
    let text = fs::read_to_string(path).map_err(file_error(path))?;
    let merchants: Option<Vec<_>> = lines(&text).map(parse).collect();
    match merchants {
        Some(merchants) if !merchants.is_empty() => Ok(merchants),
        Some(_) | None => {
            let text = format!("{}: every line must be `code,key`", path.display());
            Err(BenchError::Setting(text))
        }
    }
}

/// The lines that name a merchant: neither empty nor a comment nor the header.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "code,key")
}

fn parse(line: &str) -> Option<Merchant> {
    let (code, key) = line.split_once(',')?;
    let (code, key) = (code.trim(), key.trim());
    (!code.is_empty() && !key.is_empty()).then(|| merchant(code, key))
}

fn merchant(code: &str, key: &str) -> Merchant {
    Merchant {
        code: code.to_owned(),
        key: MerchantKey::new(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_skips_header_and_comments() {
        let codes = |text: &str| {
            let merchants: Option<Vec<_>> = lines(text).map(parse).collect();
            merchants.map(|all| all.into_iter().map(|one| one.code).collect::<Vec<_>>())
        };
        assert_eq!(
            codes("code,key\n# x\n\n1, a\n2,b\n"),
            Some(vec!["1".into(), "2".into()])
        );
        assert_eq!(codes("1,a\n2\n"), None);
        assert_eq!(codes("1,\n"), None);
    }
}
