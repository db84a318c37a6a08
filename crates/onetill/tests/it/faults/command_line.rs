//! What the program prints works as printed, and what it refuses it names.

use super::sale;
use crate::support::process::{Merchant, Process, Recipe, bare, free_address, onetill};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};
use wire::opengateway::Operation;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_that_the_demo_prints_work_as_printed() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    let printed = fs::read_to_string(gateway.recipe.printed()).unwrap();
    let line = |command: &str| {
        let mut lines = printed.lines().map(str::trim);
        let found = lines.find(|line| line.contains(command));
        found.unwrap_or_else(|| panic!("no {command} in: {printed}"))
    };
    let paid = in_shell(line(" call pay "));
    assert!(paid.status.success(), "{}", words(&paid));

    let ordered = in_shell(&format!("{} --json", line(" call order ")));
    assert!(ordered.status.success(), "{}", words(&ordered));
    let page = words(&ordered);
    let page = page.split('"').find(|it| it.contains("/sandbox/pay/"));
    let page = page.expect("a link to pay");
    let path = &page[page.find("/sandbox").unwrap()..];
    let mut client = gateway.client();
    let reply = client.post_form(path, "action=pay").await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let serial = path.rsplit('/').next().unwrap();
    becomes_paid(&gateway.recipe, serial).await;

    let audited = in_shell(line(" audit "));
    assert!(audited.status.success(), "{}", words(&audited));
    let doctor = onetill(&[
        "doctor",
        "--demo",
        "--data",
        text(&gateway.recipe.data),
        "--listen",
        &gateway.recipe.address.to_string(),
    ]);
    assert_eq!(doctor.status.code(), Some(0), "{}", words(&doctor));
}

/// Looks with `onetill order show`, which goes through the running gateway.
async fn becomes_paid(recipe: &Recipe, serial: &str) {
    let started = Instant::now();
    loop {
        let shown = onetill(&[
            "order",
            "show",
            serial,
            "--json",
            "--data",
            text(&recipe.data),
        ]);
        let shown = words(&shown);
        if shown.contains("\"paid\"") {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{shown}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_under_load_is_sound_and_the_running_store_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    let data = text(&gateway.recipe.data);
    let mut client = gateway.client();
    let load = tokio::spawn(async move {
        for number in 0..10_000 {
            let body = sale::pre_order(&format!("K-{number}"), 500, "284214903060794755");
            let call = Merchant::demo().post(Operation::PreOrder, &body);
            assert_eq!(client.call(&call).await.unwrap().code(), "SUCCESS");
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let copy = dir.path().join("copy.db");
    let backup = blocking(&["backup", text(&copy), "--data", data]).await;
    assert!(backup.status.success(), "{}", words(&backup));
    let url = format!("sqlite:{}", text(&copy));
    let audit = blocking(&["audit", "--json", "--store", &url, "--data", data]).await;
    assert!(audit.status.success(), "{}", words(&audit));
    let report: serde_json::Value = serde_json::from_slice(&audit.stdout).unwrap();
    assert_eq!(report["clean"], true);
    assert!(
        report["counts"]["payments"].as_u64().unwrap() > 0,
        "{report}"
    );
    assert!(!load.is_finished(), "it was made under load");
    load.abort();
    let again = blocking(&["backup", text(&copy), "--data", data]).await;
    assert_eq!(
        again.status.code(),
        Some(1),
        "an existing file is left alone"
    );

    let dry = blocking(&["migrate", "--dry-run", "--data", data]).await;
    assert!(dry.status.success(), "{}", words(&dry));
    assert!(words(&dry).contains("nothing to do"), "{}", words(&dry));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_gateway_on_the_same_data_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    let data = text(&gateway.recipe.data).to_owned();
    let address = free_address().to_string();
    let second = blocking(&["serve", "--demo", "--data", &data, "--listen", &address]).await;
    assert_eq!(second.status.code(), Some(1), "{}", words(&second));
    let said = words(&second);
    assert!(said.contains("another onetill process"), "{said}");
    assert!(said.contains(&data) && said.contains("--data"), "{said}");
    assert!(gateway.is_ready().await);
}

#[test]
fn the_demo_is_not_exposed_unless_forced() {
    let dir = tempfile::tempdir().unwrap();
    let data = text(dir.path()).to_owned();
    let refused = onetill(&["serve", "--demo", "--listen", "0.0.0.0:0", "--data", &data]);
    assert!(!refused.status.success());
    assert!(
        words(&refused).contains("--demo-exposed"),
        "{}",
        words(&refused)
    );
    assert!(
        fs::read_dir(dir.path()).unwrap().next().is_none(),
        "nothing was begun"
    );
}

#[test]
fn a_bad_setting_is_named_wherever_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("onetill.toml");
    for (setting, named) in [
        ("window = 5", "window"),
        ("zone = \"Mars/Olympus\"", "zone"),
        ("listen = 8080", "listen"),
        ("store = \"mysql://root:secret@db\"", "store"),
    ] {
        fs::write(&file, setting).unwrap();
        for command in ["serve", "doctor", "audit"] {
            let refused = onetill(&[command, "--config", text(&file), "--data", text(dir.path())]);
            let said = words(&refused);
            assert!(!refused.status.success(), "{command} {setting}: {said}");
            assert!(said.contains(named), "{command} {setting}: {said}");
            assert!(
                !said.contains("secret"),
                "{command} shows a password: {said}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_master_key_is_said_plainly_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
    assert!(gateway.terminate().await.success());
    let key = gateway.recipe.data.join("master.key");
    let right = fs::read(&key).unwrap();
    fs::write(&key, "0".repeat(64)).unwrap();
    let (data, address) = (text(&gateway.recipe.data), free_address().to_string());
    let refused = blocking(&["serve", "--demo", "--data", data, "--listen", &address]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        words(&refused).contains("master key"),
        "{}",
        words(&refused)
    );
    let doctor = blocking(&["doctor", "--data", data]).await;
    assert_eq!(doctor.status.code(), Some(1), "{}", words(&doctor));
    fs::write(&key, right).unwrap();
    gateway.restart().await;
    assert!(gateway.is_ready().await);
}

/// Runs a printed line as a person would, with the program on the path.
fn in_shell(line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_onetill"));
    let dir = program.parent().unwrap().display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell: Command = bare("sh".as_ref());
    shell
        .args(["-c", line])
        .env("PATH", format!("{dir}:{path}"))
        .output()
        .unwrap()
}

async fn blocking(args: &[&str]) -> Output {
    let args: Vec<String> = args.iter().map(|&it| it.to_owned()).collect();
    let run = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        onetill(&args)
    });
    run.await.unwrap()
}

fn words(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
