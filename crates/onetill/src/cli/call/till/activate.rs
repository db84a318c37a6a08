//! `onetill call code` and `onetill call activate`: mobile/sendVerifyCode and card/active.

use super::{
    options::{CardOption, TillArgs},
    session::Session,
};
use crate::{cli::CommandError, till::sale::NewHolder};
use clap::Args;
use std::process::ExitCode;
use wire::jpos::person::IdType;
use zeroize::Zeroizing;

/// Send a verification code to a mobile phone.
///
/// The demo sends nothing: `onetill terminal sms` shows the operator what it would have sent.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call code 13900000000
  onetill terminal sms
      the code, on the demo's machine")]
pub struct CodeArgs {
    /// The mobile number, 11 digits
    mobile: String,
    #[command(flatten)]
    pub till: TillArgs,
}

impl CodeArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let answered = session.ask(|till| till.send_code(&self.mobile)).await?;
        session.show(&answered)
    }
}

/// Give a stocked card to a member, who proves the mobile number with a code.
#[derive(Args)]
#[command(after_help = "Examples:
  onetill call code 13900000000
  onetill call activate --card 9999999999025296 --mobile 13900000000 --code 123456 \\
      --id-type 01 --id-no 110101199001011237")]
pub struct ActivateArgs {
    #[command(flatten)]
    card: CardOption,
    /// The member's mobile number
    #[arg(long, value_name = "NO")]
    mobile: String,
    /// The code that was sent there
    #[arg(long, value_name = "DIGITS")]
    code: String,
    /// The member's identity paper: 01 identity card, 02 officer's card, 03 student's card,
    /// 04 driving licence, 05 passport, 06 permit for Hong Kong and Macao, 07 another
    #[arg(long, value_name = "TYPE", value_parser = id_type, default_value = "01")]
    id_type: IdType,
    /// Its number
    #[arg(long, value_name = "NO")]
    id_no: Option<String>,
    #[command(flatten)]
    pub till: TillArgs,
}

impl ActivateArgs {
    pub(super) async fn run(self, mut session: Session) -> Result<ExitCode, CommandError> {
        let holder = NewHolder {
            mobile_no: self.mobile,
            verify_code: Zeroizing::new(self.code),
            id_type: self.id_type,
            id_no: self.id_no,
        };
        let card = self.card.swipe();
        let answered = session
            .transact(|till| till.activate(&card, holder))
            .await?;
        session.show(&answered)
    }
}

fn id_type(text: &str) -> Result<IdType, String> {
    IdType::from_code(text).ok_or_else(|| "one of 01 to 07".to_owned())
}
