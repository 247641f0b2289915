//! Lines between a supervisor and a process, in both directions. What is accepted is read again as it
//! was written.

#![no_main]

use std::fmt::Debug;

use contract::{Event, Rates, Request};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    check::<Request>(data);
    check::<Event>(data);
    check::<Rates>(data);
});

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(data) else { return };
    let written = serde_json::to_string(&value).expect("what was JSON can be written");
    let read: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(read, value, "{written}");
}
