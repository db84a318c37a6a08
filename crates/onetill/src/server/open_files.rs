//! The system's limit on open files, which is a limit on connections, too.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files beside the connections: the store, journals, sockets, and calls out.
const OTHER_FILES: usize = 100;

/// Allows as many open files as the system lets this process have: many systems start programs
/// with 1024, below the connections that are to be served. The limit there is now, if any.
pub fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files stays");
    }
    getrlimit(Resource::Nofile).current
}

/// The most open files this process may allow itself, if there is a limit.
#[must_use]
pub fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// How many of the wanted connections a limit leaves room for; no limit leaves room for all.
#[must_use]
pub fn room_for(connections_max: usize, open_files: Option<u64>) -> usize {
    let Some(open_files) = open_files else {
        return connections_max;
    };
    let room = usize::try_from(open_files).unwrap_or(usize::MAX);
    connections_max.min(room.saturating_sub(OTHER_FILES).max(1))
}

/// What to do about too small a limit.
pub const ADVICE: &str =
    "raise the hard limit of open files (ulimit -Hn, LimitNOFILE=) or lower --connections-max";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_files_are_left_to_others() {
        assert_eq!(room_for(10_000, Some(10_100)), 10_000);
        assert_eq!(room_for(10_000, Some(10_099)), 9_999);
        assert_eq!(room_for(10_000, Some(50)), 1);
        assert_eq!(room_for(usize::MAX, None), usize::MAX);
    }
}
