//! An export that breaks off, by a kill, a signal or a full disk, leaves no file under its name; the
//! custody log knows of it; and the same command with a reason brings the whole file.

use super::{ISSUE, rows};
use crate::support::{process::bare, shop::Shop};
use std::{
    fs,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Three pages of codes, so that there is a middle to break off in.
const PACKING: [&str; 6] = ["--packages", "3", "--reels", "100", "--codes", "100"];
const HEADER: &str = "boxId,pkgId,reelId,code\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// The export of `carton` to `again.csv`, because of `reason`, behind these words of a shell.
fn begin(shop: &Shop, before: &str, carton: &str, reason: &str) -> Child {
    let mut command: Command = bare("sh".as_ref());
    command
        .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_onetill"))
        .args(["voucher", "export", carton, "--out", "again.csv"])
        .args(["--again", "--reason", reason, "--by", "li", "--data"])
        .arg(&shop.gateway.recipe.data)
        .current_dir(shop.dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until some codes are written, and lets no more come.
async fn in_the_middle(shop: &Shop) {
    let started = Instant::now();
    let partial = shop.path("again.csv.partial");
    let length = || fs::metadata(&partial).map_or(0, |it| it.len());
    while length() <= HEADER.len() as u64 {
        assert!(started.elapsed() < PATIENCE, "nothing is written");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shop.gateway.pause();
}

async fn end(child: Child) -> (bool, String) {
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await;
    let Output { status, stderr, .. } = output.unwrap().unwrap();
    (status.success(), String::from_utf8(stderr).unwrap())
}

fn terminate(child: &Child) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(status.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_breaks_off_begins_anew_and_leaves_no_half_file() {
    let shop = Shop::open().await;
    shop.operate(&[&ISSUE[..], &PACKING].concat()).await.well();
    let whole = fs::read_to_string(shop.path("codes.csv")).unwrap();
    let carton = rows(&shop, "codes.csv")[0][0].clone();
    let (file, partial) = (shop.path("again.csv"), shop.path("again.csv.partial"));

    let mut killed = begin(&shop, "", &carton, "killed");
    in_the_middle(&shop).await;
    killed.kill().unwrap();
    assert!(!end(killed).await.0);
    shop.gateway.resume();
    assert!(!file.exists());
    let left = fs::read_to_string(&partial).unwrap();
    assert!(whole.starts_with(&left) && left.len() < whole.len());

    // Without a reason nobody gets the codes again, and what was left goes.
    let export = ["voucher", "export", &carton, "--out", "again.csv"];
    let refused = shop.operate(&export).await;
    assert!(refused.err.contains("--again"), "{}", refused.err);
    assert!(!file.exists() && !partial.exists());

    // What a full disk does, from the first 100 KiB on at the latest.
    let full = begin(&shop, "trap '' XFSZ; ulimit -f 100;", &carton, "full");
    let (is_done, said) = end(full).await;
    assert!(
        !is_done && said.contains("again.csv: File too large"),
        "{said}"
    );
    assert!(said.contains("Nothing was written to again.csv."), "{said}");
    assert!(!file.exists() && !partial.exists());

    let stopped = begin(&shop, "", &carton, "stopped");
    in_the_middle(&shop).await;
    let second = end(begin(&shop, "", &carton, "second")).await;
    assert!(second.1.contains("another command"), "{}", second.1);
    terminate(&stopped);
    let (is_done, said) = end(stopped).await;
    shop.gateway.resume();
    assert!(!is_done && said.contains("stopped\nNothing was"), "{said}");
    assert!(!file.exists() && !partial.exists());

    let (is_done, said) = end(begin(&shop, "", &carton, "done")).await;
    assert!(is_done, "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), whole);
    assert!(!partial.exists());
    let log = ["voucher", "custody", &carton, "--json"];
    let log = shop.operate(&log).await.well().json();
    let by: Vec<_> = log.as_array().unwrap().iter().skip(2).collect();
    let expected = ["li: killed", "li: full", "li: stopped", "li: done"];
    assert!(by.iter().map(|it| &it["by"]).eq(expected), "{log}");
    assert!(by.iter().all(|it| it["act"] == "Exported"), "{log}");
    shop.operate(&["audit"]).await.well();
}
