//! The client-facing sides of a provider, spoken to in raw bytes and websocket frames: a whole
//! provider in this process, on ports of its own, with a real mailbox.

mod acks;
mod documents;
mod gateway;
mod port;
mod provider;
mod pull;
mod v1;
mod websocket;
