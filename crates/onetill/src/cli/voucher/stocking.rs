//! The steps of new boxes, with their progress. Boxes are finished last, all together: until then
//! nobody can use a code of them, and what broke off is removed.

use super::printed::PrintedFile;
use crate::{
    admin::{
        Request,
        voucher::{
            self,
            boxes::{BoxEnd, BoxKey, Discard, ExportPage, NewBox},
        },
    },
    cli::{
        CommandError,
        admin_client::{AdminClient, Asker},
        output, serve,
    },
};
use indicatif::ProgressBar;
use serde_json::Value;

/// A box that is open, or that is exported.
pub(super) struct OpenBox {
    pub(super) name: String,
    pub(super) serial: i64,
    pub(super) partner: u32,
    pub(super) codes: u64,
}

impl OpenBox {
    /// Reads what opening a box, or beginning its export, brought.
    pub(super) fn read(answer: &Value, partner: u32) -> Result<Self, CommandError> {
        let odd = "the gateway's answer is odd";
        Ok(Self {
            name: answer
                .get("box")
                .and_then(Value::as_str)
                .ok_or(odd)?
                .to_owned(),
            serial: answer.get("serial").and_then(Value::as_i64).ok_or(odd)?,
            partner,
            codes: answer.get("codes").and_then(Value::as_u64).ok_or(odd)?,
        })
    }
}

/// Opens a box.
pub(super) async fn open(client: &mut AdminClient, new: NewBox) -> Result<OpenBox, CommandError> {
    let partner = new.partner;
    let request = Request::Voucher(voucher::Request::OpenBox(new));
    OpenBox::read(&client.ask(request).await?, partner)
}

/// Stores what is left of a box, step by step.
pub(super) async fn fill(
    asker: &Asker,
    serial: i64,
    progress: &ProgressBar,
) -> Result<(), CommandError> {
    let before = progress.position();
    loop {
        let request = voucher::Request::FillBox(BoxKey { serial });
        let answer = asker.ask(Request::Voucher(request)).await?;
        let of = |name| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
        progress.set_position(before + of("done"));
        if of("done") >= of("of") {
            return Ok(());
        }
    }
}

/// Writes the codes of a box to a file.
pub(super) async fn export(
    asker: &Asker,
    open: &OpenBox,
    file: &mut PrintedFile,
    progress: &ProgressBar,
) -> Result<(), CommandError> {
    let mut from = 0;
    loop {
        let page = voucher::Request::ExportPage(ExportPage {
            partner: open.partner,
            serial: open.serial,
            from,
        });
        let lines = asker.ask(Request::Voucher(page)).await?;
        let lines = lines.as_str().ok_or("the gateway's answer is odd")?;
        let count = file.push(&open.name, lines)?;
        from += count;
        progress.inc(count.into());
        if count == 0 {
            return missing(open, from);
        }
    }
}

/// Does `work` unless it is told to stop meanwhile (SIGINT, SIGTERM): then what it began can be
/// taken away. From then on nothing stops the program but its end.
pub(super) async fn unless_stopped(
    work: impl Future<Output = Result<(), CommandError>>,
) -> Result<(), CommandError> {
    let stop = serve::signalled()?;
    tokio::select! {
        done = work => done,
        () = stop => Err("stopped".into()),
    }
}

fn missing(open: &OpenBox, written: u32) -> Result<(), CommandError> {
    if u64::from(written) == open.codes {
        return Ok(());
    }
    Err(format!(
        "box {} has {} codes, and {written} came",
        open.name, open.codes
    )
    .into())
}

/// Brings boxes into stock.
pub(super) async fn finish(
    asker: &Asker,
    boxes: &[OpenBox],
    exported_by: Option<&str>,
) -> Result<(), CommandError> {
    for open in boxes {
        let end = BoxEnd {
            serial: open.serial,
            exported_by: exported_by.map(str::to_owned),
        };
        let request = Request::Voucher(voucher::Request::FinishBox(end));
        asker.ask(request).await?;
    }
    Ok(())
}

/// Removes boxes that will not be finished. What cannot be removed now is removed within hours.
pub(super) async fn discard(client: &AdminClient, boxes: &[OpenBox], by: &str) {
    for open in boxes {
        let discard = Discard {
            name: open.name.clone(),
            by: by.to_owned(),
        };
        let request = Request::Voucher(voucher::Request::DiscardBox(discard));
        if let Err(error) = client.asker().ask(request).await {
            output::note(&format!("box {} is left unfinished: {error}", open.name));
        }
    }
}
