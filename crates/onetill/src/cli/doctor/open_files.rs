//! How many files may be open: of a running gateway, else of one that this user would start.

use super::Finding;
use crate::{config::Config, server::open_files};

/// `gateway` is the number of the process that runs on this data directory.
pub(super) fn examine(config: &Config, gateway: Option<i32>) -> Finding {
    let of_gateway = gateway.and_then(limit_of);
    let (whose, most) = match of_gateway {
        Some(most) => ("the gateway", Some(most)),
        None => ("this user", open_files::most()),
    };
    judge(whose, most, config.server.limits.connections_max)
}

fn judge(whose: &str, most: Option<u64>, wanted: usize) -> Finding {
    let room = open_files::room_for(wanted, most);
    let limit = most.map_or("no limit".to_owned(), |most| format!("at most {most}"));
    let what = format!("open files: {limit} for {whose}, room for {room} connections");
    if room < wanted {
        Finding::warn(format!("{what} of {wanted}"), open_files::ADVICE)
    } else {
        Finding::ok(what)
    }
}

/// The hard limit of another process, which a gateway raises its own to. Unknown without the
/// right to look, or when there is none.
fn limit_of(process: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    hard_limit(&text)
}

/// From lines such as `Max open files            1024                 524288               files`.
fn hard_limit(text: &str) -> Option<u64> {
    let rest = text
        .lines()
        .find_map(|it| it.strip_prefix("Max open files"))?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn the_hard_limit_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             63                   64                   processes \n\
                    Max open files            1024                 524288               files     \n";
        assert_eq!(hard_limit(text), Some(524_288));
        assert_eq!(hard_limit("Max open files  1  unlimited  files"), None);
        assert_eq!(hard_limit(""), None);
    }

    #[test]
    fn too_small_a_limit_is_told() {
        let small = judge("this user", Some(1_024), 10_000);
        assert_eq!(small.level, Level::Warn);
        assert!(
            small.what.contains("room for 924 connections of 10000"),
            "{}",
            small.what
        );
        assert_eq!(judge("this user", Some(20_000), 10_000).level, Level::Ok);
        assert_eq!(judge("this user", None, 10_000).level, Level::Ok);
    }
}
