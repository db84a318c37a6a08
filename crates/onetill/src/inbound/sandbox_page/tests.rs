//! The page over its routes, in front of a whole gateway with a store in memory.

mod rig;

use axum::http::{StatusCode, header};
use domain::{ids::Serial, payment::Flow};
use rig::{HTML, NAME, ORDER_WINDOW_S, Rig};

const SCRIPT: &[(&str, &str)] = &[("accept", "*/*")];

#[tokio::test]
async fn the_page_shows_what_is_being_paid() {
    let rig = Rig::new().await;
    let serial = rig.order(Flow::MerchantCode).await;
    let page = rig.get(&rig.path(serial), HTML).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "1,234.50",
        "M-0001 &lt;b&gt;",
        &serial.to_string(),
        "1970-01-12 13:51:40",
        "<form id=\"act\" class=\"while-unpaid\" method=\"post\">",
        "id=\"pay\"",
        "id=\"decline\"",
        "id=\"state\"",
        "data-state=\"unpaid\"",
        "<symbol id=\"qr\"",
        "http-equiv=\"refresh\"",
    ] {
        assert!(
            page.body.contains(part),
            "{part} is missing in {}",
            page.body
        );
    }
    let braces = page.body.matches("{{").count();
    assert_eq!(braces, 1, "only the subject has any: {}", page.body);
}

#[tokio::test]
async fn users_text_cannot_become_markup() {
    let rig = Rig::new().await;
    let serial = rig.order(Flow::MerchantCode).await;
    let page = rig.get(&rig.path(serial), HTML).await.body;
    assert!(page.contains("&lt;script&gt;alert(&#39;茶&#39;)&lt;/script&gt; &amp; {{style}}"));
    assert!(page.contains("茶馆 &quot;&lt;Tea&gt;&quot;"));
    assert!(!page.contains(NAME));
    assert!(!page.contains("<script>alert"));
}

#[tokio::test]
async fn the_page_speaks_the_payers_language() {
    let rig = Rig::new().await;
    let path = rig.path(rig.order(Flow::MerchantCode).await);
    let page = async |query: &str, language: &str| {
        let headers = [("accept", "text/html"), ("accept-language", language)];
        rig.get(&format!("{path}{query}"), &headers).await.body
    };
    let chinese = [
        "<html lang=\"zh-CN\">",
        "沙箱：不会真实扣款",
        "确认付款",
        "href=\"?lang=en\"",
    ];
    let english = [
        "<html lang=\"en\">",
        "Sandbox: no real money moves",
        "Decline",
        "href=\"?lang=zh\"",
    ];
    for (query, language, parts) in [
        ("", "zh-CN,zh;q=0.9,en;q=0.8", chinese),
        ("", "en-US,en;q=0.9", english),
        ("?lang=en", "zh-CN", english),
        ("?lang=zh", "en", chinese),
    ] {
        let page = page(query, language).await;
        assert!(
            parts.iter().all(|part| page.contains(part)),
            "{query} {language} {page}"
        );
    }
}

#[tokio::test]
async fn a_script_pays_once() {
    let rig = Rig::new().await;
    let path = rig.path(rig.order(Flow::MerchantCode).await);
    let first = rig.post(&path, SCRIPT, "action=pay").await;
    assert_eq!(
        (first.status, first.state()),
        (StatusCode::OK, "paid".to_owned())
    );
    for again in ["action=pay", "action=decline", "x=1&action=decline\n"] {
        let reply = rig.post(&path, SCRIPT, again).await;
        assert_eq!(
            (reply.status, reply.state()),
            (StatusCode::OK, "paid".to_owned())
        );
    }
}

#[tokio::test]
async fn a_script_declines_for_good() {
    let rig = Rig::new().await;
    let path = rig.path(rig.order(Flow::MobileWeb).await);
    for action in ["action=decline", "action=pay"] {
        let reply = rig.post(&path, SCRIPT, action).await;
        assert_eq!(
            (reply.status, reply.state()),
            (StatusCode::OK, "declined".to_owned())
        );
    }
}

#[tokio::test]
async fn a_browser_is_sent_back_to_the_page() {
    let rig = Rig::new().await;
    let serial = rig.order(Flow::MerchantCode).await;
    let path = format!("{}?lang=en", rig.path(serial));
    let reply = rig.post(&path, HTML, "action=pay").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.header(header::LOCATION), format!("{serial}?lang=en"));
    let page = rig.get(&path, HTML).await.body;
    for part in [
        "data-state=\"paid\"",
        "<title>Paid · ¥1,234.50</title>",
        "<form id=\"act\" class=\"while-unpaid\" method=\"post\" hidden>",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("http-equiv=\"refresh\""));
}

#[tokio::test]
async fn an_expired_order_can_be_paid_no_more() {
    let rig = Rig::new().await;
    let serial = rig.order(Flow::MerchantCode).await;
    let path = rig.path(serial);
    rig.pass_ms(i64::from(ORDER_WINDOW_S) * 1000);
    let reply = rig.post(&path, SCRIPT, "action=pay").await;
    assert_eq!(
        (reply.status, reply.state()),
        (StatusCode::CONFLICT, "closed".to_owned())
    );
    assert_eq!(
        rig.post(&path, HTML, "action=pay").await.status,
        StatusCode::SEE_OTHER
    );
    assert!(
        rig.get(&path, HTML)
            .await
            .body
            .contains("data-state=\"closed\"")
    );
}

