//! Dialect 2 from the command line, against a demo gateway in a process of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`bench`] | `onetill simulate roster`, and `onetill bench` at its terminals |
//! | [`calls`] | `onetill call` as a terminal |
//! | [`day`] | `onetill simulate till` |
//! | [`provisioning`] | stores, terminals, cards, programs, beside a gateway and without one |

mod bench;
mod calls;
mod day;
mod provisioning;

use crate::support::process::{Process, Recipe, bare};
use std::{path::PathBuf, process::Stdio};
use tempfile::TempDir;

/// A demo gateway, and the program beside it.
struct Shop {
    dir: TempDir,
    gateway: Process,
}

/// What a command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    fn json(&self) -> serde_json::Value {
        let read = serde_json::from_str(&self.out);
        read.unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

impl Shop {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let gateway = Process::start(Recipe::demo(dir.path(), "gateway")).await;
        Self { dir, gateway }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn url(&self) -> String {
        format!("http://{}", self.gateway.recipe.address)
    }

    /// The program, to its end, without settings from outside.
    async fn run(&self, args: &[&str]) -> Said {
        let mut command = bare(env!("CARGO_BIN_EXE_onetill").as_ref());
        command
            .args(args)
            .env("XDG_STATE_HOME", self.path("state"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await.unwrap().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A call of the demo's terminal.
    async fn call(&self, words: &str) -> Said {
        let url = self.url();
        let mut args = vec!["call", "--url", &url];
        args.extend(words.split(' '));
        self.run(&args).await
    }

    /// An operator's command on this gateway's data.
    async fn operate(&self, args: &[&str]) -> Said {
        let data = self.gateway.recipe.data.to_str().unwrap();
        self.run(&[args, &["--data", data]].concat()).await
    }
}
