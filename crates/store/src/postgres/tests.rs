//! What must hold on a real server, beyond what every store is held to.

mod batches;
mod code_chains;
mod faults;
mod fixture;
mod loyalty;
mod plans;
mod plans_of_cards;
mod plans_of_vouchers;
mod proxy;
mod schema;
mod servers;
mod voucher;
