//! Bytes: how packets are framed, how nodes are addressed, how payloads are laid out, and what a
//! client and its provider say to each other. No I/O, no clock, no cryptography.
//!
//! Every decoder bounds what it reads before it allocates, and refuses rather than guesses.

mod address;
mod content;
mod fragment;
mod frame;
mod gateway;
mod key;
mod mailbox;
mod payload;
mod profile;
mod pull;
mod reply;

pub use address::{ADDRESS_BYTES, AddressError, NodeAddress, PADDED_ADDRESS_BYTES};
pub use content::{Content, ContentError, MAX_REPLY_BLOCKS};
pub use fragment::{Fragment, FragmentError, Kind, MAX_FRAGMENTS, MessageId, fragment_count};
pub use frame::{FrameError, next_packet, write_frame};
pub use gateway::{
    Forward, GatewayAnswer, GatewayError, GatewayRequest, decode_address, decode_token,
};
pub use key::{ClientAddress, KeyError, PublicKey, decode_base58, encode_base58};
pub use mailbox::{
    CHALLENGE_PURPOSE, ClientMessage, DELIVERY_HEAD_BYTES, Delivery, MAX_CONFIRMATIONS,
    MailboxError, NONCE_BYTES, ProviderMessage, SUBPROTOCOL, confirmation, confirmed,
};
pub use payload::{
    ACK_HEADER_BYTES, FRAGMENT_DATA_BYTES, INNER_BYTES, PLAINTEXT_BYTES, Plaintext, PlaintextError,
    SEAL_OVERHEAD_BYTES, SEALED_BYTES,
};
pub use profile::{
    HEADER_BYTES, IDENTIFIER_BYTES, Identifier, MAX_HOPS, PAYLOAD_OVERHEAD_BYTES, WireProfile,
};
pub use pull::{
    DUMMY_ENTRY, InvalidRequest, PADDED_ANSWER_BYTES, PULL_BYTES, PULL_ENTRIES, PullAnswerError,
    PullError, PullRequest, REGISTER_BYTES, TOKEN_BYTES, Token, decode_pull_answer, encode_entries,
    encode_pull_answer,
};
pub use reply::{PAYLOAD_SEED_BYTES, PayloadSeed, PayloadSeeds, ReplyBlock, ReplyBlockError};
