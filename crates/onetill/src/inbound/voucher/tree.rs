//! A tree of codes, sent piece by piece: the next page is read when the last was taken.

use super::{Answered, Asked, Refusal, present};
use crate::app::{
    AppError,
    voucher::tree::{Page, Pages},
};
use axum::{body::Body, http::StatusCode};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use std::time::Duration;
use wire::{
    Locale,
    voucher::reply::{CodesReply, Place, ReplyWriter, TreeShape},
};

/// How many pieces may wait for the network.
const PIECES_MAX: usize = 2;
/// How long a piece may wait for its turn: some 200 KB in this time are slower than any line that
/// partners have, and whoever reads slower must not hold its pieces for days.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers with a tree of these pages. What goes wrong before the first page is a refusal, and so is
/// a further tree where the partner has many on their way; after that it breaks the reply off, so that
/// nobody takes half of it for the whole.
pub(super) async fn answer(
    asked: &Asked<'_>,
    reply: &CodesReply,
    shape: TreeShape,
    mut pages: Pages,
) -> Result<Answered, Refusal> {
    let mut writer = ReplyWriter::new(reply, shape);
    let code = reply.code.code();
    let first = pages.next().await?;
    let gateway = asked.gateway;
    if let Some(page) = &first {
        write(gateway, page, asked.locale, &mut writer)?;
    }
    if pages.is_over() {
        return Ok(Answered {
            http: StatusCode::OK,
            code,
            body: Body::from(writer.finish()),
        });
    }
    let trees = &gateway.vouchers.trees;
    let running = trees.begin(asked.partner.partner.number);
    let running = running.ok_or(Refusal::TooMany)?;
    let (sender, body) = Channel::<Bytes, AppError>::new(PIECES_MAX);
    let gateway = std::sync::Arc::clone(gateway);
    let locale = asked.locale;
    tokio::spawn(async move {
        let rest = Rest {
            pages,
            writer,
            locale,
        };
        rest.send(&gateway, sender).await;
        drop(running);
    });
    Ok(Answered {
        http: StatusCode::OK,
        code,
        body: Body::new(body),
    })
}

struct Rest {
    pages: Pages,
    writer: ReplyWriter,
    locale: Locale,
}

impl Rest {
    async fn send(mut self, gateway: &crate::app::Gateway, mut sender: Sender<Bytes, AppError>) {
        loop {
            match self.pages.next().await {
                Ok(Some(page)) => {
                    if let Err(error) = write(gateway, &page, self.locale, &mut self.writer) {
                        return sender.abort(error);
                    }
                    let piece = Bytes::from(self.writer.take());
                    match hand_over(&mut sender, piece).await {
                        Handed::Over => {}
                        Handed::Gone => return,
                        Handed::Late => return sender.abort(AppError::Unavailable),
                    }
                }
                Ok(None) => {
                    let piece = Bytes::from(self.writer.finish());
                    if let Handed::Late = hand_over(&mut sender, piece).await {
                        sender.abort(AppError::Unavailable);
                    }
                    return;
                }
                Err(error) => return sender.abort(error),
            }
        }
    }
}

/// What became of a piece.
#[derive(Debug, PartialEq, Eq)]
enum Handed {
    /// It is on its way.
    Over,
    /// The client has gone.
    Gone,
    /// The client reads too slowly.
    Late,
}

async fn hand_over(sender: &mut Sender<Bytes, AppError>, piece: Bytes) -> Handed {
    match tokio::time::timeout(PIECE_TIMEOUT, sender.send_data(piece)).await {
        Ok(Ok(())) => Handed::Over,
        Ok(Err(_)) => Handed::Gone,
        Err(_elapsed) => {
            tracing::debug!("a tree was broken off: its reader is too slow");
            Handed::Late
        }
    }
}

fn write(
    gateway: &crate::app::Gateway,
    page: &Page,
    locale: Locale,
    writer: &mut ReplyWriter,
) -> Result<(), AppError> {
    for shown in &page.codes {
        let (package, reel) = page.units_of(shown.code)?;
        let place = Place {
            box_id: &page.carton.id,
            pkg_id: &package.id,
            reel_id: &reel.id,
        };
        let order_id = reel.sale_channel_order_id.as_deref();
        let detail = present::detail(gateway, page, shown, order_id, locale);
        writer.code(place, &detail);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_nothing_is_given_up() {
        let (mut sender, mut body) = Channel::<Bytes, AppError>::new(PIECES_MAX);
        let piece = || Bytes::from_static(b"piece");
        for _ in 0..PIECES_MAX {
            assert_eq!(hand_over(&mut sender, piece()).await, Handed::Over);
        }
        let began = tokio::time::Instant::now();
        assert_eq!(hand_over(&mut sender, piece()).await, Handed::Late);
        assert_eq!(began.elapsed().as_secs(), PIECE_TIMEOUT.as_secs());
        // A slow one who takes a piece in time goes on.
        assert!(body.frame().await.unwrap().unwrap().is_data());
        assert_eq!(hand_over(&mut sender, piece()).await, Handed::Over);
        drop(body);
        assert_eq!(hand_over(&mut sender, piece()).await, Handed::Gone);
    }
}
