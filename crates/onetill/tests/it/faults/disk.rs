//! A full disk under an embedded store.

use super::sale;
use crate::support::process::{Client, Merchant, Process, Recipe, bare};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use wire::opengateway::Operation;

/// A disk of the gateway's own, in memory and in a mount namespace that ends with the process.
const MOUNT: &str = "mount -t tmpfs -o size=8m,mode=700 tmpfs \"$0\" && exec \"$@\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_payments_answers_queries_and_recovers_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let Some(recipe) = on_small_disk(dir.path()) else {
        println!("SKIPPED: this account may not mount; nothing is known about full disks");
        return;
    };
    let gateway = Process::start(recipe.clone()).await;
    let disk = PathBuf::from(format!(
        "/proc/{}/root{}",
        gateway.pid(),
        dir.path().display()
    ));
    let mut client = gateway.client();
    assert_eq!(pay(&mut client, "D-0").await, "SUCCESS");

    let filler = disk.join("small/filler");
    fill(&filler);
    let refused = pay_until_refused(&mut client).await;
    becomes(&gateway, 503).await;
    assert_eq!(gateway.health("live").await, Some(200));
    assert_eq!(state(&mut client, "D-0").await, "1");
    assert_eq!(state(&mut client, &refused).await, "");

    fs::remove_file(&filler).unwrap();
    becomes(&gateway, 200).await;
    assert_eq!(
        pay(&mut client, &refused).await,
        "SUCCESS",
        "it was not charged before"
    );
    assert_eq!(pay(&mut client, &refused).await, "SERIAL_REPEAT");
    finished_and_clean(&gateway).await;
}

/// Waits until all that was open has ended, by audits from inside the gateway's namespace.
async fn finished_and_clean(gateway: &Process) {
    let started = Instant::now();
    loop {
        let mut command = bare("nsenter".as_ref());
        let pid = gateway.pid().to_string();
        let program = env!("CARGO_BIN_EXE_onetill");
        command.args(["-t", &pid, "-m", program, "audit", "--json", "--data"]);
        let output = command.arg(&gateway.recipe.data).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}");
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(report["clean"], true, "{text}");
        if report["counts"]["jobs"] == 0 {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(45), "{text}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn on_small_disk(dir: &Path) -> Option<Recipe> {
    let small = dir.join("small");
    fs::create_dir(&small).unwrap();
    let mut may_mount = Command::new("unshare");
    let probe = may_mount
        .args(["-m", "sh", "-c", MOUNT])
        .arg(&small)
        .arg("true");
    if !probe.status().is_ok_and(|it| it.success()) {
        return None;
    }
    let mut recipe = Recipe::demo(dir, "small");
    recipe.data = small.join("data");
    recipe.wrapper = ["unshare", "-m", "sh", "-c", MOUNT].map(Into::into).into();
    recipe.wrapper.push(small.into());
    Some(recipe)
}

/// Takes all room that is left, to the last byte.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 * 1024, 512, 1] {
        let block = vec![0; size];
        let blocks_max = 8 * 1024 * 1024 / size;
        let full = (0..blocks_max).any(|_| file.write(&block).is_err());
        assert!(full, "8 MB always fill an 8 MB disk");
    }
}

/// Pays until the store refuses, and some more; the last serial that was refused. The first may
/// find room that the store has in reserve.
async fn pay_until_refused(client: &mut Client) -> String {
    let (mut refused, mut last) = (0, String::new());
    for number in 1..500 {
        let number = format!("D-{number}");
        match pay(client, &number).await.as_str() {
            "DATABASE_ERROR" => {
                refused += 1;
                last = number;
            }
            // Recorded before the disk was full; the outcome could not be.
            "SUCCESS" | "EXCEPTION" => {}
            code => panic!("a full disk is not {code}"),
        }
        if refused == 10 {
            return last;
        }
    }
    panic!("the disk is full and payments go on");
}

async fn pay(client: &mut Client, number: &str) -> String {
    let body = sale::pre_order(number, 500, "284214903060794755");
    let call = Merchant::demo().post(Operation::PreOrder, &body);
    client.call(&call).await.unwrap().code()
}

async fn state(client: &mut Client, number: &str) -> String {
    let reply = client.call(&Merchant::demo().query(number)).await.unwrap();
    let wanted = ["SUCCESS", "CHARGE_NONEXISTENT"];
    assert!(wanted.contains(&reply.code().as_str()), "{}", reply.text());
    reply.field("STATE")
}

async fn becomes(gateway: &Process, status: u16) {
    let started = Instant::now();
    while gateway.health("ready").await != Some(status) {
        let patience = Duration::from_secs(10);
        assert!(
            started.elapsed() < patience,
            "never {status}:\n{}",
            gateway.log_tail()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
