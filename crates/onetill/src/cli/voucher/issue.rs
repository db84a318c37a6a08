//! `onetill voucher issue`: boxes of new codes, and the file for the printer.

use super::{
    Whose,
    printed::PrintedFile,
    stocking::{self, OpenBox},
};
use crate::{
    admin::voucher::boxes::{Contents, NewBox},
    cli::{
        CommandError, Settings,
        admin_client::AdminClient,
        output::{self, Shape},
    },
};
use clap::Args;
use domain::voucher::stock::{Cards, Shape as Packing};
use serde_json::json;
use std::{path::PathBuf, time::Instant};

/// The most boxes of one command.
const BOXES_MAX: u32 = 1_000;

/// Make boxes of codes and write them to a file for the printer.
///
/// The codes are in stock once the file is on the disk, and not before. Whoever reads the file can
/// use the codes: only its owner may.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill voucher issue --partner 1504 --activity 500706 --ticket 500811 \\
      --boxes 1 --packages 10 --reels 20 --codes 50 --out codes.csv
      10,000 codes: packages in a box, reels in a package, codes in a reel
  onetill voucher issue --partner 1504 --activity 500706 --ticket 500812 --packages 1 --reels 1 \\
      --codes 100 --bin 7020 --first 0000101 --out cards.csv
      with card numbers, which follow each other as the codes do")]
pub struct IssueArgs {
    #[command(flatten)]
    pub(super) terms: TermsArgs,
    /// How many boxes
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(BOXES_MAX)))]
    boxes: u32,
    /// Packages in a box
    #[arg(long, value_name = "N")]
    packages: u32,
    /// Reels in a package
    #[arg(long, value_name = "N")]
    reels: u32,
    /// Codes in a reel
    #[arg(long, value_name = "N")]
    codes: u32,
    /// The file for the printer, which must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What the codes of a new box are.
#[derive(Args)]
pub struct TermsArgs {
    /// The partner they are for
    #[arg(long, value_name = "NUMBER")]
    partner: u32,
    /// The activity they are sold under
    #[arg(long, value_name = "NUMBER")]
    activity: u32,
    /// Their ticket type
    #[arg(long, value_name = "NUMBER")]
    ticket: u32,
    /// The bin of their card numbers: 6 digits of cards, 4 of vouchers
    #[arg(long, requires = "first")]
    bin: Option<String>,
    /// The segment number of the first code
    #[arg(long, value_name = "NUMBER", requires = "bin")]
    first: Option<u32>,
}

impl TermsArgs {
    /// A new box whose codes follow `codes_before` others.
    pub(super) fn new_box(
        &self,
        contents: Contents,
        codes_before: u64,
        by: &str,
    ) -> Result<NewBox, CommandError> {
        let cards = match (&self.bin, self.first) {
            (Some(bin), Some(first)) => Some(Cards {
                bin: bin.clone(),
                first: first.saturating_add(u32::try_from(codes_before)?),
            }),
            (None, _) | (_, None) => None,
        };
        Ok(NewBox {
            partner: self.partner,
            activity: self.activity,
            ticket: self.ticket,
            contents,
            cards,
            by: by.to_owned(),
        })
    }

    /// The partner they are for.
    pub(super) const fn partner(&self) -> u32 {
        self.partner
    }
}

pub(super) async fn run(
    settings: Settings,
    whose: Whose,
    args: IssueArgs,
    shape: Shape,
) -> Result<(), CommandError> {
    let started = Instant::now();
    let file = PrintedFile::create(&args.out)?;
    let mut client = AdminClient::new(settings)?;
    let mut boxes = Vec::new();
    let issued = issue(&mut client, &whose, &args, file, &mut boxes).await;
    if issued.is_err() {
        stocking::discard(&client, &boxes, &whose.by).await;
    }
    client.close().await;
    issued?;
    let names: Vec<&str> = boxes.iter().map(|it| it.name.as_str()).collect();
    let codes: u64 = boxes.iter().map(|it| it.codes).sum();
    match shape {
        Shape::Json => output::print_json(&json!({
            "boxes": names,
            "codes": codes,
            "file": args.out.display().to_string(),
            "took_s": started.elapsed().as_secs_f64(),
        })),
        Shape::Text => output::print(&format!(
            "{codes} codes are in stock, in {}\n{} is for the printer: whoever reads it can use \
             them. Then remove it.",
            names.join(", "),
            args.out.display()
        )),
    }
}

async fn issue(
    client: &mut AdminClient,
    whose: &Whose,
    args: &IssueArgs,
    mut file: PrintedFile,
    boxes: &mut Vec<OpenBox>,
) -> Result<(), CommandError> {
    let making = make(client, whose, args, &mut file, boxes);
    stocking::unless_stopped(making).await?;
    file.finish()?;
    stocking::finish(&client.asker(), boxes, Some(&whose.by)).await
}

/// Stores the boxes' rows, and writes their codes.
async fn make(
    client: &mut AdminClient,
    whose: &Whose,
    args: &IssueArgs,
    file: &mut PrintedFile,
    boxes: &mut Vec<OpenBox>,
) -> Result<(), CommandError> {
    let packing = Packing {
        packages: args.packages,
        reels: args.reels,
        codes: args.codes,
    };
    let codes = packing.codes_in_carton().map_or(0, u64::from);
    let reels = u64::from(args.packages) * u64::from(args.reels);
    // Reels, codes and digests are stored, and codes are written.
    let progress = output::bar(u64::from(args.boxes) * (reels + 3 * codes), "issuing");
    for number in 0..args.boxes {
        let contents = Contents::Made(packing);
        let before = u64::from(number) * codes;
        let new = args.terms.new_box(contents, before, &whose.by)?;
        let open = stocking::open(client, new).await?;
        let serial = open.serial;
        boxes.push(open);
        let asker = client.asker();
        stocking::fill(&asker, serial, &progress).await?;
        if let Some(open) = boxes.last() {
            stocking::export(&asker, open, file, &progress).await?;
        }
    }
    progress.finish_and_clear();
    Ok(())
}
