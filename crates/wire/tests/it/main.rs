//! One binary for all tests of the wire dialects.

#[cfg(test)]
mod call;
#[cfg(test)]
mod dictionaries;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod jpos;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod query;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod voucher;
