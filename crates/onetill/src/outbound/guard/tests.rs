use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::ffff:80ff:fffe",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fdff:ffff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
];

const PUBLIC: &[&str] = &[
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "64:ff9b::8.8.8.8",
    // Teredo with client 8.8.8.8.
    "2001::f7f7:f7f7",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2002:808:808::1",
    "2400:3200::1",
    "2606:4700:4700::1111",
];

#[test]
fn addresses_are_public_or_not() {
    for text in NOT_PUBLIC {
        assert!(!is_public(address(text)), "{text}");
    }
    for text in PUBLIC {
        assert!(is_public(address(text)), "{text}");
    }
}

#[test]
fn each_allowance_opens_its_own_addresses_only() {
    let loopback = TargetPolicy {
        allow_loopback: true,
        ..TargetPolicy::default()
    };
    let private = TargetPolicy {
        allow_private: true,
        ..TargetPolicy::default()
    };
    // address, permitted with loopback, permitted with private
    let rows = [
        ("127.0.0.1", true, false),
        ("::1", true, false),
        ("10.1.2.3", false, true),
        ("100.64.0.1", false, true),
        ("192.168.1.1", false, true),
        ("fd00::1", false, true),
        ("fec0::1", false, true),
        ("169.254.169.254", false, false),
        ("fe80::1", false, false),
        ("224.0.0.1", false, false),
        ("0.0.0.0", false, false),
        ("::", false, false),
        ("::ffff:127.0.0.1", false, false),
        ("::ffff:10.1.2.3", false, false),
        ("64:ff9b::127.0.0.1", false, false),
        ("2002:a01:203::1", false, false),
        ("8.8.8.8", true, true),
    ];
    for (text, with_loopback, with_private) in rows {
        assert_eq!(loopback.permits(address(text)), with_loopback, "{text}");
        assert_eq!(private.permits(address(text)), with_private, "{text}");
    }
}

#[test]
fn allowed_networks_end_where_their_prefix_ends() {
    // network, prefix in bits, inside, outside
    let rows = [
        ("169.254.0.0", 16, "169.254.255.255", "10.0.0.1"),
        ("10.1.2.3", 24, "10.1.2.255", "10.1.3.0"),
        ("10.0.0.7", 32, "10.0.0.7", "10.0.0.6"),
        ("0.0.0.0", 0, "255.255.255.255", "::1"),
        ("fd00:1::", 32, "fd00:1:ffff::1", "fd00:2::1"),
        ("::1", 128, "::1", "::2"),
        ("::ffff:0:0", 96, "::ffff:10.0.0.1", "10.0.0.1"),
        ("::", 0, "ff02::1", "10.0.0.1"),
    ];
    for (network, prefix_bits, inside, outside) in rows {
        let policy = TargetPolicy {
            allowed_networks: vec![(address(network), prefix_bits)],
            ..TargetPolicy::default()
        };
        assert!(policy.permits(address(inside)), "{network}/{prefix_bits}");
        assert!(!policy.permits(address(outside)), "{network}/{prefix_bits}");
    }
}

#[test]
fn prefix_too_long_allows_nothing() {
    for (network, prefix_bits) in [("10.0.0.1", 33), ("10.0.0.1", 255), ("fd00::1", 129)] {
        let policy = TargetPolicy {
            allowed_networks: vec![(address(network), prefix_bits)],
            ..TargetPolicy::default()
        };
        assert!(!policy.permits(address(network)), "{network}/{prefix_bits}");
    }
}

