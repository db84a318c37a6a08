//! A secret as it rests in a row: sealed by the program, opaque to the rules.

use serde::{Deserialize, Serialize};

/// A secret sealed under the gateway's master key, in hex. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed(pub String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sealed")
    }
}
