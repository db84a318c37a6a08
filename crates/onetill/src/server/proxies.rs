//! Proxies whose word about their clients is taken.

use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// Where proxies write whose request they pass on: each adds the address it was asked from behind
/// those that stand there already.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks of proxies that stand in front of the server; none by default. Anybody else may
/// write into the header what they like: it is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<(IpAddr, u8)>);

impl TrustedProxies {
    /// The proxies in these networks: an address and how many leading bits make the range.
    #[must_use]
    pub const fn new(networks: Vec<(IpAddr, u8)>) -> Self {
        Self(networks)
    }

    /// Whose request came from `peer`: its own, or, where a trusted proxy passed it on, the client's
    /// nearest to us that is not itself such a proxy. What stands before that was written by
    /// whoever it is, and proves nothing.
    pub(super) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.trusts(peer.ip()) {
            return peer;
        }
        let mut client = peer.ip();
        let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
        // What is not text is no address: who stands before it is not known.
        let lines = lines.map(|line| line.to_str().unwrap_or_default());
        for hop in lines.flat_map(|line| line.rsplit(',')) {
            let Some(hop) = read_hop(hop) else { break };
            client = hop;
            if !self.trusts(client) {
                break;
            }
        }
        SocketAddr::new(client, peer.port())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        !self.0.is_empty() && crate::outbound::guard::contains(&self.0, address.to_canonical())
    }
}

/// Reads an address, with or without a port.
fn read_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|it: SocketAddr| it.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(peer: &str, lines: &[&str]) -> String {
        let networks = [("10.0.0.0", 8), ("192.0.2.7", 32), ("fd00::", 8)];
        let networks = networks.map(|(address, bits)| (address.parse().unwrap(), bits));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 9);
        let proxies = TrustedProxies::new(networks.to_vec());
        let client = proxies.client(peer, &headers);
        assert_eq!(TrustedProxies::default().client(peer, &headers), peer);
        client.ip().to_string()
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_vouches_for_counts() {
        for (peer, lines, expected) in [
            // Nobody else is believed.
            ("203.0.113.1", vec!["198.51.100.1"], "203.0.113.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            // Whoever stands before the client is what the client wrote.
            ("10.0.0.1", vec!["192.0.2.7, 198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                vec!["10.9.9.9,198.51.100.1 , 192.0.2.7"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                vec!["10.9.9.9", "198.51.100.1", "10.2.2.2"],
                "198.51.100.1",
            ),
            ("10.0.0.1", vec!["10.9.9.9"], "10.9.9.9"),
            // With a port, and in version 6.
            ("::ffff:10.0.0.1", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("fd00::1", vec!["2001:db8::1"], "2001:db8::1"),
            ("fd00::1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", vec!["[2001:db8::1]"], "2001:db8::1"),
            // An unreadable hop ends what is known.
            ("10.0.0.1", vec!["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1", "店"], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1, x, 10.3.3.3"], "10.3.3.3"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, &lines), expected, "{peer} {lines:?}");
        }
    }
}
