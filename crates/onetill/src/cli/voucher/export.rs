//! `onetill voucher export`.

use super::{
    Whose,
    printed::PrintedFile,
    stocking::{self, OpenBox},
};
use crate::{
    admin::{
        Request,
        voucher::{self, boxes::Export},
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        output::{self, Shape},
    },
};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Write the codes of a box to a file. It is noted in the box's custody log.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill voucher export X22169-3141157-33475 --out codes.csv
  onetill voucher export X22169-3141157-33475 --out codes.csv --again --reason 'printer broke'")]
pub struct ExportArgs {
    /// The box
    #[arg(value_name = "BOX")]
    name: String,
    /// The file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Its codes were written before, and must be once more
    #[arg(long, requires = "reason")]
    again: bool,
    /// Why once more
    #[arg(long, value_name = "TEXT", requires = "again")]
    reason: Option<String>,
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    args: ExportArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let file = PrintedFile::create(&args.out)?;
    let mut client = AdminClient::new(settings)?;
    let exported = export(&mut client, whose, &args, file).await;
    client.close().await;
    let codes = exported?;
    let name = args.out.display();
    match shape {
        Shape::Json => output::print_json(&json!({
            "box": args.name,
            "codes": codes,
            "file": name.to_string(),
        })),
        Shape::Text => output::print(&format!(
            "{codes} codes are in {name}: whoever reads it can use them"
        )),
    }
}

async fn export(
    client: &mut AdminClient,
    whose: Whose,
    args: &ExportArgs,
    mut file: PrintedFile,
) -> Result<u64, CommandError> {
    let begin = voucher::Request::BeginExport(Export {
        tenant: whose.tenant,
        name: args.name.clone(),
        by: whose.by,
        again: args.reason.clone(),
    });
    let answer = client.ask(Request::Voucher(begin)).await?;
    let partner = answer.get("partner").and_then(Value::as_u64).unwrap_or(0);
    let open = OpenBox::read(&answer, u32::try_from(partner)?)?;
    let progress = output::bar(open.codes, "writing");
    let asker = client.asker();
    let writing = stocking::export(&asker, &open, &mut file, &progress);
    let written = stocking::unless_stopped(writing).await;
    progress.finish_and_clear();
    match written.and_then(|()| file.finish()) {
        Ok(()) => Ok(open.codes),
        // Somebody may have read what was there of the file.
        Err(error) => Err(format!(
            "{error}\nNothing was written to {}. The box's custody log says that its codes were \
             exported; for another try add --again --reason TEXT.",
            args.out.display()
        )
        .into()),
    }
}
