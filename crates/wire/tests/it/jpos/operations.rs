//! The table of operations, and paths that lead nowhere.

use wire::jpos::{Operation, PathError, Version};

#[test]
fn the_sources_rows_and_three_more() {
    let rows = [
        (Operation::Checkin, "/v1/jpos/terminal/checkin"),
        (Operation::Cards, "/v1/jpos/cards"),
        (Operation::Consume, "/v1/jpos/trans/consume"),
        (Operation::ConsumeReversal, "/v1/jpos/trans/consumeReversal"),
        (Operation::Cancel, "/v1/jpos/trans/cancel"),
        (Operation::CancelReversal, "/v1/jpos/trans/cancelReversal"),
        (Operation::Refund, "/v1/jpos/refunds"),
        (Operation::RefundCancel, "/v1/jpos/refunds/cancel"),
        (Operation::Tickets, "/v1/jpos/tickets"),
        (Operation::TicketConsume, "/v1/jpos/tickets/consume"),
        (
            Operation::TicketConsumeReversal,
            "/v1/jpos/tickets/consumeReversal",
        ),
        (Operation::SendVerifyCode, "/v1/jpos/mobile/sendVerifyCode"),
        (Operation::CardActive, "/v1/jpos/card/active"),
        (Operation::Settle, "/v1/jpos/trans/settle"),
        (Operation::SettleDetails, "/v1/jpos/trans/settle/details"),
        (Operation::RefundReversal, "/v1/jpos/refunds/reversal"),
        (
            Operation::RefundCancelReversal,
            "/v1/jpos/refunds/cancelReversal",
        ),
    ];
    assert_eq!(Operation::ALL.len(), rows.len());
    for (operation, path) in rows {
        assert_eq!(
            Operation::parse_path(path),
            Ok((Version::V1, operation)),
            "{path}"
        );
        assert_eq!(operation.path(Version::V1), path);
    }
}

#[test]
fn paths_that_lead_nowhere_are_told_apart() {
    for (path, error) in [
        ("", PathError::Foreign),
        ("/", PathError::Foreign),
        ("/v1/trans/consume", PathError::Foreign),
        ("/openGateway/openService/preOrder", PathError::Foreign),
        ("v1/jpos/cards", PathError::Foreign),
        ("/v2/jpos/cards", PathError::UnknownVersion),
        ("/V1/jpos/cards", PathError::UnknownVersion),
        ("//jpos/cards", PathError::UnknownVersion),
        ("/v2/jpos/none", PathError::UnknownVersion),
        ("/v1/jpos", PathError::UnknownFunction),
        ("/v1/jpos/", PathError::UnknownFunction),
        ("/v1/jpos/cards/", PathError::UnknownFunction),
        ("/v1/jpos//cards", PathError::UnknownFunction),
        ("/v1/jpos/trans/Consume", PathError::UnknownFunction),
    ] {
        assert_eq!(Operation::parse_path(path), Err(error), "{path}");
    }
}

#[test]
fn each_message_that_moves_something_can_be_reversed() {
    for (operation, reversal) in [
        (Operation::Consume, Operation::ConsumeReversal),
        (Operation::Cancel, Operation::CancelReversal),
        (Operation::Refund, Operation::RefundReversal),
        (Operation::RefundCancel, Operation::RefundCancelReversal),
        (Operation::TicketConsume, Operation::TicketConsumeReversal),
    ] {
        assert_eq!(operation.reversal(), Some(reversal));
        assert_eq!(reversal.reverses(), Some(operation));
        assert!(operation.is_keyed() && !reversal.is_keyed());
    }
    let reversals = Operation::ALL.iter().filter(|it| it.reverses().is_some());
    assert_eq!(reversals.count(), 5);
    assert_eq!(Operation::Settle.reversal(), None);
}

#[test]
fn keyed_operations_are_those_with_an_identity() {
    let keyed: Vec<_> = Operation::ALL.iter().filter(|it| it.is_keyed()).collect();
    let functions: Vec<_> = keyed.iter().map(|it| it.function()).collect();
    let expected = [
        "trans/consume",
        "trans/cancel",
        "refunds",
        "refunds/cancel",
        "tickets/consume",
        "card/active",
        "trans/settle",
        "trans/settle/details",
    ];
    assert_eq!(functions, expected);
}
