//! Stored rows: whatever lies in the columns is read or refused, and what is read is written as
//! what reads the same.

use crate::bytes::Bytes;
use store::testing::{Columns, read_row};

/// The kind of row, its numbers, then its texts, one a line.
pub fn probe(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let kind = choices.byte();
    let numbers = std::array::from_fn(|_| number(&mut choices));
    let texts = String::from_utf8_lossy(choices.rest());
    let columns = Columns {
        numbers,
        texts: texts.split('\n').map(str::to_owned).collect(),
    };
    read_row(kind, &columns);
}

/// Most columns hold small numbers; some hold large ones, or none.
fn number(choices: &mut Bytes<'_>) -> Option<i64> {
    match choices.byte() {
        0xFF => None,
        0xFE => Some(i64::from(choices.pair()) << 47),
        0xFD => Some(-i64::from(choices.pair())),
        small => Some(i64::from(small)),
    }
}
