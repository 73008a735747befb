//! The doors that the upstream is told of.

use crate::domain::ids::DeviceName;
use crate::wire::link::state::{Phase, State};
use crate::wire::{Door, Gone, Message};

impl State {
    /// A door has connected: the upstream must know before its first flash.
    pub(in crate::wire::link) fn door_came(&mut self, door: &Door) {
        let connections = self.doors.entry(door.clone()).or_default();
        *connections += 1;
        if *connections == 1 {
            self.announce(door.clone());
        }
    }

    /// A connection of a door has ended.
    pub(in crate::wire::link) fn door_went(&mut self, door: &Door) {
        if let Some(connections) = self.doors.get_mut(door) {
            *connections -= 1;
            if *connections == 0 {
                self.doors.remove(door);
                let name = door.name.clone();
                // With a new identity, it may be there a second time.
                let is_still_there = self.doors.keys().any(|other| other.name == name);
                if self.phase == Phase::Up && !is_still_there {
                    self.send(&Message::Gone(Gone { name }));
                }
            }
        }
    }

    pub(in crate::wire::link) fn announce(&mut self, door: Door) {
        if self.phase == Phase::Up {
            self.send(&Message::Door(door));
        }
    }

    /// Their names.
    pub(in crate::wire::link) fn doors(&self) -> Vec<DeviceName> {
        self.doors.keys().map(|door| door.name.clone()).collect()
    }
}
