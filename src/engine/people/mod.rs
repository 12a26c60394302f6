//! People: how each account is reached, what its clients and its server can do, and what is asked of them.

pub mod accounts;
pub mod capabilities;
pub(super) mod doubts;
pub mod hosts;
pub mod pending;
pub(super) mod pool;