#[test]
fn urls_are_refused_for_the_rule_they_break() {
    use TargetError::{Address, Malformed, Port, Scheme, UserInfo};
    let rows = [
        ("", Malformed),
        ("shop.example/paid", Malformed),
        ("http://", Malformed),
        ("http://shop.example:99999/", Malformed),
        ("http://[::1/", Malformed),
        ("http://sh op.example/", Malformed),
        ("http://256.256.256.256/", Malformed),
        ("http://[fe80::1%25eth0]/", Malformed),
        ("ftp://shop.example/", Scheme),
        ("file:///etc/passwd", Scheme),
        ("gopher://127.0.0.1:6379/_x", Scheme),
        ("data:text/plain,x", Scheme),
        ("unix:/run/x.sock", Scheme),
        ("http://user@shop.example/", UserInfo),
        ("http://user:pass@shop.example/", UserInfo),
        ("http://8.8.8.8@127.0.0.1/", UserInfo),
        ("http://:pass@shop.example/", UserInfo),
        ("http://shop.example:0/", Port),
        ("http://127.0.0.1/", Address),
        ("HTTP://127.0.0.1:8081/PAY", Address),
        ("http://127.0.0.1./", Address),
        ("http://127.1/", Address),
        ("http://0x7f.1/", Address),
        ("http://0x7f000001/", Address),
        ("http://2130706433/", Address),
        ("http://017700000001/", Address),
        ("http://%31%32%37.0.0.1/", Address),
        ("http://１２７.0.0.1/", Address),
        ("http://127。0。0。1/", Address),
        ("http:10.0.0.1/", Address),
        ("http:\\\\10.0.0.1\\", Address),
        ("http://0/", Address),
        ("http://169.254.169.254/latest/meta-data", Address),
        ("http://192.168.0.1:8080/", Address),
        ("http://100.64.1.1/", Address),
        ("https://[::1]/", Address),
        ("https://[0:0:0:0:0:0:0:1]:8443/", Address),
        ("http://[::ffff:127.0.0.1]/", Address),
        ("http://[::ffff:7f00:1]/", Address),
        ("http://[fe80::1]/", Address),
        ("http://[fd00::1]/", Address),
        ("http://localhost/", Address),
        ("http://LOCALHOST:80/", Address),
        ("http://localhost./", Address),
        ("http://pay.localhost/", Address),
        ("http://loc%61lhost/", Address),
    ];
    for (url, expected) in rows {
        let judged = check_url(url, &TargetPolicy::default());
        assert_eq!(judged, Err(expected), "{url}");
    }
}

#[test]
fn urls_are_taken_and_spelled_as_they_will_be_called() {
    let rows = [
        (
            "HTTP://Shop.Example:8081/PAY/Notify",
            "http://shop.example:8081/PAY/Notify",
        ),
        (
            "https://shop.example/n?pid=7&_type=json",
            "https://shop.example/n?pid=7&_type=json",
        ),
        ("https://shop.example:443", "https://shop.example/"),
        ("http://8.8.8.8:1/", "http://8.8.8.8:1/"),
        ("http://134744072/", "http://8.8.8.8/"),
        (
            "http://[2400:3200::1]:65535/a",
            "http://[2400:3200::1]:65535/a",
        ),
        ("http://localhost.example/", "http://localhost.example/"),
        ("http://notlocalhost/", "http://notlocalhost/"),
        (
            "http://商店.example/付款",
            "http://xn--czrs0t.example/%E4%BB%98%E6%AC%BE",
        ),
    ];
    for (url, spelled) in rows {
        let target = check_url(url, &TargetPolicy::default());
        assert_eq!(target.as_ref().map(Target::as_str), Ok(spelled), "{url}");
    }
}

#[test]
fn localhost_follows_the_loopback_allowances() {
    let open = TargetPolicy {
        allow_loopback: true,
        ..TargetPolicy::default()
    };
    let one_network = TargetPolicy {
        allowed_networks: vec![(address("127.0.0.0"), 8)],
        ..TargetPolicy::default()
    };
    for policy in [open, one_network] {
        assert!(check_url("http://localhost:8080/", &policy).is_ok());
        assert!(check_url("http://127.0.0.1:8080/", &policy).is_ok());
        assert!(check_url("http://10.0.0.1:8080/", &policy).is_err());
    }
}

#[test]
fn length_is_limited_at_intake_but_leaves_room_for_the_signature() {
    let policy = TargetPolicy::default();
    let head = "http://shop.example/";
    let longest = format!("{head}{}", "付".repeat(INTAKE_URL_CHARS_MAX - head.len()));
    let target = check_url(&longest, &policy).unwrap();
    let signed = format!("{}?sign={}:1700000000000", target.as_str(), "0".repeat(32));
    assert!(check_before_call(&signed, &policy).is_ok());

    let too_long = format!("{longest}x");
    assert_eq!(check_url(&too_long, &policy), Err(TargetError::TooLong));
    let absurd = format!("{head}{}", "x".repeat(CALL_URL_CHARS_MAX));
    assert_eq!(
        check_before_call(&absurd, &policy),
        Err(TargetError::TooLong)
    );
}
