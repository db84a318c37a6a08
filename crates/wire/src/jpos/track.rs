//! What a swiped card says: track 2 with its number and expiry, and track 3 unread. Neither has a
//! `Debug`; both are wiped when dropped.

use zeroize::Zeroizing;

use crate::text::is_digits;

/// Most characters of track 2: 37 and two sentinels.
const TRACK2_LEN_MAX: usize = 39;
/// Most characters of track 3: 104 and two sentinels, and its longest form.
const TRACK3_LEN_MAX: usize = 109;
/// Most digits of a card number.
const CARD_NO_LEN_MAX: usize = 19;
/// Digits of the expiry.
const EXPIRY_LEN: usize = 4;

/// Track 2: `;number=YYMM...?`, with or without its sentinels, and with `=` or `D` between.
#[derive(Clone, PartialEq, Eq)]
pub struct Track2(Zeroizing<String>);

/// When a card expires, as its stripe says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry {
    /// The year, of two digits.
    pub year: u8,
    /// The month, from 1 to 12.
    pub month: u8,
}

impl Track2 {
    /// Reads a track; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TRACK2_LEN_MAX {
            return None;
        }
        let track = Self(Zeroizing::new(text.to_owned()));
        let (card_no, data) = track.split()?;
        let is_card = is_digits(card_no) && card_no.len() <= CARD_NO_LEN_MAX;
        let is_data = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'=' | b'D' | b'd');
        (is_card && data.bytes().all(is_data)).then_some(track)
    }

    /// The track as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The card's number.
    pub fn card_no(&self) -> &str {
        self.split().map_or("", |(card_no, _)| card_no)
    }

    /// The card's expiry; `None` when the stripe has none, or no month of the year.
    pub fn expiry(&self) -> Option<Expiry> {
        let (_, data) = self.split()?;
        let digits = data.get(..EXPIRY_LEN).filter(|digits| is_digits(digits))?;
        let (year, month) = digits.split_at_checked(2)?;
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(Expiry { year, month })
    }

    fn split(&self) -> Option<(&str, &str)> {
        let text = self.0.strip_prefix(';').unwrap_or(&self.0);
        let text = text.strip_suffix('?').unwrap_or(text);
        text.split_once(['=', 'D', 'd'])
    }
}

/// Track 3. The gateway reads nothing in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Track3(Zeroizing<String>);

impl Track3 {
    /// Takes printable ASCII characters, up to the length of a track; `None` otherwise.
    pub fn parse(text: &str) -> Option<Self> {
        let is_printable = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        let fits = text.len() <= TRACK3_LEN_MAX && is_printable;
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The track as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
