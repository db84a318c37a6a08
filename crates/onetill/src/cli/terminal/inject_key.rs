//! `onetill terminal inject-key`.

use super::NameArgs;
use crate::{
    admin::{Request, loyalty, loyalty::terminals::KeyInjection},
    cli::{
        CommandError, Settings,
        admin_client::admin_request,
        output::{self, Shape, text_of},
        prompt, secret,
    },
};
use clap::Args;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Give a terminal its master key. It has to check in afterwards.
///
/// Without a file the key's two parts are asked for, one after the other, so that two people can
/// hold one each: without echo on a terminal, else as lines of stdin.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill terminal inject-key 102100099990002/00000001 --check 5A2B91
      asks for both parts
  onetill terminal inject-key 102100099990002/00000001 --part-file alice.key --part-file bob.key
  onetill terminal inject-key 102100099990002/00000001 --key-file tmk.key")]
pub struct InjectKeyArgs {
    #[command(flatten)]
    name: NameArgs,
    /// File with the whole key in hexadecimal digits; - for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "part_file")]
    key_file: Option<PathBuf>,
    /// File with a part of the key, given twice
    #[arg(long, value_name = "FILE", num_args = 1)]
    part_file: Vec<PathBuf>,
    /// The check value that stands beside the key on paper: 6 or 8 digits
    #[arg(long, value_name = "KCV")]
    check: Option<String>,
}

pub(super) async fn run(
    settings: Settings,
    args: InjectKeyArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let (key, second_part) = args.parts()?;
    let name = args.name.name;
    let request = loyalty::Request::InjectKey(KeyInjection {
        store: name.store_no,
        number: name.number.clone(),
        key: key.to_string(),
        second_part: second_part.map(|it| it.to_string()),
        check: args.check,
    });
    let changed = admin_request(settings, Request::Loyalty(request)).await?;
    match shape {
        Shape::Json => output::print_json(&changed),
        Shape::Text => output::print(&format!(
            "terminal {} has a master key with check value {}; it checks in next",
            name.number,
            text_of(&changed, "master_key_check"),
        )),
    }
}

type Parts = (Zeroizing<String>, Option<Zeroizing<String>>);

impl InjectKeyArgs {
    fn parts(&self) -> Result<Parts, CommandError> {
        match (&self.key_file, self.part_file.as_slice()) {
            (Some(path), _) => Ok((secret::read_line(path)?, None)),
            (None, [first, second]) => {
                Ok((secret::read_line(first)?, Some(secret::read_line(second)?)))
            }
            (None, []) => Ok((
                prompt::ask("first part")?,
                Some(prompt::ask("second part")?),
            )),
            (None, _) => Err("a master key has two parts: give --part-file twice".into()),
        }
    }
}
