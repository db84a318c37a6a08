//! ACS3-HMAC-SHA256, for calls whose parameters are all in the query and whose body is empty.
//!
//! ```text
//! canonical request = POST \n / \n query \n (name:value \n)* \n names \n hash of the body
//! string to sign    = ACS3-HMAC-SHA256 \n hex SHA-256(canonical request)
//! signature         = hex HMAC-SHA256(secret, string to sign)
//! ```

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// The signed headers, in their order.
const SIGNED_HEADERS: &str = "host;x-acs-action;x-acs-content-sha256;x-acs-date;\
                              x-acs-signature-nonce;x-acs-version";
/// The hash of nothing.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// One call, before it is signed.
pub(super) struct Call<'a> {
    /// The host, with its port where the URL has one.
    pub(super) host: &'a str,
    /// The operation.
    pub(super) action: &'a str,
    /// The version of the interface.
    pub(super) version: &'a str,
    /// The parameters, from [`canonical_query`].
    pub(super) query: &'a str,
    /// The time: `2026-11-22T00:00:00Z`. The service refuses one that is 15 minutes off.
    pub(super) date: &'a str,
    /// What no other call has. The service refuses one that it has seen.
    pub(super) nonce: &'a str,
}

impl<'a> Call<'a> {
    /// The headers that are signed and must be sent, in the order of [`SIGNED_HEADERS`].
    pub(super) const fn headers(&self) -> [(&'static str, &'a str); 6] {
        [
            ("host", self.host),
            ("x-acs-action", self.action),
            ("x-acs-content-sha256", EMPTY_SHA256),
            ("x-acs-date", self.date),
            ("x-acs-signature-nonce", self.nonce),
            ("x-acs-version", self.version),
        ]
    }

    /// The `Authorization` header; `None` for a secret that no HMAC takes.
    pub(super) fn authorization(&self, key_id: &str, secret: &[u8]) -> Option<String> {
        let signature = self.signature(secret)?;
        Some(format!(
            "{ALGORITHM} Credential={key_id},SignedHeaders={SIGNED_HEADERS},Signature={signature}"
        ))
    }

    fn signature(&self, secret: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(self.string_to_sign().as_bytes());
        Some(hex(&mac.finalize().into_bytes()))
    }

    fn string_to_sign(&self) -> String {
        format!("{ALGORITHM}\n{}", self.canonical_request_hash())
    }

    fn canonical_request_hash(&self) -> String {
        hex(&Sha256::digest(self.canonical_request()))
    }

    fn canonical_request(&self) -> String {
        let headers = self
            .headers()
            .map(|(name, value)| format!("{name}:{value}\n"));
        let (query, headers) = (self.query, headers.concat());
        format!("POST\n/\n{query}\n{headers}\n{SIGNED_HEADERS}\n{EMPTY_SHA256}")
    }
}

/// The parameters as they are signed and sent: sorted by name, both sides percent-encoded.
pub(super) fn canonical_query(parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let written = sorted
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)));
    written.collect::<Vec<_>>().join("&")
}

/// Everything but RFC 3986's unreserved characters as `%` and two upper-case digits.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => push_formatted(&mut encoded, format_args!("%{byte:02X}")),
        }
    }
    encoded
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push_formatted(&mut digits, format_args!("{byte:02x}"));
    }
    digits
}

fn push_formatted(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example in Alibaba Cloud's own documentation of the signature.
    #[test]
    fn the_official_example_signs_as_published() {
        let query = canonical_query(&[
            ("RegionId", "cn-shanghai"),
            (
                "ImageId",
                "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            ),
        ]);
        let call = Call {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            query: &query,
            date: "2023-10-26T10:22:32Z",
            nonce: "3156853299f313e23d1673dc12e1703d",
        };
        assert_eq!(
            call.canonical_request_hash(),
            "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
        );
        assert_eq!(
            call.authorization("YourAccessKeyId", b"YourAccessKeySecret")
                .unwrap(),
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    /// Made with the service's own Python SDK (alibabacloud-tea-openapi 0.4.6).
    #[test]
    fn a_message_signs_as_the_providers_own_client_signs_it() {
        let query = canonical_query(&[
            ("PhoneNumbers", "13800138000"),
            ("SignName", "一点 便利*店~"),
            ("TemplateCode", "SMS_154950909"),
            ("TemplateParam", r#"{"code":"012345"}"#),
        ]);
        let call = Call {
            host: "dysmsapi.aliyuncs.com",
            action: "SendSms",
            version: "2017-05-25",
            query: &query,
            date: "2026-11-22T00:00:00Z",
            nonce: "000102030405060708090a0b0c0d0e0f",
        };
        assert_eq!(
            query,
            "PhoneNumbers=13800138000&SignName=%E4%B8%80%E7%82%B9%20%E4%BE%BF%E5%88%A9%2A\
             %E5%BA%97~&TemplateCode=SMS_154950909&TemplateParam=%7B%22code%22%3A%22012345%22%7D"
        );
        assert_eq!(
            call.signature(b"ExampleSecret30CharactersLong0").unwrap(),
            "7f621a10919aa94c909855da5a6eabad827d501bfb306dc637bb807ce23e716f"
        );
    }

    #[test]
    fn the_headers_stand_in_the_order_they_are_named_in() {
        let call = Call {
            host: "h",
            action: "a",
            version: "v",
            query: "",
            date: "d",
            nonce: "n",
        };
        assert_eq!(
            call.headers().map(|(name, _)| name).join(";"),
            SIGNED_HEADERS
        );
        assert_eq!(hex(&Sha256::digest(b"")), EMPTY_SHA256);
    }

    proptest! {
        #[test]
        fn percent_encoding_is_plain_and_loses_nothing(text in any::<String>()) {
            let encoded = percent_encoded(&text);
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
            prop_assert!(encoded.bytes().all(is_plain));
            prop_assert_eq!(decoded(&encoded), text.as_bytes());
        }
    }

    fn decoded(text: &str) -> Vec<u8> {
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend(&part.as_bytes()[2..]);
        }
        bytes
    }
}
