//! The use cases of prepaid vouchers.
//!
//! | module | holds |
//! |---|---|
//! | [`codes`] | a code's text: digested to find it, sealed to keep it |
//! | [`partners`] | partners, kept in memory, and how they show who they are |
//! | [`guesses`] | a guard on guessing codes |
//! | [`names`] | what a printed name leads to |
//! | [`change`] | activation, voiding, freezing |
//! | [`tree`] | boxes, packages, reels and codes as they stand |
//! | [`trace`] | what happened to one code |
//! | [`stocking`] | new stock on its way in |
//! | [`report`] | how many codes stand how |
//! | [`redeem`] | a code that pays a part of a payment |
//! | [`redemption`] | a code redeemed without a wallet |

pub mod change;
pub mod codes;
pub mod guesses;
pub mod names;
pub mod partners;
pub mod redeem;
pub mod redemption;
pub mod report;
pub mod stocking;
pub mod trace;
pub mod tree;

use crate::vault::Vault;
use codes::CodeVault;
use guesses::Guesses;
use partners::Partners;
use stocking::Stocking;
use tree::Trees;

/// What the use cases of vouchers work with, beside what all do.
pub struct Vouchers {
    /// Codes' texts.
    pub codes: CodeVault,
    /// Partners.
    pub partners: Partners,
    /// Who names codes that do not exist.
    pub guesses: Guesses,
    /// Boxes that are being filled.
    pub stocking: Stocking,
    /// Trees on their way to partners.
    pub trees: Trees,
}

impl Vouchers {
    /// With keys of `vault`, partners not read yet.
    #[must_use]
    pub fn new(vault: &Vault) -> Self {
        Self {
            codes: CodeVault::new(vault),
            partners: Partners::new(vault),
            guesses: Guesses::default(),
            stocking: Stocking::default(),
            trees: Trees::default(),
        }
    }
}
