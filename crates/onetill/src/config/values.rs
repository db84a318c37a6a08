//! Reading single values, and saying what would do.

use super::ConfigError;
use std::net::IpAddr;

pub(super) fn too_small(name: &'static str) -> ConfigError {
    ConfigError::Value {
        name,
        value: "0".to_owned(),
        hint: "use 1 or more, or leave it out for the default",
    }
}

/// The flags' list, or the file's where they name nothing.
pub(super) fn first_given(flags: Vec<String>, file: Vec<String>) -> Vec<String> {
    if flags.is_empty() { file } else { flags }
}

pub(super) fn read_network(text: &str) -> Result<(IpAddr, u8), ConfigError> {
    let wrong = || ConfigError::Value {
        name: "notify-network",
        value: text.to_owned(),
        hint: "use an address and a prefix length, such as 10.1.0.0/16",
    };
    let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits: u8 = bits.parse().map_err(|_| wrong())?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    if bits > bits_max {
        Err(wrong())
    } else {
        Ok((address, bits))
    }
}
