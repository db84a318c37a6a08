//! How a terminal takes an answer.

use wire::jpos::{Operation, Reply, Status, TimeUnit, reply::ReplyError};

/// Times above this, read as seconds, are milliseconds: it is the year 5138.
const SECONDS_MAX: i64 = 100_000_000_000;

/// What an answer says of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Carried out.
    Done,
    /// Not carried out, and recorded so or not at all.
    Refused,
    /// Nobody knows: the message has to be reversed, or asked again.
    Unknown,
}

impl Fate {
    /// What `status` says.
    #[must_use]
    pub fn of(status: Status) -> Self {
        // Where something is wrong inside or on the way, it may be done all the same.
        let is_open = matches!(
            status,
            Status::Internal | Status::LateAnswer | Status::NoAnswer | Status::InProgress
        );
        if status == Status::Approved {
            Self::Done
        } else if is_open {
            Self::Unknown
        } else {
            Self::Refused
        }
    }
}

/// Reads an answer, whatever unit the terminal's times have.
///
/// # Errors
/// When it is no answer to this operation.
pub fn read(operation: Operation, bytes: &[u8]) -> Result<Reply, ReplyError> {
    let reply = Reply::decode(operation, TimeUnit::Seconds, bytes)?;
    if TimeUnit::Seconds.of_ms(reply.trans_time_ms) <= SECONDS_MAX {
        return Ok(reply);
    }
    Reply::decode(operation, TimeUnit::Milliseconds, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_either_unit() {
        for time in ["1795300000", "1795300000123"] {
            let text = format!(r#"{{"status":"00","message":"","transTime":{time}}}"#);
            let reply = read(Operation::SendVerifyCode, text.as_bytes()).unwrap();
            assert_eq!(reply.trans_time_ms / 1000, 1_795_300_000);
        }
    }

    #[test]
    fn only_trouble_inside_leaves_a_message_open() {
        let fates = |status| {
            Status::ALL
                .iter()
                .filter(move |it| Fate::of(**it) == status)
        };
        assert_eq!(fates(Fate::Done).count(), 1);
        let open: Vec<_> = fates(Fate::Unknown).map(|it| it.code()).collect();
        assert_eq!(open, ["09", "68", "96", "98"]);
    }
}
