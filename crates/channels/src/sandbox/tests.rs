//! The sandbox as the gateway meets it: through the contract, on a clock that tests turn.

mod conservation;
mod orders;
mod remote;
mod restart;
mod rig;
mod triggers;
