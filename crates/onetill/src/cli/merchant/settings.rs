//! A merchant's rules as options. A switch without a value is on; `=false` turns it off.

use clap::Args;
use domain::merchant::MerchantSettings;

/// A merchant's rules; what is absent stays, or is the default.
#[derive(Args, Clone)]
pub(super) struct RuleArgs {
    /// Answer in English instead of Chinese
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub english: Option<bool>,
    /// Whether queries must be signed [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub require_query_sign: Option<bool>,
    /// Refuse signatures older than this many seconds; 0 takes any age
    #[arg(long, value_name = "S")]
    pub signature_max_age: Option<u32>,
    /// Give a byte-identical repeated request its first answer instead of SERIAL_REPEAT
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub replay_identical: Option<bool>,
    /// Cancel paid payments only after an operator's approval
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pub cancel_paid_by_approval: Option<bool>,
    /// Requests a second at most; 0 for any number
    #[arg(long, value_name = "N")]
    pub requests_per_s: Option<u32>,
}

impl RuleArgs {
    /// The rules of a new merchant.
    pub fn for_new(&self) -> MerchantSettings {
        let default = MerchantSettings::default();
        MerchantSettings {
            english: self.english.unwrap_or(default.english),
            require_query_sign: self
                .require_query_sign
                .unwrap_or(default.require_query_sign),
            signature_max_age_s: self.signature_max_age.filter(|age| *age > 0),
            replay_identical: self.replay_identical.unwrap_or(default.replay_identical),
            cancel_paid_by_approval: self
                .cancel_paid_by_approval
                .unwrap_or(default.cancel_paid_by_approval),
            requests_per_s: self.requests_per_s.filter(|rate| *rate > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TestCli {
        #[command(flatten)]
        rules: RuleArgs,
    }

    #[test]
    fn switches_are_on_without_a_value() {
        let words = [
            "x",
            "--english",
            "--require-query-sign=false",
            "--requests-per-s",
            "0",
        ];
        let parsed = TestCli::try_parse_from(words).map_err(|error| error.to_string());
        let rules = parsed.unwrap().rules;
        assert_eq!((rules.english, rules.replay_identical), (Some(true), None));
        let settings = rules.for_new();
        assert!(settings.english && !settings.require_query_sign);
        assert_eq!(settings.requests_per_s, None);
    }
}
