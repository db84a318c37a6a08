//! Which channel a payer's code belongs to, told by its first digits and its length.

use domain::channel::ChannelNo;
use serde::{Deserialize, Serialize};

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayerCodeRule {
    /// The lowest first two digits.
    pub prefix_min: u8,
    /// The highest first two digits.
    pub prefix_max: u8,
    /// The fewest digits.
    pub digits_min: usize,
    /// The most digits.
    pub digits_max: usize,
    /// The channel.
    pub channel: ChannelNo,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayerCodes(pub Vec<PayerCodeRule>);

impl Default for PayerCodes {
    fn default() -> Self {
        let rule = |prefix_min, prefix_max, digits_min, digits_max, channel| PayerCodeRule {
            prefix_min,
            prefix_max,
            digits_min,
            digits_max,
            channel: ChannelNo(channel),
        };
        Self(vec![
            rule(10, 15, 18, 18, 2),
            rule(25, 30, 16, 24, 1),
            rule(62, 62, 19, 19, 32),
            rule(51, 51, 18, 18, 27),
            rule(91, 91, 18, 18, 31),
            rule(31, 31, 18, 18, 24),
        ])
    }
}

impl PayerCodes {
    /// The channel of `code`, or `None` when no row fits.
    #[must_use]
    pub fn detect(&self, code: &str) -> Option<ChannelNo> {
        if !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let prefix: u8 = code.get(..2)?.parse().ok()?;
        let fits = |rule: &&PayerCodeRule| {
            (rule.prefix_min..=rule.prefix_max).contains(&prefix)
                && (rule.digits_min..=rule.digits_max).contains(&code.len())
        };
        self.0.iter().find(fits).map(|rule| rule.channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_by_prefix_and_length() {
        let codes = PayerCodes::default();
        for (code, channel) in [
            ("134214903060794755", Some(2)),
            ("13421490306079475", None),
            ("284214903060794755", Some(1)),
            ("2842149030607947", Some(1)),
            ("6221490306079475512", Some(32)),
            ("514214903060794755", Some(27)),
            ("914214903060794755", Some(31)),
            ("314214903060794755", Some(24)),
            ("994214903060794755", None),
            ("28421490306079475x", None),
            ("2", None),
            ("", None),
            ("２８421490306079475", None),
        ] {
            assert_eq!(codes.detect(code), channel.map(ChannelNo), "{code}");
        }
    }
}
