use super::*;

#[test]
fn details_do_not_show_the_payer() {
    let details = Details {
        operator_id: "op-1".to_owned(),
        payer_code: Some("284214903060794755".to_owned()),
        notify_url: Some("https://shop.example/n?token=secret".to_owned()),
        payer_open_id: Some("open-id".to_owned()),
        request_digest: Some("d1935".to_owned()),
        ..Details::default()
    };
    let shown = format!("{details:?}");
    assert!(shown.contains("op-1"), "{shown}");
    for hidden in ["284214", "secret", "open-id", "d1935"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
