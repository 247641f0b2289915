//! Bodies of requests: the first byte says for which decoder, from `0`. Each is read as by the slow
//! reading that the tests compare with, and what is accepted keeps the bounds and is read again as it
//! was written.

#![no_main]

#[path = "../../server/tests/oracle/mod.rs"]
mod oracle;

use libfuzzer_sys::fuzz_target;
use oracle::KINDS;

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else { return };
    KINDS[usize::from(kind.wrapping_sub(b'0')) % KINDS.len()].check(body);
});
