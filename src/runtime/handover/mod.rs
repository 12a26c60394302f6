//! A planned restart without a gap: the program on disk takes the place of this one, with everything that people would miss.
//!
//! The new program is asked first. Then whatever came in is served, stored and sent, and the host server confirms that. What
//! is left goes with the descriptors (`passing.rs`): stanzas that came meanwhile, where the stream is cut, and what the engine
//! knows beyond the store (`estate.rs`). If the program cannot be executed, this one takes its own place again.

mod asker;
mod asking;
mod estate;
mod offer;
mod passing;
mod sockets;

pub use asker::Asker;
pub use asking::ask_program;
pub use estate::{Estate, EstateError, Held, Role, StreamState, VERSION};
pub use offer::{Offer, Verdict, program};
pub use passing::{PassError, Program, TAKE_OVER, Taken, receive};
pub use sockets::listen;
