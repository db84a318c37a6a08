//! Every row of the source's appendices 2 to 4: channels, fund channels, states.

use crate::support::{
    bodies::{self, trigger, with},
    house::House,
};
use std::collections::BTreeSet;
use wire::opengateway::{ChannelType, FundChannel, Operation, State};

/// Each channel with the fund channel that its balance or card is.
const CHANNELS: [(u16, &str); 11] = [
    (1, "10"),
    (2, "11"),
    (3, "9001"),
    (5, "9001"),
    (9, "9001"),
    (10, "9001"),
    (24, "13"),
    (27, "14"),
    (31, "12"),
    (32, "9001"),
    (34, "10"),
];

#[tokio::test]
async fn every_channel_pays_and_shows_its_number_and_fund_channel() {
    let listed: BTreeSet<u16> = CHANNELS.iter().map(|it| it.0).collect();
    let all = ChannelType::ALL.iter().map(|it| it.code());
    assert_eq!(listed, all.filter(|it| *it != 0).collect());
    let house = House::open().await;
    let till = house.till();
    for (channel, fund) in CHANNELS {
        let code = format!("C{channel}");
        let body = with(
            bodies::pre_order(&code, bodies::PAYS),
            "CHANNEL_TYPE",
            channel,
        );
        let paid = till
            .post(Operation::PreOrder, &body)
            .await
            .expect("SUCCESS");
        let found = till.query(&code).await.expect("SUCCESS");
        for answer in [&paid, &found] {
            assert_eq!(answer.get("CHANNEL_TYPE"), channel.to_string());
            let bill = "FUND_BILL_LIST.TRADEFUNDBILL.0";
            assert_eq!(
                answer.get(&format!("{bill}.FUND_CHANNEL")),
                fund,
                "{channel}"
            );
            assert_eq!(answer.get(&format!("{bill}.AMOUNT")), "0.01");
            assert!(FundChannel::from_code(fund).is_some());
        }
        assert_eq!(
            found.get("CHARGE_THIRD_CODE"),
            paid.get("CHARGE_THIRD_CODE")
        );
        let refund = till.refund(&code, "0.01", &code).await.expect("SUCCESS");
        assert_eq!(refund.get("CHANNEL_TYPE"), channel.to_string());
        assert_eq!(
            refund.get("FUND_BILL_LIST.TRADEFUNDBILL.0.FUND_CHANNEL"),
            fund
        );
    }
    house.end().await;
}

#[tokio::test]
async fn every_channel_takes_orders() {
    let house = House::open().await;
    for (channel, _) in CHANNELS {
        let code = format!("C{channel}");
        let body = with(bodies::order(&code), "CHANNEL_TYPE", channel);
        let answer = house.till().post(Operation::Order, &body).await;
        assert!(
            answer
                .expect("SUCCESS")
                .get("BAR_CODE")
                .starts_with("http://127.0.0.1:")
        );
        let found = house.till().query(&code).await.expect("SUCCESS");
        assert_eq!(found.get("CHANNEL_TYPE"), channel.to_string());
        assert_eq!(found.get("STATE"), "0");
    }
    house.end().await;
}

#[tokio::test]
async fn channel_0_is_detected_from_the_customers_code() {
    let house = House::open().await;
    let digits = |prefix: &str, count: usize| format!("{prefix}{}", "5".repeat(count - 2));
    let mut rows: Vec<(String, Option<&str>)> = Vec::new();
    for prefix in 10..=15 {
        rows.push((digits(&prefix.to_string(), 18), Some("2")));
    }
    for prefix in 25..=30 {
        rows.push((digits(&prefix.to_string(), 16), Some("1")));
        rows.push((digits(&prefix.to_string(), 24), Some("1")));
    }
    let rest = [
        ("62", 19, "32"),
        ("51", 18, "27"),
        ("91", 18, "31"),
        ("31", 18, "24"),
    ];
    rows.extend(rest.map(|(prefix, count, channel)| (digits(prefix, count), Some(channel))));
    let unknown = [
        ("10", 17),
        ("16", 18),
        ("24", 18),
        ("28", 15),
        ("28", 25),
        ("62", 18),
        ("99", 18),
    ];
    rows.extend(unknown.map(|(prefix, count)| (digits(prefix, count), None)));
    for (number, (code, channel)) in rows.iter().enumerate() {
        let answer = house.till().pay(&format!("C{number}"), code).await;
        match channel {
            Some(channel) => {
                assert_eq!(
                    answer.expect("SUCCESS").get("CHANNEL_TYPE"),
                    *channel,
                    "{code}"
                );
            }
            None => {
                assert!(answer.info().contains("DYNAMIC_ID"), "{code}");
                answer.expect("ILLEGAL_PARAMETER");
            }
        }
    }
    house.end().await;
}

#[tokio::test]
async fn every_state_is_reached_and_shown() {
    let house = House::impatient().await;
    let till = house.till();
    let mut shown = BTreeSet::new();

    till.order("S0").await.expect("SUCCESS");
    shown.insert(till.state("S0").await);

    till.paid("S1", "1.00").await;
    shown.insert(till.state("S1").await);

    till.paid("S2", "1.00").await;
    till.cancel("S2").await.expect("SUCCESS");
    shown.insert(till.state("S2").await);

    till.paid("S3", "1.00").await;
    till.request_cancel("S3").await.expect("SUCCESS");
    shown.insert(till.state("S3").await);

    till.paid("S4", "1.00").await;
    till.refund("S4", "0.01", "R4").await.expect("SUCCESS");
    shown.insert(till.state("S4").await);

    till.paid("S5", "1.00").await;
    till.refund("S5", "1.00", "R5").await.expect("SUCCESS");
    shown.insert(till.state("S5").await);

    till.pay("S6", &trigger("02")).await.expect("FAIL");
    shown.insert(till.state("S6").await);

    till.paid("S8", "1.00").await;
    till.refund("S8", "0.98", "R8").await.expect("SUCCESS");
    shown.insert(till.state("S8").await);

    till.paid("S9", "1.00").await;
    till.refund("S9", "0.97", "R9").await.expect("FAIL");
    shown.insert(till.state("S9").await);

    // 7 is reserved for the source's own use: no order is ever in it.
    let all = State::ALL.iter().filter(|it| **it != State::Reserved);
    assert_eq!(shown, all.map(|it| it.code().to_string()).collect());
    house.decide("S3", false).await.unwrap();
    house.drain().await;
    let end = ["6", "1", "2", "1", "4", "5", "6", "4", "9"];
    for (name, state) in ["S0", "S1", "S2", "S3", "S4", "S5", "S6", "S8", "S9"]
        .into_iter()
        .zip(end)
    {
        assert_eq!(till.state(name).await, state, "{name} in the end");
    }
    house.end().await;
}
