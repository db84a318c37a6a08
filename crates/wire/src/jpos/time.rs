//! `transTime`: seconds since 1970, says the source; milliseconds, say its samples.

/// The unit in which a terminal reads `transTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimeUnit {
    /// Seconds, the source's word.
    #[default]
    Seconds,
    /// Milliseconds, as in the source's samples.
    Milliseconds,
}

impl TimeUnit {
    /// A time in this unit. Seconds are cut, not rounded.
    pub const fn of_ms(self, unix_ms: i64) -> i64 {
        match self {
            Self::Seconds => unix_ms.div_euclid(1_000),
            Self::Milliseconds => unix_ms,
        }
    }

    /// The milliseconds of a time in this unit; `None` beyond what they can say.
    pub const fn to_ms(self, time: i64) -> Option<i64> {
        match self {
            Self::Seconds => time.checked_mul(1_000),
            Self::Milliseconds => Some(time),
        }
    }
}
