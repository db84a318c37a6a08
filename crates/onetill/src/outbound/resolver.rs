//! Names to addresses, minus those that the policy refuses.

use std::{io, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::{TargetError, TargetPolicy};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Asks the system's resolver.
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 stands for "the URL's".
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Hands on only permitted addresses. The connection is made to one of them, so an answer that
/// changes between check and call changes nothing.
pub(super) struct GuardedResolver {
    pub(super) inner: Arc<dyn Resolve>,
    pub(super) policy: Arc<TargetPolicy>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.inner.resolve(name);
        let policy = Arc::clone(&self.policy);
        Box::pin(async move { keep_permitted(found.await?, &policy) })
    }
}

fn keep_permitted(found: Addrs, policy: &TargetPolicy) -> Result<Addrs, BoxError> {
    let mut found = found.peekable();
    if found.peek().is_none() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    let permitted: Vec<SocketAddr> = found.filter(|a| policy.permits(a.ip())).collect();
    if permitted.is_empty() {
        return Err(TargetError::Address.into());
    }
    Ok(Box::new(permitted.into_iter()))
}
