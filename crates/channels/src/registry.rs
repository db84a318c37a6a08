//! Which channel serves which number.

use crate::contract::Channel;
use domain::channel::ChannelNo;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The channels of this gateway, by the number merchants name them with.
#[derive(Clone, Default)]
pub struct Channels {
    by_number: BTreeMap<ChannelNo, Arc<dyn Channel>>,
}

impl Channels {
    /// No channels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also serves `number` by `channel`; replaces whoever served it before.
    #[must_use]
    pub fn with(mut self, number: ChannelNo, channel: Arc<dyn Channel>) -> Self {
        self.by_number.insert(number, channel);
        self
    }

    /// Who serves `number`.
    #[must_use]
    pub fn get(&self, number: ChannelNo) -> Option<Arc<dyn Channel>> {
        self.by_number.get(&number).cloned()
    }

    /// The numbers that are served, ascending, with the names of who serves them.
    pub fn served(&self) -> impl Iterator<Item = (ChannelNo, &str)> {
        self.by_number
            .iter()
            .map(|(number, channel)| (*number, channel.name()))
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.served()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{InMemory, SANDBOX_CHANNELS, Sandbox, SandboxConfig};
    use domain::time::UnixMs;

    #[test]
    fn only_registered_numbers_are_served() {
        let memory = Arc::new(InMemory::default());
        let sandbox = Sandbox::new(Arc::new(|| UnixMs(0)), SandboxConfig::default(), memory);
        let sandbox: Arc<dyn Channel> = Arc::new(sandbox.unwrap());
        let channels = SANDBOX_CHANNELS
            .iter()
            .fold(Channels::new(), |all, number| {
                all.with(*number, Arc::clone(&sandbox))
            });
        assert_eq!(channels.served().count(), 11);
        assert_eq!(channels.get(ChannelNo(34)).unwrap().name(), "sandbox");
        assert!(channels.get(ChannelNo(0)).is_none());
        assert!(channels.get(ChannelNo(4)).is_none());
    }
}
