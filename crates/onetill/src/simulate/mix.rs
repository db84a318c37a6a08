//! What a seed makes likely. Each seed draws a mix of its own and leaves whole kinds of fault out
//! (swarm testing): where everything happens at once, faults hide each other.

use super::dice::Dice;

/// How often things happen; times in a thousand occasions unless said otherwise.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Gateways over the one store.
    pub nodes: u64,
    /// Sales in the run.
    pub sales: u64,
    /// The time over which they begin, in milliseconds.
    pub span_ms: u64,
    /// How long a payer's code is waited for, in seconds.
    pub window_s: u32,
    /// A process dies at a touch of the world.
    pub kill: u64,
    /// The store fails before it commits.
    pub store_fails: u64,
    /// The store commits and its answer is lost.
    pub commit_unknown: u64,
    /// The store is slow.
    pub store_slow: u64,
    /// Rows cannot be read.
    pub read_fails: u64,
    /// The clock jumps, looked at every few seconds.
    pub clock_jumps: u64,
    /// A call to a channel cannot be sent.
    pub not_sent: u64,
    /// A call to a channel gets lost on its way.
    pub call_lost: u64,
    /// A channel's answer gets lost.
    pub answer_lost: u64,
    /// A call or its answer takes up to half a minute.
    pub channel_slow: u64,
    /// A payer has to confirm.
    pub payer_waits: u64,
    /// A channel declines a charge.
    pub declines: u64,
    /// A channel charges what it said that it would not.
    pub contradicts: u64,
    /// A charge is too late to be reversed.
    pub too_late: u64,
    /// A channel refuses a refund.
    pub refund_refused: u64,
    /// A channel takes its time with a refund.
    pub refund_waits: u64,
    /// A receiver does not acknowledge a notification.
    pub receiver_fails: u64,
    /// A request or its reply gets lost between till and gateway.
    pub till_lost: u64,
    /// A till does not wait for its reply.
    pub impatient: u64,
    /// A request is sent twice.
    pub duplicates: u64,
    /// What is done to a sale.
    pub ops: Ops,
    /// Terminals with members' cards.
    pub terminals: u64,
    /// What each of them does, step by step.
    pub steps: u64,
    /// Boxes of vouchers of each tenant to begin with.
    pub boxes: u64,
    /// What each partner's middleware does, step by step.
    pub changes: u64,
    /// Sales that name a voucher's code.
    pub redeems: u64,
}

/// Weights of what is done to a sale once it has begun.
#[derive(Clone, Debug)]
pub struct Ops {
    /// Asked about.
    pub query: u64,
    /// A part given back.
    pub refund: u64,
    /// Cancelled.
    pub cancel: u64,
    /// Asked for again, with the same amount or another.
    pub again: u64,
}

impl Mix {
    /// The mix of a seed.
    #[must_use]
    pub fn draw(dice: &mut Dice) -> Self {
        // Four seeds of ten leave a kind of fault out.
        let mut often = |most: u64| {
            let left_out = dice.per_mille(400);
            if left_out {
                0
            } else {
                dice.within(1..most + 1)
            }
        };
        Self {
            kill: often(25),
            store_fails: often(60),
            commit_unknown: often(40),
            store_slow: often(100),
            read_fails: often(20),
            clock_jumps: often(300),
            not_sent: often(80),
            call_lost: often(120),
            answer_lost: often(120),
            channel_slow: often(150),
            payer_waits: often(500),
            declines: often(200),
            contradicts: often(400),
            too_late: often(500),
            refund_refused: often(250),
            refund_waits: often(300),
            receiver_fails: often(600),
            till_lost: often(100),
            impatient: often(200),
            duplicates: often(300),
            ops: Ops {
                query: 1 + often(6),
                refund: often(6),
                cancel: often(4),
                again: often(3),
            },
            nodes: 1 + u64::from(dice.per_mille(300)),
            sales: dice.within(10..36),
            span_ms: dice.within(5_000..60_000),
            window_s: if dice.per_mille(500) { 20 } else { 80 },
            terminals: dice.within(0..4),
            steps: dice.within(20..80),
            boxes: dice.within(0..3),
            changes: dice.within(3..15),
            redeems: dice.within(500..1_000),
        }
    }
}
