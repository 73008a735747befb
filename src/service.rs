//! What a service manager is told of a role that runs on: that it is ready, that it is alive, that
//! it is about to end (`sd_notify(3)`). Where there is no service manager, nothing is told.

use sd_notify::NotifyState;
use tokio::time::interval;
use tracing::debug;

/// Says that the role does its work from now on, and what it is doing; then, where the manager
/// watches over that, tells it twice within its time that this runtime still turns. To be called in
/// the runtime whose standstill is to be noticed.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    if let Some(within) = sd_notify::watchdog_enabled() {
        tokio::spawn(async move {
            let mut half_time = interval(within / 2);
            loop {
                half_time.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }
}

/// Says that the role ends now, and was told to.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    // A manager that hears nothing acts as it was configured to.
    if let Err(cause) = sd_notify::notify(state) {
        debug!("cannot notify the service manager: {cause}");
    }
}
