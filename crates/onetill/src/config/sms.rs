//! Who sends verify codes as text messages.

use super::ConfigError;
use channels::sms::aliyun::{AccessKeySecret, AliyunConfig, Endpoint};
use serde::Deserialize;

/// The environment variable that holds the secret of the provider's access key.
pub const SECRET_VARIABLE: &str = "ONETILL_SMS_ACCESS_KEY_SECRET";

/// An account with Alibaba Cloud's SMS service, as the file describes it. Has no `Debug`, because
/// it may hold the access key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsOptions {
    /// The access key's name.
    access_key_id: String,
    /// The access key itself; better in the environment.
    access_key_secret: Option<String>,
    /// The signature name that messages begin with, as the provider has approved it.
    sign_name: String,
    /// The template's code, as the provider has approved it.
    template_code: String,
    /// The field of the template that takes the code, if it is not `code`.
    template_field: Option<String>,
    /// Where the service is, if not at its usual place.
    endpoint: Option<String>,
}

impl SmsOptions {
    /// Checks the settings; `secret` is what the environment says.
    ///
    /// # Errors
    /// When there is no secret, or the endpoint is none.
    pub fn check(self, secret: Option<String>) -> Result<AliyunConfig, ConfigError> {
        let secret = secret.or(self.access_key_secret);
        let secret = secret.ok_or_else(|| ConfigError::Value {
            name: "sms.access_key_secret",
            value: String::new(),
            hint: "set ONETILL_SMS_ACCESS_KEY_SECRET, or the line in the file",
        })?;
        let endpoint = match self.endpoint {
            None => Endpoint::default(),
            Some(text) => Endpoint::parse(&text).map_err(|_| ConfigError::Value {
                name: "sms.endpoint",
                value: text,
                hint: "use https://HOST or https://HOST:PORT, and nothing behind it",
            })?,
        };
        let mut config = AliyunConfig::new(
            self.access_key_id,
            AccessKeySecret::new(secret),
            self.sign_name,
            self.template_code,
        );
        config.endpoint = endpoint;
        if let Some(field) = self.template_field {
            config.template_field = field;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(more: &str) -> SmsOptions {
        let text = format!("access_key_id='i'\nsign_name='s'\ntemplate_code='SMS_1'\n{more}");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn the_secret_comes_from_the_environment_or_the_file() {
        assert!(options("").check(Some("s".to_owned())).is_ok());
        assert!(options("access_key_secret='s'").check(None).is_ok());
        let text = options("").check(None).err().unwrap().to_string();
        assert!(text.contains(SECRET_VARIABLE), "{text}");
    }

    #[test]
    fn an_endpoint_must_keep_codes_secret() {
        let check = |url: &str| options(&format!("endpoint='{url}'")).check(Some("s".to_owned()));
        assert!(check("https://sms.example").is_ok());
        assert!(check("http://sms.example").is_err());
        let config = options("template_field='otp'").check(Some("s".to_owned()));
        assert_eq!(config.ok().unwrap().template_field, "otp");
    }
}