#[tokio::test]
async fn an_action_nobody_knows_changes_nothing() {
    let rig = Rig::new().await;
    let path = rig.path(rig.order(Flow::MerchantCode).await);
    for body in [
        "",
        "action=steal",
        "action=",
        "action",
        "pay",
        "{\"action\":\"pay\"}",
    ] {
        let reply = rig.post(&path, SCRIPT, body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(reply.body.contains("pay or decline"), "{}", reply.body);
    }
    let long = format!("action=pay&x={}", "x".repeat(2_000));
    let reply = rig.post(&path, SCRIPT, &long).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let state = rig.get(&format!("{path}/state"), SCRIPT).await;
    assert_eq!(state.state(), "unpaid");
}

#[tokio::test]
async fn an_unknown_order_is_not_found() {
    let rig = Rig::new().await;
    for serial in [
        "20261122000000000742",
        "abc",
        "%3Cscript%3E",
        "2026112200000000074%",
    ] {
        let path = format!("/sandbox/pay/{serial}");
        let page = rig.get(&path, HTML).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(page.body.contains("没有这个订单") && page.body.contains("No such order"));
        assert!(!page.body.contains("{{"), "{}", page.body);
        let posted = rig.post(&path, HTML, "action=pay").await;
        assert_eq!(
            (posted.status, posted.body),
            (StatusCode::NOT_FOUND, page.body)
        );
        let script = rig.post(&path, SCRIPT, "action=pay").await;
        assert_eq!(
            (script.status, script.json()["error"].is_string()),
            (page.status, true)
        );
        let state = rig.get(&format!("{path}/state"), SCRIPT).await;
        assert_eq!(state.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_state_is_told_in_both_languages() {
    let rig = Rig::new().await;
    let serial = rig.order(Flow::MerchantCode).await;
    rig.pass_ms(1_500);
    let state = rig
        .get(&format!("{}/state", rig.path(serial)), SCRIPT)
        .await;
    assert_eq!(state.header(header::CONTENT_TYPE), "application/json");
    let expected = serde_json::json!({
        "serial": serial.to_string(),
        "state": "unpaid",
        "state_text_zh": "等待付款",
        "state_text_en": "Waiting for payment",
        "meaning_zh": "请核对金额后确认",
        "meaning_en": "Check the amount, then confirm",
        "amount_fen": 123_450,
        "expires_at_ms": rig::START_MS + i64::from(ORDER_WINDOW_S) * 1000,
        "left_s": 299,
    });
    assert_eq!(state.json(), expected);
}

#[tokio::test]
async fn every_reply_keeps_foreign_content_out() {
    let rig = Rig::new().await;
    let path = rig.path(rig.order(Flow::MerchantCode).await);
    for reply in [
        rig.get(&path, HTML).await,
        rig.get(&format!("{path}/state"), SCRIPT).await,
        rig.post(&path, HTML, "action=pay").await,
        rig.post(&path, SCRIPT, "action=steal").await,
        rig.get("/sandbox/pay/abc", HTML).await,
    ] {
        let policy = reply.header(header::CONTENT_SECURITY_POLICY);
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header(header::X_FRAME_OPTIONS), "DENY");
        assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(reply.header(header::REFERRER_POLICY), "no-referrer");
        assert_eq!(reply.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    }
}

#[tokio::test]
async fn the_policy_knows_the_style_and_script_as_sent() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    let rig = Rig::new().await;
    let page = rig
        .get(&rig.path(rig.order(Flow::MerchantCode).await), HTML)
        .await;
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let inline = page
            .body
            .split_once(open)
            .unwrap()
            .1
            .split_once(close)
            .unwrap()
            .0;
        let digest = STANDARD.encode(Sha256::digest(inline));
        assert!(policy.contains(&digest), "{open}");
    }
}

#[tokio::test]
async fn an_order_inside_a_wallet_has_a_page_too() {
    let rig = Rig::new().await;
    let path = rig.path(rig.order(Flow::WalletPage).await);
    let plain = rig.get(&path, HTML).await.body;
    assert!(!plain.contains("<symbol"), "there is no address to show");
    let named = rig
        .get(
            &path,
            &[("accept", "text/html"), ("host", "till.example:8080")],
        )
        .await;
    assert!(named.body.contains("<symbol"));
}

#[test]
fn a_code_with_an_unreachable_host_gives_way_to_the_visited_one() {
    use super::{HeaderMap, address, link_of};
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, "till.example".parse().unwrap());
    let serial = Serial::parse("20261122000000000742").unwrap();
    for (link, shown) in [
        (
            "https://pay.example/gw/sandbox/pay/20261122000000000742",
            None,
        ),
        (
            "http://0.0.0.0:8080/x",
            Some("http://till.example/sandbox/pay/20261122000000000742"),
        ),
        (
            "http://[::]:8080/x",
            Some("http://till.example/sandbox/pay/20261122000000000742"),
        ),
    ] {
        let payment = rig::payment_with(link, serial);
        let expected = Some(shown.unwrap_or(link).to_owned());
        assert_eq!(address(link_of(&payment), serial, &headers), expected);
    }
}
