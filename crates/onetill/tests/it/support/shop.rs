//! A demo gateway in a process of its own, and the program's commands beside it.

use super::process::{Process, Recipe, bare};
use std::{path::PathBuf, process::Stdio};
use tempfile::TempDir;

/// A demo gateway, and the program beside it.
pub struct Shop {
    /// Where all of it lies.
    pub dir: TempDir,
    /// The gateway.
    pub gateway: Process,
    /// The database its rows live in, if they do.
    store: Option<String>,
}

/// What a command said.
pub struct Said {
    /// Its exit status.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said beside.
    pub err: String,
}

impl Said {
    /// It went well.
    pub fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// What it printed, as JSON.
    pub fn json(&self) -> serde_json::Value {
        let read = serde_json::from_str(&self.out);
        read.unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

impl Shop {
    /// A demo gateway, ready.
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let recipe = Recipe::demo(dir.path(), "gateway");
        Self::of(dir, recipe).await
    }

    /// The gateway of this recipe, ready.
    pub async fn of(dir: TempDir, recipe: Recipe) -> Self {
        let gateway = Process::start(recipe).await;
        let store = None;
        Self {
            dir,
            gateway,
            store,
        }
    }

    /// A demo gateway over a database, ready.
    pub async fn on_postgres() -> Self {
        let database = tokio::task::spawn_blocking(store::testing::database);
        let url = database.await.unwrap().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let recipe = Recipe::demo(dir.path(), "gateway").with(&["--store", &url]);
        Self {
            store: Some(url),
            ..Self::of(dir, recipe).await
        }
    }

    /// A file of this name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the gateway is.
    pub fn url(&self) -> String {
        format!("http://{}", self.gateway.recipe.address)
    }

    /// The program, to its end, without settings from outside.
    pub async fn run(&self, args: &[&str]) -> Said {
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
    pub async fn call(&self, words: &str) -> Said {
        let url = self.url();
        let mut args = vec!["call", "--url", &url];
        args.extend(words.split(' '));
        self.run(&args).await
    }

    /// An operator's command on this gateway's data.
    pub async fn operate(&self, args: &[&str]) -> Said {
        let data = self.gateway.recipe.data.to_str().unwrap();
        let store = self.store.iter().flat_map(|it| ["--store", it.as_str()]);
        let more = ["--data", data].into_iter().chain(store);
        let args: Vec<&str> = args.iter().copied().chain(more).collect();
        self.run(&args).await
    }
}
