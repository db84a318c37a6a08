//! Client certificates as an operator names them.

use crate::{cli::CommandError, server::Fingerprint};

/// The fingerprints of certificates, each named by its fingerprint or by a PEM file that holds it.
///
/// # Errors
/// When one is neither.
pub(super) fn fingerprints(named: &[String]) -> Result<Vec<String>, CommandError> {
    let read = named.iter().map(|text| fingerprint(text));
    Ok(read.collect::<Result<_, String>>()?)
}

fn fingerprint(text: &str) -> Result<String, String> {
    if let Some(fingerprint) = Fingerprint::parse(text) {
        return Ok(fingerprint.to_string());
    }
    let pem = std::fs::read(text).map_err(|error| {
        format!("{text} is no fingerprint (64 hex digits), and no file that can be read: {error}")
    })?;
    let found = Fingerprint::of_pem(&pem).map(|it| it.to_string());
    found.ok_or_else(|| {
        format!("{text} holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_named_by_its_fingerprint_or_its_file() {
        let made = rcgen::generate_simple_self_signed(vec!["till".into()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let expected = Fingerprint::of(made.cert.der()).to_string();
        let named = [file("till.crt", &pem), expected.to_uppercase()];
        assert_eq!(fingerprints(&named).unwrap(), [expected.clone(), expected]);
        for (wrong, why) in [
            (file("till.key", &key), "no certificate"),
            ("absent.crt".to_owned(), "no fingerprint"),
        ] {
            let error = fingerprints(&[wrong]).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
