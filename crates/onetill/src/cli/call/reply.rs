//! A reply, for people and as JSON.

use super::{CommandError, Prepared, http::Answer};
use crate::cli::output::{self, Shape, Tone};
use qrcode::{QrCode, render::unicode::Dense1x2};
use std::{
    borrow::Cow,
    io::{self, IsTerminal},
    process::ExitCode,
};
use wire::opengateway::{
    ChannelType, MerchantKey, Node, Operation, ReturnCode, State,
    code::{Locale, RechargeStatus},
    received::Received,
    seal,
};

/// Prints the reply; SUCCESS alone is success.
pub(super) fn show(
    answer: &Answer,
    key: &MerchantKey,
    prepared: &Prepared,
    shape: Shape,
) -> Result<ExitCode, CommandError> {
    let Some(received) = read(&answer.body, key) else {
        return Err(unreadable(answer, prepared).into());
    };
    match shape {
        Shape::Json => output::print(&whole(&received).to_json())?,
        Shape::Text => output::print(&text(&received, prepared.operation))?,
    }
    let is_success = received.code() == Some(ReturnCode::Success);
    Ok(if is_success && answer.status == 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A sealed reply is opened; a plain one is read as it is, since errors may be plain.
fn read(body: &[u8], key: &MerchantKey) -> Option<Received> {
    Received::decode(body).ok().or_else(|| {
        let opened = seal::open(key, body).ok()?;
        Received::decode(&opened).ok()
    })
}

/// What never reached the dialect is an HTTP error; what did may have done something.
fn unreadable(answer: &Answer, prepared: &Prepared) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let text: String = output::plain(text.trim()).chars().take(200).collect();
    let what = match answer.status {
        404 => "nothing is served at this path; is --url right?".to_owned(),
        413 => "the request is too large".to_owned(),
        429 => "too many failed requests from this address; wait, then correct what was wrong"
            .to_owned(),
        503 => "the gateway is overloaded or stopping; nothing was recorded, try again".to_owned(),
        _ => format!(
            "that is no reply of this protocol; if a gateway answered, the outcome is not known: {}",
            prepared.if_lost
        ),
    };
    format!("HTTP {} ({text}): {what}", answer.status)
}

/// The reply as one JSON document, whatever its format was on the wire.
fn whole(received: &Received) -> Node<'static> {
    let body = received.body().clone();
    match received.root() {
        Some(root) => Node::Object(vec![(Cow::Owned(root.to_owned()), body)]),
        None => body,
    }
}

fn text(received: &Received, operation: Operation) -> String {
    let code = received.code_text().unwrap_or_else(|| "no CODE".to_owned());
    let tone = if received.code() == Some(ReturnCode::Success) {
        Tone::Good
    } else {
        Tone::Bad
    };
    let info = received.info().unwrap_or_default();
    let title = format!(
        "{}  {}",
        output::paint(&output::plain(&code), tone),
        output::plain(&info)
    );
    let lines = lines(received, operation);
    let mut parts = vec![title.trim_end().to_owned()];
    if !lines.is_empty() {
        parts.push(output::fields(&lines));
    }
    parts.extend(received.field("BAR_CODE").and_then(|link| picture(&link)));
    parts.join("\n")
}

/// The fields other than RESULT, with what their codes mean.
fn lines(received: &Received, operation: Operation) -> Vec<(String, String)> {
    let is_shown = |name: &str| {
        let is_result = name.starts_with("RESULT.") || name.starts_with("result.");
        // JSON says it twice, for clients that read one spelling or the other.
        !is_result && name != "charge_THIRD_CODE"
    };
    let all = received.flattened().into_iter();
    all.filter(|(name, _)| is_shown(name))
        .map(|(name, value)| {
            let meaning = meaning(operation, &name, &value);
            let shown = meaning.map(|meaning| format!("{value}  ({meaning})"));
            (name, shown.unwrap_or(value))
        })
        .collect()
}

fn meaning(operation: Operation, name: &str, value: &str) -> Option<String> {
    let english = |name: &str| name.to_owned();
    match (operation, name) {
        (_, "STATE") => {
            let state = State::from_code(value.parse().ok()?)?;
            Some(english(state.name(Locale::En)))
        }
        (_, "CHANNEL_TYPE") => {
            let channel = ChannelType::from_code(value.parse().ok()?)?;
            Some(english(channel.name(Locale::En)))
        }
        (_, "AMT") => {
            let fen: i64 = value.parse().ok()?;
            Some(format!("{} yuan", output::yuan(fen.into())))
        }
        (Operation::FlowRecharge, "flow.status") => {
            let status = RechargeStatus::from_code(value.parse().ok()?)?;
            Some(english(status.name(Locale::En)))
        }
        (_, _) => None,
    }
}

/// On a terminal, a code that a telephone can read, and the link once more.
fn picture(link: &str) -> Option<String> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let code = QrCode::new(link).ok()?;
    // Terminals are mostly dark: the light modules are what is drawn.
    let drawn = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    let link = output::paint(&output::plain(link), Tone::Strong);
    Some(format!("\n{drawn}\n{link}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(text: &str) -> Received {
        Received::decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn fields_are_shown_with_what_they_mean() {
        let reply = received(
            r#"{"QUERY_RESP":{"RESULT":{"CODE":"SUCCESS","INFO":"成功"},"AMT":1,"STATE":1,
            "CHANNEL_TYPE":2,"CHARGE_THIRD_CODE":"4200","charge_THIRD_CODE":"4200"}}"#,
        );
        let expected = "SUCCESS  成功
AMT                1  (0.01 yuan)
STATE              1  (paid)
CHANNEL_TYPE       2  (WeChat Pay)
CHARGE_THIRD_CODE  4200";
        assert_eq!(text(&reply, Operation::Query), expected);
    }

    #[test]
    fn json_is_the_whole_reply_even_from_xml() {
        let xml = received("<R><RESULT><CODE>FAIL</CODE><INFO>no</INFO></RESULT></R>");
        let expected = r#"{"R":{"RESULT":{"CODE":"FAIL","INFO":"no"}}}"#;
        assert_eq!(whole(&xml).to_json(), expected);
        let bare = r#"{"result":{"CODE":"SUCCESS"},"flow":{"status":0}}"#;
        assert_eq!(whole(&received(bare)).to_json(), bare);
    }

    #[test]
    fn sealed_replies_are_opened_and_plain_ones_taken() {
        let key = MerchantKey::new("0123456789ABCDEFGHIJKLMNOPQRSTUV");
        let plain = br#"{"R":{"RESULT":{"CODE":"SUCCESS"}}}"#;
        let sealed = seal::seal(&key, plain);
        let is_success =
            |body: &[u8]| read(body, &key).and_then(|it| it.code()) == Some(ReturnCode::Success);
        assert!(is_success(plain) && is_success(sealed.as_bytes()));
        assert!(read(b"Not Found", &key).is_none());
    }
}
