//! One call of a terminal: it is taken out of its file, and put back before each message is sent
//! and after it is answered. Killed in between, it knows that a message is open.

use super::{memory::Memory, options::TillArgs, reply};
use crate::{
    cli::{
        CommandError,
        call::{
            Http, ReachArgs, base_url,
            http::{Answer, SendError},
        },
        output::{self, Shape},
    },
    till::{Message, Till, TillError, reply::read},
};
use reqwest::Url;
use std::{process::ExitCode, time::Duration};
use wire::jpos::{Reply, operation::Version};

/// A terminal at work.
pub(super) struct Session {
    pub till: Till,
    pub url: Url,
    memory: Memory,
    http: Http,
    base: String,
    is_verbose: bool,
    shape: Shape,
}

/// What was answered. No `Debug`: it may say who holds a card.
pub(super) struct Answered {
    pub reply: Reply,
    /// As it came.
    pub text: String,
}

/// Why there is no answer, and whether the message can have arrived.
enum Trouble {
    NotTaken(CommandError),
    Open(CommandError),
}

impl Session {
    /// Takes the terminal out of its file.
    pub fn open(reach: &ReachArgs, args: &TillArgs, shape: Shape) -> Result<Self, CommandError> {
        let url = base_url(&reach.url)?;
        let memory = Memory::take(args, &url)?;
        let mut till = memory.load(args)?;
        till.has_mac = !args.no_mac;
        if let Some(trace_no) = args.trace_no {
            till.set_next_trace(trace_no);
        }
        let timeout = Duration::from_secs(reach.timeout);
        Ok(Self {
            till,
            memory,
            http: Http::new(&url, timeout, reach.ca.as_deref())?,
            base: reach.url.trim_end_matches('/').to_owned(),
            url,
            is_verbose: reach.verbose,
            shape,
        })
    }

    /// Where the terminal remembers.
    pub fn path(&self) -> String {
        self.memory.path().display().to_string()
    }

    /// Puts the terminal back into its file.
    pub fn save(&self) -> Result<(), CommandError> {
        self.memory.save(&self.till)
    }

    /// Sends a message that changes nothing.
    pub async fn ask(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Answered, CommandError> {
        let message = make(&mut self.till)?;
        self.save()?;
        let answered = self.exchange(&message).await;
        let answered = answered.map_err(|trouble| match trouble {
            Trouble::NotTaken(error) | Trouble::Open(error) => error,
        })?;
        self.till.learn(&answered.reply.body);
        self.save()?;
        Ok(answered)
    }

    /// Sends a message that changes something.
    pub async fn transact(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Answered, CommandError> {
        let answered = self.sent(make).await?;
        self.till.answered(&answered.reply);
        self.save()?;
        Ok(answered)
    }

    /// Sends the reversal of the last message; says whether that ended the matter.
    pub async fn reverse(&mut self) -> Result<(Answered, bool), CommandError> {
        let answered = self.sent(|till| till.reverse()).await?;
        let is_end = self.till.reversed(answered.reply.outcome.status());
        self.save()?;
        Ok((answered, is_end))
    }

    /// Sends a message; where it cannot have arrived, the terminal is as it was before.
    async fn sent(
        &mut self,
        make: impl FnOnce(&mut Till) -> Result<Message, TillError>,
    ) -> Result<Answered, CommandError> {
        let before = self.till.clone();
        let message = make(&mut self.till)?;
        self.save()?;
        if let Some((_, trace_no)) = self.till.unanswered() {
            output::note(&format!("traceNo {trace_no}"));
        }
        match self.exchange(&message).await {
            Ok(answered) => Ok(answered),
            Err(Trouble::NotTaken(error)) => {
                self.till = before;
                self.save()?;
                Err(error)
            }
            Err(Trouble::Open(error)) => Err(format!(
                "{error}. The outcome is not known: `onetill call reverse` undoes it, `onetill \
                 call repeat` asks for its answer"
            )
            .into()),
        }
    }

    async fn exchange(&self, message: &Message) -> Result<Answered, Trouble> {
        let target = format!("{}{}", self.base, message.operation.path(Version::V1));
        if self.is_verbose {
            output::note(&format!(
                "> POST {target}\n> {}",
                output::plain(&message.body)
            ));
        }
        let waiting = output::spinner("waiting for the gateway {elapsed}");
        let answer = self.http.post_form(&target, message.body.clone()).await;
        waiting.finish_and_clear();
        let answer = answer.map_err(|error| match error {
            SendError::NotSent(why) => Trouble::NotTaken(format!("{why}. Nothing was sent").into()),
            SendError::Lost(why) => Trouble::Open(why.into()),
        })?;
        let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
        if self.is_verbose {
            output::note(&format!(
                "< HTTP {} {}",
                answer.status,
                output::plain(&text)
            ));
        }
        match read(message.operation, &answer.body) {
            Ok(reply) => Ok(Answered { reply, text }),
            Err(error) => Err(unreadable(&answer, &text, &error.to_string())),
        }
    }

    /// Prints an answer; 00 alone is success.
    pub fn show(&self, answered: &Answered) -> Result<ExitCode, CommandError> {
        self.print(answered)?;
        Ok(reply::exit_code(&answered.reply))
    }

    /// Prints an answer.
    pub fn print(&self, answered: &Answered) -> Result<(), CommandError> {
        match self.shape {
            Shape::Json => output::print(&answered.text),
            Shape::Text => output::print(&reply::text(&answered.reply)),
        }
    }
}

/// What never reached the dialect is an HTTP error; 4xx says that nothing was done.
fn unreadable(answer: &Answer, text: &str, why: &str) -> Trouble {
    let shown: String = output::plain(text).chars().take(200).collect();
    let what = match answer.status {
        404 => "nothing is served at this path; is --url right?",
        429 => "too many failed requests from this address; wait, then correct what was wrong",
        503 => "the gateway is overloaded or stopping",
        _ => why,
    };
    let error = format!("HTTP {} ({shown}): {what}", answer.status).into();
    if (400..500).contains(&answer.status) {
        Trouble::NotTaken(error)
    } else {
        Trouble::Open(error)
    }
}
