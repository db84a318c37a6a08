//! Which addresses and URLs the server may call on a merchant's behalf.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The longest URL taken from a merchant, in characters.
pub const INTAKE_URL_CHARS_MAX: usize = 1024;
/// The longest URL called, in characters: one from intake may grow twelvefold when it is escaped,
/// and has a signature appended.
const CALL_URL_CHARS_MAX: usize = 16 * 1024;

/// A range of addresses: any address in it, and how many leading bits make the range.
type Network = (IpAddr, u8);

/// What the operator allows beyond public addresses; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetPolicy {
    /// Allow 127.0.0.0/8, `::1`, and names under `localhost`.
    pub allow_loopback: bool,
    /// Allow what an operator may number at will: RFC 1918, 100.64.0.0/10, `fc00::/7` and
    /// `fec0::/10`. Link-local addresses stay refused: cloud machines find their credentials there.
    pub allow_private: bool,
    /// Allow these networks, whatever they are: an address and its prefix length in bits. A prefix
    /// too long for its family allows nothing.
    pub allowed_networks: Vec<(IpAddr, u8)>,
}

impl TargetPolicy {
    /// Whether the server may connect to `address`.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let by_reach = match reach(address) {
            Reach::Public => true,
            Reach::Loopback => self.allow_loopback,
            Reach::Private => self.allow_private,
            Reach::Reserved => false,
        };
        by_reach || contains(&self.allowed_networks, address)
    }

    fn permits_localhost(&self) -> bool {
        self.permits(Ipv4Addr::LOCALHOST.into()) || self.permits(Ipv6Addr::LOCALHOST.into())
    }
}

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    Loopback,
    Private,
    /// Never an honest receiver: multicast, link-local, documentation, another address in disguise.
    Reserved,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix_bits: u8) -> Network {
    (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix_bits)
}

const fn v6(head: [u16; 2], prefix_bits: u8) -> Network {
    let [first, second] = head;
    let address = Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0);
    (IpAddr::V6(address), prefix_bits)
}

const LOOPBACK: [Network; 2] = [v4(127, 0, 0, 0, 8), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)];

const PRIVATE: [Network; 6] = [
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(172, 16, 0, 0, 12),
    v4(192, 168, 0, 0, 16),
    v6([0xfc00, 0], 7),
    v6([0xfec0, 0], 10),
];

const RESERVED_V4: [Network; 10] = [
    v4(0, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// All that IPv6 has handed out. What lies elsewhere (unspecified, mapped, compatible, link-local,
/// multicast, …) is refused without a list that could miss something.
const GLOBAL_V6: [Network; 1] = [v6([0x2000, 0], 3)];

/// Protocol assignments and documentation inside [`GLOBAL_V6`].
const RESERVED_V6: [Network; 3] = [
    v6([0x2001, 0], 23),
    v6([0x2001, 0x0db8], 32),
    v6([0x3fff, 0], 20),
];

/// Whether `address` is one that anybody on the internet could call.
///
/// An IPv6 address that carries an IPv4 address (NAT64, 6to4, Teredo) is as public as that one. An
/// IPv4-mapped or -compatible address never is: it only serves to disguise the plain one.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    reach(address) == Reach::Public
}

fn reach(address: IpAddr) -> Reach {
    if contains(&LOOPBACK, address) {
        return Reach::Loopback;
    }
    if contains(&PRIVATE, address) {
        return Reach::Private;
    }
    let is_public = match address {
        IpAddr::V4(_) => !contains(&RESERVED_V4, address),
        IpAddr::V6(v6) => match carried_v4(v6) {
            Some(v4) => is_public(v4.into()),
            None => contains(&GLOBAL_V6, address) && !contains(&RESERVED_V6, address),
        },
    };
    if is_public {
        Reach::Public
    } else {
        Reach::Reserved
    }
}

/// The IPv4 address that a translator or tunnel would send on to.
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        // NAT64, RFC 6052.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        // Teredo, RFC 4380: the client's address with every bit turned over.
        [0x2001, 0, _, _, _, _, high, low] => (!high, !low),
        // 6to4, RFC 3056.
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

/// Whether `address` lies in one of `networks`, each an address and the length of its prefix.
#[must_use]
pub fn contains(networks: &[(IpAddr, u8)], address: IpAddr) -> bool {
    networks
        .iter()
        .any(|&(network, prefix_bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => shares_prefix(
                widen(network.to_bits()),
                widen(address.to_bits()),
                prefix_bits,
                32,
            ),
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                shares_prefix(network.to_bits(), address.to_bits(), prefix_bits, 128)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        })
}

/// Puts the bits of an IPv4 address where prefixes are counted from: on the left.
fn widen(bits: u32) -> u128 {
    u128::from(bits) << 96
}

fn shares_prefix(left: u128, right: u128, prefix_bits: u8, bits_max: u8) -> bool {
    prefix_bits <= bits_max && (left ^ right).leading_zeros() >= u32::from(prefix_bits)
}

/// A URL that may be called, as far as its text can tell: a name is judged when it is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// The URL as it will be called: scheme and host in lower case, the rest escaped.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn into_url(self) -> Url {
        self.0
    }
}

