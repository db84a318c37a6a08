//! Member cards at the till: points, tickets, terminals and their batches.
//!
//! | module | holds |
//! |---|---|
//! | [`points`] | amounts of points |
//! | [`calendar`] | days and months in the gateway's zone |
//! | [`card`] | a member's card: its life, its PIN, its lots of points, its tickets |
//! | [`lots`] | how a card's points move lot by lot |
//! | [`spending`] | what a card or a terminal did in a day, and a card in a year |
//! | [`program`] | what points are worth, who earns how many, limits |
//! | [`store`] | a retailer's store |
//! | [`terminal`] | a till's terminal, its keys and its batch |
//! | [`trans`] | one event on a card, and which message made it |
//! | [`postings`] | the ledger postings that an event makes |
//! | [`totals`] | what a batch adds up to |
//! | [`journal`] | what comparing a batch line by line found |
//! | [`verify_code`] | codes sent to a mobile phone |
//! | [`work_item`] | what waits for an operator's eyes |
//! | [`document`] | all of these but programs and events, as rows found by one key |
//! | [`rows`] | the rows a batch of commands loads and changes |
//! | [`sealed`] | a secret as it rests in a row |

pub mod calendar;
pub mod card;
pub mod document;
pub mod journal;
mod lots;
pub mod points;
pub mod postings;
pub mod program;
pub mod rows;
pub mod sealed;
pub mod spending;
pub mod store;
pub mod terminal;
pub mod totals;
pub mod trans;
pub mod verify_code;
pub mod work_item;

/// Whether a field of a stored row need not be written, since reading makes up for it.
#[must_use]
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
