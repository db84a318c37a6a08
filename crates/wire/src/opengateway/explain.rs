//! Why a signature does not match: the expected one, and the usual mistakes tried one by one.
//!
//! For the operator's own tools, never for a reply: the expected signature is in here.

use super::code::Locale;
use super::key::MerchantKey;
use super::sign::{normalise, plain_digest, sign, split, verify};
use super::text::is_digits;
use super::{seal, text};

/// What stands for the key in [`SignReport::canonical`].
pub const KEY_PLACEHOLDER: &str = "{key}";

/// A mistake found, or that none was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Diagnosis {
    /// The signature is right.
    Matches,
    /// There is no colon: the timestamp was not appended.
    NoTimestamp,
    /// The colon is still percent-encoded, perhaps twice.
    EncodedColon,
    /// The timestamp is not 1 to 20 digits.
    BadTimestamp,
    /// The digest is not 32 hexadecimal digits.
    NotADigest,
    /// Right but for uppercase digits.
    UppercaseHex,
    /// White space was signed.
    WhiteSpaceKept,
    /// Only U+0020 was removed, not tabs and line ends.
    OnlySpacesRemoved,
    /// Only line ends were removed, not spaces.
    OnlyLineEndsRemoved,
    /// White space was removed only around the content.
    OnlyTrimmed,
    /// A line end after the content was signed.
    TrailingNewline,
    /// Wide spaces (U+00A0, U+3000, …) were removed as well.
    WideSpacesRemoved,
    /// Backslashes were removed as well.
    BackslashesRemoved,
    /// The ciphertext was signed; sign first, then encrypt.
    SignedCiphertext,
    /// Order key, timestamp, content.
    KeyFirst,
    /// Order timestamp, content, key.
    KeyLast,
    /// Order content, timestamp, key.
    ContentFirst,
    /// Order content, key, timestamp.
    TimestampLast,
    /// The timestamp was not part of the digest.
    TimestampNotSigned,
    /// The key was not part of the digest.
    KeyNotSigned,
    /// A colon was signed after the timestamp.
    ColonSigned,
    /// Seconds were signed and milliseconds sent, or the other way round.
    OtherTimeUnit,
    /// The content signed was empty.
    EmptyContent,
    /// The key's letters were in another case.
    KeyCase,
    /// None of the known mistakes: another key or another content.
    Unknown,
}

impl Diagnosis {
    /// What to do about it.
    pub const fn message(self, locale: Locale) -> &'static str {
        let (zh, en) = self.texts();
        locale.pick(zh, en)
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Matches => ("签名正确", "the signature is right"),
            Self::NoTimestamp => (
                "签名后缺少冒号和时间戳",
                "append a colon and the timestamp to the digest",
            ),
            Self::EncodedColon => (
                "冒号仍是百分号编码，可能编码了两次",
                "the colon is still percent-encoded: encode it once or not at all",
            ),
            Self::BadTimestamp => (
                "时间戳必须是1到20位数字",
                "the timestamp must be 1 to 20 digits",
            ),
            Self::NotADigest => (
                "摘要必须是32位十六进制数字",
                "the digest must be 32 hexadecimal digits",
            ),
            Self::UppercaseHex => ("摘要必须用小写字母", "write the digest in lowercase"),
            Self::WhiteSpaceKept => (
                "签名前没有去掉空格和换行",
                "remove white space from the content before signing",
            ),
            Self::OnlySpacesRemoved => (
                "只去掉了空格，还要去掉制表符和换行",
                "remove tabs and line ends too, not only spaces",
            ),
            Self::OnlyLineEndsRemoved => (
                "只去掉了换行，还要去掉空格",
                "remove spaces too, inside values as well, not only line ends",
            ),
            Self::OnlyTrimmed => (
                "只去掉了首尾空白，中间的也要去掉",
                "remove white space everywhere, not only around the content",
            ),
            Self::TrailingNewline => (
                "签名内容末尾多了换行",
                "do not sign the line end after the content",
            ),
            Self::WideSpacesRemoved => (
                "全角空格等不应去掉",
                "keep wide spaces such as U+3000; remove ASCII white space only",
            ),
            Self::BackslashesRemoved => ("不应去掉反斜杠", "keep backslashes"),
            Self::SignedCiphertext => ("应先签名再加密", "sign the plaintext, then encrypt"),
            Self::KeyLast => ("Key应在内容之前", "put the key before the content"),
            Self::KeyFirst | Self::ContentFirst | Self::TimestampLast => (
                "顺序应为时间戳、Key、内容",
                "the order is timestamp, key, content",
            ),
            Self::TimestampNotSigned => (
                "摘要中缺少时间戳",
                "start the digest's input with the timestamp",
            ),
            Self::KeyNotSigned => ("摘要中缺少Key", "put the key after the timestamp"),
            Self::ColonSigned => ("摘要内容不含冒号", "do not sign the colon"),
            Self::OtherTimeUnit => (
                "签名用的时间戳与发送的单位不同",
                "sign the very timestamp that is sent: seconds or milliseconds",
            ),
            Self::EmptyContent => ("没有对内容签名", "the content was not signed"),
            Self::KeyCase => ("Key的大小写不对", "the key's letters are in the wrong case"),
            Self::Unknown => (
                "不是已知的错误：请核对Key和内容",
                "no known mistake: check the key and what exactly was signed",
            ),
        }
    }
}

/// What was expected of a signature. It holds no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignReport {
    /// The text whose digest is taken, with [`KEY_PLACEHOLDER`] for the key.
    pub canonical: String,
    /// The right signature for this timestamp and content.
    pub expected: String,
    /// The mistakes that explain the signature given; never empty.
    pub diagnoses: Vec<Diagnosis>,
}

