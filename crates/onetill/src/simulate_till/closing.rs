//! The end of the day: settlements with the terminals' own totals, and where these differ from the
//! gateway's the journal, line by line.

use super::{
    cashier::{Cashier, fate},
    line::Heard,
    report::Closing,
};
use crate::till::{Fate, Message, Till, TillError};
use wire::jpos::{Body, Reply, reply::SettleFlag};

impl Cashier {
    pub(super) async fn settle(&mut self) -> Result<Closing, String> {
        let reply = self.insist(Till::settle).await?;
        let Body::Settle(settled) = &reply.body else {
            return Err(self.refused("the settlement", &reply));
        };
        match settled.flag {
            Some(SettleFlag::Balanced) => Ok(Closing::Balanced),
            Some(SettleFlag::Unbalanced) => {
                let differences = settled.differences.clone();
                let reply = self.insist(Till::send_journal).await?;
                let Body::SettleDetails(results) = reply.body else {
                    return Err(self.refused("the journal", &reply));
                };
                Ok(Closing::Compared {
                    differences,
                    results,
                })
            }
            None => Err(self.refused("the settlement", &reply)),
        }
    }

    /// Sends what closes the batch until it is answered; what is made again is the same message.
    async fn insist(
        &mut self,
        make: impl Fn(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Reply, String> {
        loop {
            let message = self.made(&make)?;
            let reply = match self.line.say(&message).await? {
                Heard::Answer(reply) => reply,
                Heard::AnswerLost(_) | Heard::RequestLost => continue,
                Heard::Broken(_) => Box::new(self.line.ask(&message).await?),
            };
            self.till.answered(&reply);
            match fate(&reply) {
                Fate::Done => return Ok(*reply),
                Fate::Refused => return Err(self.refused("the settlement", &reply)),
                Fate::Unknown => {}
            }
        }
    }
}
