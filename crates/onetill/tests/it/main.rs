//! The one integration binary: it speaks real HTTP to real gateways.
//!
//! | module | holds |
//! |---|---|
//! | [`support`] | gateways in this process with a clock to set, and gateways in processes to kill |
//! | [`dialect`] | dialect 1 over HTTP: every row, refusal, race and notification |
//! | [`jpos`] | dialect 2 over HTTP: terminals, cards, batches |
//! | [`voucher`] | dialect 3 over HTTP, and codes that pay |
//! | [`voucher_cli`] | partners, stock and vouchers from the command line |
//! | [`loyalty_cli`] | a terminal, a shop's day and provisioning from the command line |
//! | [`channels`] | channels that hang, talk nonsense, repeat or contradict themselves |
//! | [`simulation`] | seeded faults around the real program, and planted bugs that they find |
//! | [`faults`] | kills, stores that fail, the command line, the payer's page in a browser |

#[cfg(test)]
mod channels;
#[cfg(test)]
mod dialect;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod jpos;
#[cfg(test)]
mod loyalty_cli;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod simulation_plants;
#[cfg(test)]
mod support;
#[cfg(test)]
mod voucher;
#[cfg(test)]
mod voucher_cli;