/// Explains a signature over a content: the body's plaintext, or what a GET signs instead.
pub fn explain(key: &MerchantKey, given: &str, content: &[u8]) -> SignReport {
    let (digest, timestamp) = given.split_once(':').unwrap_or((given, ""));
    let normalised = normalise(content);
    let shown = String::from_utf8_lossy(&normalised);
    SignReport {
        canonical: format!("{timestamp}{KEY_PLACEHOLDER}{shown}"),
        expected: sign(key, timestamp, content),
        diagnoses: diagnose(key, given, digest, timestamp, content),
    }
}

fn diagnose(
    key: &MerchantKey,
    given: &str,
    digest: &str,
    timestamp: &str,
    content: &[u8],
) -> Vec<Diagnosis> {
    if verify(key, given, content).is_ok() {
        return vec![Diagnosis::Matches];
    }
    let mut found: Vec<Diagnosis> = shape(given, digest, timestamp).into_iter().collect();
    let digest = digest.to_ascii_lowercase();
    let mistakes = mistakes(key, timestamp, content);
    let matching = mistakes.into_iter().filter(|(_, made)| *made == digest);
    found.extend(matching.map(|(mistake, _)| mistake));
    if found.is_empty() {
        found.push(Diagnosis::Unknown);
    }
    found
}

/// What is wrong with the signature's shape.
fn shape(given: &str, digest: &str, timestamp: &str) -> Option<Diagnosis> {
    if !given.contains(':') {
        let is_encoded = given.to_ascii_uppercase().contains("%3A");
        return Some(if is_encoded {
            Diagnosis::EncodedColon
        } else {
            Diagnosis::NoTimestamp
        });
    }
    if !is_digits(timestamp) || timestamp.len() > 20 {
        return Some(Diagnosis::BadTimestamp);
    }
    let lower = given.to_ascii_lowercase();
    match (split(given), split(&lower)) {
        (Some(_), _) => None,
        (None, Some(_)) if digest != digest.to_ascii_lowercase() => Some(Diagnosis::UppercaseHex),
        (None, _) => Some(Diagnosis::NotADigest),
    }
}

/// The digest each mistake would make. Those that change nothing here are left out.
fn mistakes(key: &MerchantKey, timestamp: &str, content: &[u8]) -> Vec<(Diagnosis, String)> {
    let right = normalise(content);
    let (t, k) = (timestamp.as_bytes(), key.bytes());
    let mut made: Vec<_> = wrong_contents(key, content)
        .into_iter()
        .filter(|(_, wrong)| **wrong != *right)
        .map(|(mistake, wrong)| (mistake, plain_digest(&[t, k, &wrong])))
        .collect();
    let mut orders: Vec<(Diagnosis, Vec<&[u8]>)> = vec![
        (Diagnosis::KeyFirst, vec![k, t, &right]),
        (Diagnosis::KeyLast, vec![t, &right, k]),
        (Diagnosis::ContentFirst, vec![&right, t, k]),
        (Diagnosis::TimestampLast, vec![&right, k, t]),
        (Diagnosis::KeyNotSigned, vec![t, &right]),
        (Diagnosis::ColonSigned, vec![t, b":", k, &right]),
    ];
    if !t.is_empty() {
        orders.push((Diagnosis::TimestampNotSigned, vec![k, &right]));
    }
    made.extend(
        orders
            .into_iter()
            .map(|(m, parts)| (m, plain_digest(&parts))),
    );
    made.extend(other_time_units(timestamp).into_iter().map(|t| {
        let digest = plain_digest(&[t.as_bytes(), k, &right]);
        (Diagnosis::OtherTimeUnit, digest)
    }));
    made.extend(
        key.in_other_cases()
            .iter()
            .filter(|other| other.bytes() != k)
            .map(|other| {
                (
                    Diagnosis::KeyCase,
                    plain_digest(&[t, other.bytes(), &right]),
                )
            }),
    );
    made
}

/// The contents clients sign by mistake.
fn wrong_contents(key: &MerchantKey, content: &[u8]) -> Vec<(Diagnosis, Vec<u8>)> {
    let right = normalise(content);
    let keep = |keep: fn(u8) -> bool| content.iter().copied().filter(|&b| keep(b)).collect();
    let lossy = String::from_utf8_lossy(&right);
    let narrow: String = lossy.chars().filter(|c| !c.is_whitespace()).collect();
    let trimmed = text::trim(&String::from_utf8_lossy(content)).to_owned();
    let no_backslash = right.iter().copied().filter(|&b| b != b'\\').collect();
    vec![
        (Diagnosis::WhiteSpaceKept, content.to_vec()),
        (Diagnosis::OnlySpacesRemoved, keep(|b| b != b' ')),
        (
            Diagnosis::OnlyLineEndsRemoved,
            keep(|b| !matches!(b, b'\n' | b'\r')),
        ),
        (Diagnosis::OnlyTrimmed, trimmed.into_bytes()),
        (Diagnosis::TrailingNewline, [&*right, b"\n"].concat()),
        (Diagnosis::TrailingNewline, [&*right, b"\r\n"].concat()),
        (Diagnosis::WideSpacesRemoved, narrow.into_bytes()),
        (Diagnosis::BackslashesRemoved, no_backslash),
        (
            Diagnosis::SignedCiphertext,
            seal::seal(key, content).into_bytes(),
        ),
        (Diagnosis::EmptyContent, Vec::new()),
    ]
}

/// A timestamp of seconds as milliseconds, and the other way round.
fn other_time_units(timestamp: &str) -> Vec<String> {
    match timestamp.len() {
        10 => vec![format!("{timestamp}000")],
        13 => timestamp.get(..10).map(str::to_owned).into_iter().collect(),
        _ => Vec::new(),
    }
}
