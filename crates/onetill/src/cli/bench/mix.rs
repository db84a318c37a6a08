//! What is asked, and how often.

use std::str::FromStr;

/// What is asked for, in any dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// By a till, for money.
    Payment(PaymentKind),
    /// By a terminal, for a member.
    Member(MemberKind),
    /// By a partner, about voucher codes.
    Voucher(VoucherKind),
}

/// What a till asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PaymentKind {
    /// preOrder with a fresh serial.
    Pay,
    /// preOrder with a serial that was acknowledged before.
    Duplicate,
    /// preOrder with a fresh serial and a voucher code, which pays a part.
    Redeem,
    /// order: a code to show.
    Order,
    /// query of an earlier payment.
    Query,
    /// refund of 0.01 of an earlier payment.
    Refund,
    /// cancelTrade of an earlier payment.
    Cancel,
}

/// What a member terminal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MemberKind {
    /// consume, in points and cash.
    Consume,
    /// cards: what a card holds.
    Card,
    /// settle, with the terminal's own totals.
    Settle,
    /// checkin, after a settlement.
    Checkin,
}

/// What a partner asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VoucherKind {
    /// queryVerifyInfo: how a code stands.
    Code,
}

impl Kind {
    /// The name in options and reports.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Payment(kind) => kind.as_str(),
            Self::Member(kind) => kind.as_str(),
            Self::Voucher(kind) => kind.as_str(),
        }
    }

    /// The code of the reply that is right.
    pub(super) const fn right_code(self) -> &'static str {
        match self {
            Self::Payment(PaymentKind::Duplicate) => "SERIAL_REPEAT",
            Self::Payment(
                PaymentKind::Pay
                | PaymentKind::Redeem
                | PaymentKind::Order
                | PaymentKind::Query
                | PaymentKind::Refund
                | PaymentKind::Cancel,
            ) => "SUCCESS",
            Self::Member(_) => "00",
            Self::Voucher(VoucherKind::Code) => "H00",
        }
    }
}

/// Something with a share of a mix.
trait Shared: Copy + 'static {
    /// All that an option may name.
    const NAMED: &[Self];
    fn name(self) -> &'static str;
}

impl PaymentKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Duplicate => "duplicate",
            Self::Redeem => "redeem",
            Self::Order => "order",
            Self::Query => "query",
            Self::Refund => "refund",
            Self::Cancel => "cancel",
        }
    }
}

impl Shared for PaymentKind {
    const NAMED: &[Self] = &[
        Self::Pay,
        Self::Redeem,
        Self::Order,
        Self::Query,
        Self::Refund,
        Self::Cancel,
    ];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl MemberKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Consume => "consume",
            Self::Card => "card",
            Self::Settle => "settle",
            Self::Checkin => "checkin",
        }
    }
}

impl Shared for MemberKind {
    const NAMED: &[Self] = &[Self::Consume, Self::Card, Self::Settle];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl VoucherKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }
}

impl Shared for VoucherKind {
    const NAMED: &[Self] = &[Self::Code];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

/// Shares of each kind, such as `pay=90,query=5,refund=3,cancel=2` or `consume=70,card=30`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix(pub(super) Dialect);

/// A mix is of one dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Dialect 1.
    Payments(Shares<PaymentKind>),
    /// Dialect 2.
    Members(Shares<MemberKind>),
    /// Dialect 3.
    Vouchers(Shares<VoucherKind>),
}

/// Shares of some kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shares<K> {
    /// All but the last.
    before: Vec<(K, u32)>,
    last: K,
    total: u32,
}

impl<K: Copy> Shares<K> {
    fn new(mut shares: Vec<(K, u32)>) -> Result<Self, String> {
        let total = shares
            .iter()
            .try_fold(0_u32, |sum, (_, share)| sum.checked_add(*share));
        shares.retain(|(_, share)| *share > 0);
        match (total, shares.pop()) {
            (Some(total), Some((last, _))) => Ok(Self {
                before: shares,
                last,
                total,
            }),
            (None, _) | (_, None) => Err("the shares must add up to something".to_owned()),
        }
    }

    /// Whether a kind has a share.
    pub(super) fn has(&self, kind: K) -> bool
    where
        K: PartialEq,
    {
        self.last == kind || self.before.iter().any(|(it, _)| *it == kind)
    }

    /// The kind that a random number falls on.
    pub(super) fn pick(&self, random: u64) -> K {
        let mut left = random % u64::from(self.total);
        for (kind, share) in &self.before {
            match left.checked_sub(u64::from(*share)) {
                Some(rest) => left = rest,
                None => return *kind,
            }
        }
        self.last
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named: Vec<_> = text.split(',').map(named_share).collect::<Result<_, _>>()?;
        let first = named.first().map_or("", |(name, _)| *name);
        Ok(Self(if find::<MemberKind>(first).is_some() {
            Dialect::Members(shares(named)?)
        } else if find::<VoucherKind>(first).is_some() {
            Dialect::Vouchers(shares(named)?)
        } else {
            Dialect::Payments(shares(named)?)
        }))
    }
}

fn shares<K: Shared>(named: Vec<(&str, u32)>) -> Result<Shares<K>, String> {
    let shares = named.into_iter().map(share::<K>);
    Shares::new(shares.collect::<Result<_, _>>()?)
}

fn named_share(text: &str) -> Result<(&str, u32), String> {
    let (name, share) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is no kind=share"))?;
    let share = share.trim().parse();
    let share = share.map_err(|_| format!("{text:?} has no whole number"))?;
    Ok((name.trim(), share))
}

fn share<K: Shared>((name, share): (&str, u32)) -> Result<(K, u32), String> {
    let kind = find(name).ok_or_else(|| {
        let known: Vec<_> = K::NAMED.iter().map(|kind| kind.name()).collect();
        format!("{name:?} is none of {}", known.join(", "))
    })?;
    Ok((kind, share))
}

fn find<K: Shared>(name: &str) -> Option<K> {
    K::NAMED.iter().copied().find(|kind| kind.name() == name)
}

/// Chance from a seed (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_falls_on_its_kind() {
        let Dialect::Payments(shares) = "pay=2,query=1, refund=0".parse::<Mix>().unwrap().0 else {
            panic!("payments");
        };
        let picked: Vec<_> = (0..4).map(|n| shares.pick(n)).collect();
        let (pay, query) = (PaymentKind::Pay, PaymentKind::Query);
        assert_eq!(picked, [pay, pay, query, pay]);
        let Dialect::Members(shares) = "card=0,consume=1,settle=2".parse::<Mix>().unwrap().0 else {
            panic!("members");
        };
        let picked: Vec<_> = (0..4).map(|n| shares.pick(n)).collect();
        let (consume, settle) = (MemberKind::Consume, MemberKind::Settle);
        assert_eq!(picked, [consume, settle, settle, consume]);
    }

    #[test]
    fn only_what_has_a_share_is_asked_for() {
        let Dialect::Payments(shares) = "pay=1,redeem=1,query=0".parse::<Mix>().unwrap().0 else {
            panic!("payments");
        };
        let has = [PaymentKind::Pay, PaymentKind::Redeem, PaymentKind::Query];
        assert_eq!(has.map(|kind| shares.has(kind)), [true, true, false]);
    }

    #[test]
    fn refuses_what_is_no_mix_of_one_dialect() {
        for text in [
            "",
            "pay",
            "pay=0",
            "pay=x",
            "duplicate=1",
            "checkin=1",
            "pay=4294967295,query=1",
            "pay=1,consume=1",
            "consume=1,pay=1",
            "code=1,pay=1",
            "redeem=1,code=1",
        ] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
    }
}
