//! Flashes from a receiver on a serial port, which may be unplugged and plugged in again.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;
use std::{fs, future};

use nix::unistd::{AccessFlags, access};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use tracing::{info, warn};

use crate::hw::flashes::Flashes;
use crate::hw::noise::Noise;
use crate::hw::{FlashSource, Reading, SourceKind, Trouble};

/// A serial port, by its path, with its speed after a comma.
pub(super) const SERIAL: SourceKind = SourceKind {
    written: "serial:PORT[,BAUD]",
    make: |given| {
        let port = given.strip_prefix("serial:")?;
        Some(Serial::new(port).map(|source| Box::new(source) as _))
    },
};

/// The speed if none is given, in bits per second.
const DEFAULT_BAUD: u32 = 115_200;
/// How often a port that is not there is looked for, and how long one must have been readable to
/// be taken for plugged in.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A port that need not be there yet.
struct Serial {
    port: String,
    baud: u32,
}

/// What the log says of the port so far.
#[derive(PartialEq)]
enum Said {
    Nothing,
    There,
    Gone,
}

impl Serial {
    fn new(given: &str) -> Result<Self, String> {
        let (port, baud) = match given.rsplit_once(',') {
            Some((port, baud)) => (port, baud.trim().parse().ok().filter(|&baud| baud > 0)),
            None => (given, Some(DEFAULT_BAUD)),
        };
        match baud {
            Some(baud) if !port.is_empty() => Ok(Self {
                port: port.to_owned(),
                baud,
            }),
            _ => Err("write serial:/dev/ttyUSB0 or serial:/dev/ttyUSB0,115200".to_owned()),
        }
    }

    fn open(&self) -> io::Result<SerialStream> {
        let builder = tokio_serial::new(&self.port, self.baud);
        builder.open_native_async().map_err(io::Error::from)
    }

    /// Why the port cannot be opened, and what to do.
    fn advice(&self, cause: &io::Error) -> String {
        match cause.kind() {
            ErrorKind::NotFound => {
                let there = ports();
                match there.is_empty() {
                    true => {
                        "this machine has no serial port; is the receiver plugged in?".to_owned()
                    }
                    false => format!("is it plugged in? There is: {}", there.join(", ")),
                }
            }
            ErrorKind::PermissionDenied => {
                "the user needs to be in the group that owns it, often 'dialout'".to_owned()
            }
            _ => "does another program use it?".to_owned(),
        }
    }

    /// Reads for as long as anybody takes the readings.
    async fn keep_reading(self, readings: mpsc::Sender<Reading>) {
        let mut noise = Noise::default();
        let mut said = Said::Nothing;
        loop {
            let gone = match self.open() {
                Ok(stream) => {
                    let present = async {
                        // One that ends at once, again and again, is not spoken of each time.
                        sleep(LOOK_EVERY).await;
                        if std::mem::replace(&mut said, Said::There) != Said::There {
                            info!("reading the serial port {}", self.port);
                        }
                        future::pending::<()>().await;
                    };
                    tokio::select! {
                        cause = self.read(stream, &readings, &mut noise) => match cause {
                            Some(cause) => format!("lost the serial port {}: {cause}", self.port),
                            None => return,
                        },
                        () = present => continue,
                    }
                }
                Err(cause) => format!(
                    "cannot open the serial port {}: {cause}; {}",
                    self.port,
                    self.advice(&cause)
                ),
            };
            if std::mem::replace(&mut said, Said::Gone) != Said::Gone {
                warn!("{gone}; no badge is read until it is there");
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => (),
                () = readings.closed() => return,
            }
        }
    }

    /// Reads until the port is lost, and says why; `None` once nobody takes the readings any more.
    async fn read(
        &self,
        mut port: SerialStream,
        readings: &mpsc::Sender<Reading>,
        noise: &mut Noise,
    ) -> Option<String> {
        let mut flashes = Flashes::default();
        let mut bytes = [0; 1024];
        let mut found = Vec::new();
        loop {
            let silence = async {
                match flashes.patience() {
                    Some(patience) => sleep(patience).await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                count = port.read(&mut bytes) => match count {
                    // The end of a port is a receiver that was unplugged.
                    Ok(0) => return Some("it was unplugged".to_owned()),
                    Ok(count) => {
                        let bytes = bytes.get(..count).unwrap_or_default();
                        flashes.feed(bytes, |each| found.push(each));
                    }
                    Err(cause) if cause.kind() == ErrorKind::Interrupted => (),
                    Err(cause) => return Some(cause.to_string()),
                },
                () = silence => flashes.silence(|each| found.push(each)),
                () = readings.closed() => return None,
            }
            for each in found.drain(..) {
                match each {
                    Ok(shown) => readings.send(shown.into()).await.ok()?,
                    Err(what) => noise.say(&self.port, &what),
                }
            }
        }
    }
}

impl FlashSource for Serial {
    fn describe(&self) -> String {
        format!("the serial port {} at {} baud", self.port, self.baud)
    }

    fn look(&self) -> Result<(), Trouble> {
        // Not by opening it: that restarts some receivers.
        access(Path::new(&self.port), AccessFlags::R_OK | AccessFlags::W_OK).map_err(|cause| {
            let cause = io::Error::from(cause);
            Trouble {
                what: format!("the serial port {}: {cause}", self.port),
                advice: self.advice(&cause),
            }
        })
    }

    fn start(self: Box<Self>, readings: mpsc::Sender<Reading>) -> io::Result<()> {
        tokio::spawn(self.keep_reading(readings));
        Ok(())
    }
}

/// The serial ports of this machine, as far as their names tell.
fn ports() -> Vec<String> {
    let names = ["ttyUSB", "ttyACM", "ttyAMA", "serial"];
    let entries = fs::read_dir(Path::new("/dev")).into_iter().flatten();
    let mut ports: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| names.iter().any(|begins| name.starts_with(begins)))
        .map(|name| format!("/dev/{name}"))
        .collect();
    ports.sort();
    ports
}
