//! Kills, stores that fail, the command line, and the payer's page in a browser: all on real
//! processes.
//!
//! | module | proves |
//! |---|---|
//! | `kills` | nothing acknowledged is lost and nothing happens twice, whoever is killed |
//! | `copying` | nor is anything when the embedded store dies while its log is copied |
//! | `last_points` | two gateways on one database never give one card's last points out twice |
//! | `disk` | a full disk refuses new payments, answers queries, and recovers by itself |
//! | `io_errors` | so does a disk that fails; after a failed sync nothing acknowledged rests on it |
//! | `database` | so does a gateway whose PostgreSQL is gone; a full queue refuses at once |
//! | `hostile` | slow, silent and hostile clients hinder nobody and fill no memory |
//! | `ending` | SIGTERM finishes what is in flight |
//! | `command_line` | what the program prints works as printed |
//! | `browser` | the payer's page in headless Chromium |
//! | `wallet` | a wallet in a process of its own is heard, missed and found again |
//!
//! | helper | holds |
//! |---|---|
//! | `sale`, `top_up`, `till` | what merchants ask for, and what they were told |
//! | `terminals` | terminals with members' cards, and what they were told |
//! | `vouchers` | partners who sell and void codes that tills pay with |
//! | `shop` | what one merchant was told while a store was broken |
//! | `fleet` | gateways over one store, the wallet they share, and the rows' audit |
//! | `acknowledged` | what tills were told, as the store's gate takes it |
//! | `verdict`, `witness` | what the store and the wallet must say about it |
//! | `receiver` | a merchant's server that is notified |
//! | `devtools` | a browser, remotely controlled |
//! | `dice` | chance from a seed |
//! | `bad_disk` | a disk that fails on command, and what a power cut leaves of it |

mod acknowledged;
mod bad_disk;
mod browser;
mod command_line;
mod copying;
mod database;
mod devtools;
mod dice;
mod disk;
mod ending;
mod fleet;
mod hostile;
mod io_errors;
mod kills;
mod last_points;
mod receiver;
mod sale;
mod shop;
mod terminals;
mod till;
mod top_up;
mod verdict;
mod vouchers;
mod wallet;
mod witness;
