//! What is asked, and how often.

use std::str::FromStr;

/// What a till asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// preOrder with a fresh serial.
    Pay,
    /// preOrder with a serial that was acknowledged before.
    Duplicate,
    /// order: a code to show.
    Order,
    /// query of an earlier payment.
    Query,
    /// refund of 0.01 of an earlier payment.
    Refund,
    /// cancelTrade of an earlier payment.
    Cancel,
}

impl Kind {
    /// The name in options and reports.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Duplicate => "duplicate",
            Self::Order => "order",
            Self::Query => "query",
            Self::Refund => "refund",
            Self::Cancel => "cancel",
        }
    }

    /// The code of the reply that is right.
    pub(super) const fn right_code(self) -> &'static str {
        match self {
            Self::Duplicate => "SERIAL_REPEAT",
            Self::Pay | Self::Order | Self::Query | Self::Refund | Self::Cancel => "SUCCESS",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let known = [
            Self::Pay,
            Self::Order,
            Self::Query,
            Self::Refund,
            Self::Cancel,
        ];
        known.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Shares of each kind, such as `pay=90,query=5,refund=3,cancel=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    shares: Vec<(Kind, u32)>,
    total: u32,
}

impl Mix {
    /// The kind that a random number falls on.
    pub(super) fn pick(&self, random: u64) -> Kind {
        let mut left = random % u64::from(self.total);
        for (kind, share) in &self.shares {
            match left.checked_sub(u64::from(*share)) {
                Some(rest) => left = rest,
                None => return *kind,
            }
        }
        Kind::Pay
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shares: Vec<_> = text.split(',').map(share).collect::<Result<_, _>>()?;
        let total = shares
            .iter()
            .try_fold(0_u32, |sum, (_, share)| sum.checked_add(*share));
        match total {
            Some(total) if total > 0 => Ok(Self { shares, total }),
            Some(_) | None => Err("the shares must add up to something".to_owned()),
        }
    }
}

fn share(text: &str) -> Result<(Kind, u32), String> {
    let (name, share) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is no kind=share"))?;
    let kind = Kind::parse(name.trim())
        .ok_or_else(|| format!("{name:?} is none of pay, order, query, refund, cancel"))?;
    let share = share
        .trim()
        .parse()
        .map_err(|_| format!("{share:?} is no whole number"))?;
    Ok((kind, share))
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
        let mix: Mix = "pay=2,query=1, refund=0".parse().unwrap();
        let picked: Vec<_> = (0..4).map(|n| mix.pick(n)).collect();
        assert_eq!(picked, [Kind::Pay, Kind::Pay, Kind::Query, Kind::Pay]);
    }

    #[test]
    fn refuses_what_is_no_mix() {
        for text in [
            "",
            "pay",
            "pay=0",
            "pay=x",
            "duplicate=1",
            "pay=4294967295,query=1",
        ] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
    }
}
