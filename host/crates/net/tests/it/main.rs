//! The network from outside: nodes on loopback, with relays and every kind of discovery off, and peers that misbehave.

mod announcing;
mod arriving;
mod asking;
mod crowded;
mod evicting;
mod fetching;
mod hostile;
mod listing;
mod local;
mod mutated;
mod offline;
mod reaching;
mod resuming;
mod script;
mod support;
mod vectors;
