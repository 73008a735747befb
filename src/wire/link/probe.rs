//! A look at an upstream, for whoever checks the wiring: is it there, how far away is it, and does
//! its clock agree with ours?

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::domain::ids::{DeviceName, InstallationId};
use crate::wire::link::Link;
use crate::wire::link::greeting::{Connected, Connection};
use crate::wire::{Echo, Error, Message, Welcome, codec};

/// What a look at an upstream found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Its name.
    pub name: DeviceName,
    /// Its central's installation; `None` if it has not met its central yet.
    pub installation: Option<InstallationId>,
    /// The shortest and the longest time that a ping took.
    pub round_trip: (Duration, Duration),
    /// By how many ms our clock is ahead of its clock.
    pub clock_ahead_ms: i64,
}

impl Link {
    /// Connects once, pings so many times, and hangs up.
    ///
    /// # Errors
    /// Why it cannot be reached or used.
    pub async fn probe(&self, pings: u64) -> Result<Probe, Error> {
        let began = Instant::now();
        let order: Vec<usize> = (0..self.shared.options.addresses.len()).collect();
        let reached = self.reach(&order).await.map_err(|none| none.cause)?;
        let greeted = began.elapsed();
        let ours = self.shared.options.clock.now().timestamp_millis();
        let (welcome, round_trip) = match reached.connected {
            Connected::Clear(connection) => self.time_pings(connection, pings).await?,
            Connected::Protected(connection) => self.time_pings(*connection, pings).await?,
        };
        // It told its time while we waited for it: half of that ago, as far as anybody knows.
        let waited = i64::try_from(greeted.as_millis()).unwrap_or(i64::MAX);
        Ok(Probe {
            name: welcome.name,
            installation: welcome.installation,
            round_trip,
            clock_ahead_ms: ours.saturating_sub(welcome.time).saturating_sub(waited / 2),
        })
    }

    /// The shortest and the longest time that a ping takes.
    async fn time_pings(
        &self,
        mut connection: Connection<impl AsyncRead + Unpin, impl AsyncWrite + Unpin>,
        pings: u64,
    ) -> Result<(Welcome, (Duration, Duration)), Error> {
        let mut round_trip = (Duration::MAX, Duration::ZERO);
        for n in 0..pings {
            let began = Instant::now();
            let mut ping = BytesMut::new();
            codec::encode(&Message::Ping(Echo { n }), &mut ping)?;
            let answered = async {
                connection.writer.write_all(&ping).await?;
                connection.writer.flush().await?;
                while connection.reader.next().await? != Message::Pong(Echo { n }) {}
                Ok::<_, Error>(())
            };
            timeout(self.shared.options.patience.deadline, answered)
                .await
                .map_err(|_| Error::TimedOut("it does not answer a ping"))??;
            let took = began.elapsed();
            round_trip = (round_trip.0.min(took), round_trip.1.max(took));
        }
        Ok((connection.welcome, round_trip))
    }
}
