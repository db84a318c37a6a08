use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    file
}

fn read(text: &str) -> Result<Options, ConfigError> {
    Options::default().with_file(Some(file(text).path()))
}

/// The example file with its comment signs taken off the settings (not off the prose).
fn uncommented_example() -> String {
    let is_setting = |line: &str| {
        line.strip_prefix("# ").is_some_and(|rest| {
            let name = rest.split(" = ").next().unwrap_or_default();
            rest.contains(" = ")
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte))
                || rest.starts_with("  {")
                || rest == "]"
        })
    };
    let text = include_str!("../../../../onetill.example.toml");
    let lines = text
        .lines()
        .filter(|line| is_setting(line))
        .map(|line| &line[2..]);
    // Two stores are shown; only one can be set.
    let lines = lines.filter(|line| !line.starts_with("store = \"postgres"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_file_names_real_settings_and_the_real_defaults() {
    let mut options = read(&uncommented_example()).unwrap();
    assert_eq!(options.payer_codes, Some(PayerCodes::default()));
    // Two places of the sandbox are shown; only one can be set.
    assert!(options.sandbox_url.take().is_some());
    let config = options.check().unwrap();
    let default = Options::default().check().unwrap();
    assert_eq!(config.server.listen, default.server.listen);
    assert!(config.store == default.store);
    assert_eq!(config.store_writers, default.store_writers);
    assert_eq!(config.rules.window_s, default.rules.window_s);
    assert_eq!(config.rules.order_window_s, default.rules.order_window_s);
    assert_eq!(config.failures, default.failures);
    let (limits, usual) = (config.server.limits, default.server.limits);
    assert_eq!(limits.connections_max, usual.connections_max);
    assert_eq!(limits.head_timeout, usual.head_timeout);
    assert_eq!(limits.idle_timeout, usual.idle_timeout);
    assert_eq!(limits.drain_timeout, usual.drain_timeout);
    assert_eq!(config.log_filter, default.log_filter);
    assert_eq!(config.sandbox_latency_ms, None);
    assert!(config.sms.is_some(), "an account is shown");
}

#[test]
fn flags_win_over_the_file() {
    let flags = Options {
        window_s: Some(60),
        ..Options::default()
    };
    let both = flags
        .with_file(Some(file("window_s = 30\nzone = \"UTC\"").path()))
        .unwrap();
    assert_eq!(
        (both.window_s, both.zone.as_deref()),
        (Some(60), Some("UTC"))
    );
}

#[test]
fn a_wrong_file_is_named_with_the_reason() {
    let unknown = read("windows_s = 1").err().unwrap().to_string();
    assert!(unknown.contains("windows_s"), "{unknown}");
    let missing = Options::default().with_file(Some(Path::new("/nowhere/onetill.toml")));
    assert!(
        missing
            .err()
            .unwrap()
            .to_string()
            .contains("/nowhere/onetill.toml")
    );
}

#[test]
fn wrong_values_say_what_would_do() {
    let refused = |options: Options| options.check().err().map(|error| error.to_string());
    let with = |change: fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        refused(options).unwrap()
    };
    assert!(with(|it| it.zone = Some("Mars/Olympus".to_owned())).contains("Asia/Shanghai"));
    assert!(with(|it| it.log_format = Some("xml".to_owned())).contains("text or json"));
    assert!(with(|it| it.notify_network = vec!["10.0.0.0/64".to_owned()]).contains("10.1.0.0/16"));
    assert!(with(|it| it.head_timeout_s = Some(0)).contains("head-timeout-s = 0: use 1 or more"));
    assert!(with(|it| it.connections_per_address_max = Some(0)).contains("use 1 or more"));
    assert!(with(|it| it.tls_cert = Some(PathBuf::from("cert.pem"))).contains("tls-key"));
    let secret = with(|it| it.store = Some("mysql://user:secret@host".to_owned()));
    assert!(
        secret.contains("postgres://") && !secret.contains("secret"),
        "{secret}"
    );
}

#[test]
fn stopping_waits_longer_than_any_payment_unless_told_otherwise() {
    let drain = |window_s, drain_timeout_s| {
        let options = Options {
            window_s,
            drain_timeout_s,
            ..Options::default()
        };
        options
            .check()
            .unwrap()
            .server
            .limits
            .drain_timeout
            .as_secs()
    };
    assert_eq!(drain(None, None), 90);
    assert_eq!(drain(Some(200), None), 210);
    assert_eq!(drain(Some(200), Some(5)), 5);
}

#[test]
fn a_sandbox_elsewhere_replaces_the_one_in_this_process() {
    let elsewhere = |url: &str| Options {
        demo: true,
        sandbox_url: Some(url.to_owned()),
        ..Options::default()
    };
    let config = elsewhere("http://127.0.0.1:8780/").check().unwrap();
    let url = config.sandbox_url.unwrap().to_string();
    assert_eq!(url, "http://127.0.0.1:8780");
    assert_eq!(config.sandbox_latency_ms, None);
    for url in ["127.0.0.1:8780", "https://127.0.0.1:8780", "http:///", "x"] {
        let error = elsewhere(url).check().err().unwrap().to_string();
        assert!(error.contains("http://127.0.0.1:8780"), "{url}: {error}");
    }
    let both = Options {
        sandbox_latency_ms: Some(5),
        ..elsewhere("http://127.0.0.1:8780")
    };
    let error = both.check().err().unwrap().to_string();
    assert!(error.contains("--latency-ms"), "{error}");
}

#[test]
fn the_demo_is_reached_by_nobody_else_unless_forced() {
    let exposed = |forced| Options {
        demo: true,
        demo_exposed: forced,
        listen: Some(SocketAddr::from(([0, 0, 0, 0], 8080))),
        ..Options::default()
    };
    assert!(
        exposed(false)
            .check()
            .err()
            .unwrap()
            .to_string()
            .contains("--demo-exposed")
    );
    assert!(exposed(true).check().is_ok());
    let without_demo = Options {
        demo: false,
        ..exposed(false)
    };
    assert!(without_demo.check().is_ok());
}