/// Why a URL is not called. The text is fit for the merchant: it tells nothing of our network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub enum TargetError {
    /// Longer than the limit.
    TooLong,
    /// Not an absolute URL with a host.
    Malformed,
    /// Neither `http` nor `https`.
    Scheme,
    /// Holds a user name or a password.
    UserInfo,
    /// Port 0.
    Port,
    /// Leads to an address that the policy refuses.
    Address,
}

impl TargetError {
    /// The reason in a few words, in English.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "URL is too long",
            Self::Malformed => "not a valid URL",
            Self::Scheme => "only http and https are called",
            Self::UserInfo => "URL must not hold a user name or password",
            Self::Port => "port 0 cannot be called",
            Self::Address => "address is not allowed",
        }
    }
}

/// Judges a merchant's URL at intake, without resolving its name.
///
/// # Errors
/// The first rule it breaks: length (at most [`INTAKE_URL_CHARS_MAX`]), form, scheme, user
/// information, port, literal address or `localhost` name.
pub fn check_url(url_text: &str, policy: &TargetPolicy) -> Result<Target, TargetError> {
    check(url_text, INTAKE_URL_CHARS_MAX, policy)
}

/// Judges a URL right before it is called. Only the length limit differs from [`check_url`]: by now
/// the URL is escaped and signed.
pub(super) fn check_before_call(
    url_text: &str,
    policy: &TargetPolicy,
) -> Result<Target, TargetError> {
    check(url_text, CALL_URL_CHARS_MAX, policy)
}

fn check(url_text: &str, chars_max: usize, policy: &TargetPolicy) -> Result<Target, TargetError> {
    if url_text.chars().count() > chars_max {
        return Err(TargetError::TooLong);
    }
    let url = Url::parse(url_text).map_err(|_| TargetError::Malformed)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(TargetError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::UserInfo);
    }
    if url.port() == Some(0) {
        return Err(TargetError::Port);
    }
    check_host(url.host_str().ok_or(TargetError::Malformed)?, policy)?;
    Ok(Target(url))
}

/// Judges a host as the URL parser spells it: `0x7f.1` and its like are plain addresses by now,
/// names are in lower case, and IPv6 addresses stand in brackets.
fn check_host(host: &str, policy: &TargetPolicy) -> Result<(), TargetError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_allowed = match bare.parse::<IpAddr>() {
        Ok(address) => policy.permits(address),
        Err(_) => !is_localhost(bare) || policy.permits_localhost(),
    };
    if is_allowed {
        Ok(())
    } else {
        Err(TargetError::Address)
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests;
