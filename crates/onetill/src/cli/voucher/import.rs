//! `onetill voucher import`: codes from elsewhere. The file is read twice: once to see that all of
//! it does, once to store it.

use super::{
    Whose,
    issue::TermsArgs,
    stocking::{self, OpenBox},
};
use crate::{
    admin::{
        Request,
        voucher::{
            self,
            boxes::{Contents, Names, NewCodes, NewUnits},
        },
    },
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        output::{self, Shape},
    },
};
use clap::Args;
use indicatif::ProgressBar;
use plan::{BoxPlan, Plan, Row, Rows};
use serde_json::{Value, json};
use std::path::PathBuf;

mod plan;

/// How many codes one request names: well below the longest request of the admin socket.
const CODES_A_REQUEST: usize = 4_000;
/// How many units one request names.
const UNITS_A_REQUEST: usize = 2_000;

/// Take over codes from elsewhere.
///
/// The file has the columns boxId,pkgId,reelId,code in this order, and the rows of a box, a package
/// and a reel stand together. Packing may be uneven. Codes are 8 to 64 of 0-9, A-Z, a-z, = and -.
/// Nothing is taken over if a line is wrong, or a name or a code exists.
#[derive(Args)]
#[command(after_help = "Example:
  onetill voucher import --file codes.csv --partner 1504 --activity 500706 --ticket 500811

codes.csv:
  boxId,pkgId,reelId,code
  X22169-3141157-99001,B1123-6430582-99002,R112102F-0000242-9903,1006250730320020870=gHN3981K")]
pub struct ImportArgs {
    /// The file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    terms: TermsArgs,
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    args: ImportArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let plan = Plan::read(&args.file)?;
    let mut client = AdminClient::new(settings)?;
    let mut boxes = Vec::new();
    let imported = import(&mut client, &whose, &args, &plan, &mut boxes).await;
    if imported.is_err() {
        stocking::discard(&client, &boxes, &whose.by).await;
    }
    client.close().await;
    imported?;
    let codes: u64 = boxes.iter().map(|it| it.codes).sum();
    match shape {
        Shape::Json => output::print_json(&json!({ "boxes": boxes.len(), "codes": codes })),
        Shape::Text => output::print(&format!(
            "{codes} codes in {} boxes are in stock",
            boxes.len()
        )),
    }
}

async fn import(
    client: &mut AdminClient,
    whose: &Whose,
    args: &ImportArgs,
    plan: &Plan,
    boxes: &mut Vec<OpenBox>,
) -> Result<(), CommandError> {
    let progress = output::bar(2 * plan.codes, "checking");
    refuse_taken(client, args, plan, &progress).await?;
    progress.set_message("importing");
    let mut rows = Rows::open(&args.file)?;
    let mut before = 0;
    for plan in &plan.boxes {
        let contents = Contents::Given {
            id: plan.id.clone(),
            codes: plan.codes,
        };
        let new = args.terms.new_box(contents, before, &whose.by)?;
        before += u64::from(plan.codes);
        let open = stocking::open(client, new).await?;
        let serial = open.serial;
        boxes.push(open);
        add_units(client, args, plan, serial).await?;
        add_codes(client, plan, serial, &mut rows, &progress).await?;
        stocking::fill(&client.asker(), serial, &ProgressBar::hidden()).await?;
    }
    stocking::finish(&client.asker(), boxes, None).await?;
    progress.finish_and_clear();
    Ok(())
}

/// Refuses the file if a name or a code of it exists, and says on which line.
async fn refuse_taken(
    client: &mut AdminClient,
    args: &ImportArgs,
    plan: &Plan,
    progress: &ProgressBar,
) -> Result<(), CommandError> {
    let names: Vec<&String> = plan.names().collect();
    for names in names.chunks(UNITS_A_REQUEST) {
        let units = names.iter().map(|it| (*it).clone()).collect();
        if let Some(place) = taken(client, args, Vec::new(), units, "units").await? {
            let name = names.get(place).map_or("", |it| it.as_str());
            return Err(format!("{name} exists; nothing was imported").into());
        }
    }
    let mut rows = Rows::open(&args.file)?;
    loop {
        let some = rows.take(CODES_A_REQUEST)?;
        if some.is_empty() {
            return Ok(());
        }
        let codes = some.iter().map(|it| it.code.to_string()).collect();
        if let Some(place) = taken(client, args, codes, Vec::new(), "codes").await? {
            let line = some.get(place).map_or(0, |it| it.line);
            let file = args.file.display();
            let text = format!("{file}: line {line}: this code exists; nothing was imported");
            return Err(text.into());
        }
        progress.inc(some.len() as u64);
    }
}

/// The place of the first name that is there already.
async fn taken(
    client: &mut AdminClient,
    args: &ImportArgs,
    codes: Vec<String>,
    units: Vec<String>,
    which: &str,
) -> Result<Option<usize>, CommandError> {
    let names = Names {
        partner: args.terms.partner(),
        codes,
        units,
    };
    let request = Request::Voucher(voucher::Request::FindTaken(names));
    let answer = client.ask(request).await?;
    let places = answer.get(which).and_then(Value::as_array);
    let first = places.and_then(|it| it.first()).and_then(Value::as_u64);
    Ok(first.map(usize::try_from).transpose()?)
}

async fn add_units(
    client: &mut AdminClient,
    args: &ImportArgs,
    plan: &BoxPlan,
    serial: i64,
) -> Result<(), CommandError> {
    for units in plan.units.chunks(UNITS_A_REQUEST) {
        let new = NewUnits {
            serial,
            partner: args.terms.partner(),
            units: units.to_vec(),
        };
        client
            .ask(Request::Voucher(voucher::Request::AddUnits(new)))
            .await?;
    }
    Ok(())
}

async fn add_codes(
    client: &mut AdminClient,
    plan: &BoxPlan,
    serial: i64,
    rows: &mut Rows,
    progress: &ProgressBar,
) -> Result<(), CommandError> {
    let mut left = usize::try_from(plan.codes)?;
    while left > 0 {
        let some: Vec<Row> = rows.take(left.min(CODES_A_REQUEST))?;
        if some.is_empty() {
            return Err("the file changed while it was read".into());
        }
        left -= some.len();
        let new = NewCodes {
            serial,
            codes: some.iter().map(|it| it.code.to_string()).collect(),
        };
        client
            .ask(Request::Voucher(voucher::Request::AddCodes(new)))
            .await?;
        progress.inc(some.len() as u64);
    }
    Ok(())
}
