//! Looking a database over whose last central was cut off, while doors are served already.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

use tracing::{error, info};

use crate::db::{self, Store};

/// Starts to look the database over. What is found is said in the log; the file is left as it is.
/// Ends with the process, if that ends sooner.
///
/// # Errors
/// If the system has no thread for us.
pub(super) fn start(database: &Path) -> io::Result<()> {
    let path = database.to_owned();
    info!(
        "the last central was cut off: looking {} over, while doors are served",
        path.display()
    );
    thread::Builder::new()
        .name("checkup".to_owned())
        .spawn(move || look_over(&path))?;
    Ok(())
}

fn look_over(path: &Path) {
    let began = Instant::now();
    // With a connection of its own: it only reads, beside the writer.
    let found = Store::open(path).and_then(|store| store.damage());
    let path = path.display();
    let damage = match found {
        Ok(damage) if damage.is_empty() => {
            info!("{path} is sound; looked over in {:.1?}", began.elapsed());
            return;
        }
        Ok(damage) => damage,
        Err(db::Error::Damaged(_)) => Vec::new(),
        Err(cause) => {
            error!("{path} could not be looked over: {cause}");
            return;
        }
    };
    for line in damage {
        error!("{path} is damaged: {line}");
    }
    error!(
        "{path} is damaged, and left as it is: stop this central, put the file aside, and go on \
         with the last backup"
    );
}
