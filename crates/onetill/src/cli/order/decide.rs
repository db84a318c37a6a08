//! `onetill order approve` and `onetill order reject`.

use crate::{
    admin::{Request, orders::OrderName},
    cli::{CommandError, Settings, admin_client::admin_request, output::Shape},
};

pub(super) async fn run(
    settings: Settings,
    order: OrderName,
    approve: bool,
    shape: Shape,
) -> Result<(), CommandError> {
    let request = Request::DecideOrder { order, approve };
    let payment = admin_request(settings, request).await?;
    super::show::print(&payment, shape)
}
