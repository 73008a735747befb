//! A way between two processes that a test cuts and mends: while it is cut, nothing passes in
//! either direction, and nobody is told, as when packets are dropped. Once it is mended, what was
//! under way arrives. Or it is a slow one, on which whatever the server says arrives later.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::pause;

/// See the module.
pub struct Proxy {
    pub address: SocketAddr,
    cut: Arc<Way>,
}

#[derive(Default)]
struct Way {
    is_cut: Mutex<bool>,
    mended: Condvar,
    /// How much later arrives what the server says.
    late: Duration,
}

impl Proxy {
    /// A way to a server, from a free port of this address.
    pub fn new(host: Ipv4Addr, to: SocketAddr) -> Self {
        Self::slow(host, to, Duration::ZERO)
    }

    /// The same, on which whatever the server says arrives that much later.
    pub fn slow(host: Ipv4Addr, to: SocketAddr, late: Duration) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(Way {
            late,
            ..Way::default()
        });
        let way = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, way) = (client.unwrap(), Arc::clone(&way));
                thread::spawn(move || {
                    way.wait();
                    let Ok(server) = TcpStream::connect(to) else {
                        return;
                    };
                    for stream in [&client, &server] {
                        stream.set_nodelay(true).unwrap();
                    }
                    let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                    let back_way = Arc::clone(&way);
                    thread::spawn(move || pass(back.0, back.1, &back_way, back_way.late));
                    pass(client, server, &way, Duration::ZERO);
                });
            }
        });
        Self { address, cut }
    }

    /// Lets nothing pass from now on.
    pub fn cut(&self) {
        *self.cut.is_cut.lock().unwrap() = true;
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        *self.cut.is_cut.lock().unwrap() = false;
        self.cut.mended.notify_all();
    }
}

impl Way {
    /// Waits while the way is cut.
    fn wait(&self) {
        let is_cut = self.is_cut.lock().unwrap();
        drop(self.mended.wait_while(is_cut, |is_cut| *is_cut).unwrap());
    }
}

/// Passes on what one side says, that much later, and that it says no more.
fn pass(mut from: TcpStream, mut to: TcpStream, way: &Way, late: Duration) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let count = from.read(&mut bytes).unwrap_or(0);
        pause(late);
        way.wait();
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            // Either may be gone already.
            let _gone = to.shutdown(Shutdown::Write);
            return;
        }
    }
}
