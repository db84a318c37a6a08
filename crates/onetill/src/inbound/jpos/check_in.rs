//! terminal/checkin (source: 签到).

use super::{Done, admit::Admitted, refused::Refused};
use crate::app::Gateway;
use wire::jpos::{BatchNo, Body, reply::CheckinReply, request::Checkin};

pub(super) async fn serve(
    gateway: &Gateway,
    admitted: &Admitted,
    request: &Checkin,
) -> Result<Done, Refused> {
    let caller = &admitted.caller;
    let operator = request.operator_no.clone();
    let into = gateway.check_in(caller, operator).await??;
    Ok(Done {
        at: gateway.now(),
        body: Body::Checkin(CheckinReply {
            batch_no: BatchNo::new(into.batch.get()),
            store_name: into.store_name,
            working_key: into.working_key,
        }),
    })
}
