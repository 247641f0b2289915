//! What is understood, and what is not and why: without sockets.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;
use wire::{MessageId, PublicKey};

use super::super::answer::json_bytes;
use super::super::request::Request;
use super::{OWN, PROVIDER, address};
use crate::asks::{NewMessage, Recipient};

fn error(text: &str) -> String {
    Request::from_text(text).expect_err("refused").to_string()
}

fn sent(text: &str) -> (NewMessage, bool) {
    match Request::from_text(text) {
        Ok(Request::Send { message, extended }) => (message, extended),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn both_generations_say_send_in_their_own_words() {
    let to = address(OWN);
    for (recipient, expected) in
        [(to.to_string(), Recipient::Address(to)), (OWN.to_string(), Recipient::Key(OWN))]
    {
        for fields in [
            json!({"recipient": recipient}),
            json!({"recipient_address": recipient}),
            json!({"recipient": recipient, "recipient_address": recipient}),
        ] {
            let mut request = fields;
            request["type"] = json!("send");
            request["message"] = json!("hello");
            // Fields of the application's own are none of our business.
            request["colour"] = json!({"red": [1]});
            let (message, extended) = sent(&request.to_string());
            assert_eq!((&message.to, &message.data[..]), (&expected, &b"hello"[..]), "{request}");
            assert!(!extended && message.id.is_none() && !message.confirm);
            assert_eq!(message.reply_blocks, 0);
        }
    }
}

#[test]
fn a_message_is_any_json_and_stays_as_it_was_spelt() {
    for (json, data) in [
        (r#""plain""#, "plain"),
        (r#""""#, ""),
        (r#""tab\tand \"quotes\" and \u2603""#, "tab\tand \"quotes\" and ☃"),
        (r#""{\"no\": 1}""#, "{\"no\": 1}"),
        ("null", "null"),
        (" true ", "true"),
        ("[ ]", "[]"),
        // Neither the order of fields nor a digit is lost.
        (
            "{ \"sender\" : \"b c\",\n\t\"a\\\\\" : [ 1.50 , 123456789012345678901234567890 ] }",
            r#"{"sender":"b c","a\\":[1.50,123456789012345678901234567890]}"#,
        ),
        (r#"{"a \" b" : "c \\" , "d" : 1}"#, r#"{"a \" b":"c \\","d":1}"#),
    ] {
        let text = format!(r#"{{"type":"send","recipient":"{OWN}","message":{json}}}"#);
        assert_eq!(sent(&text).0.data, data, "{json}");
    }
}

#[test]
fn what_is_ours_has_fields_of_its_own() {
    let id = "00112233445566778899aAbBcCdDeEfF";
    let bytes = MessageId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes());
    for (field, value) in [("id", json!(id)), ("withReply", json!(64)), ("confirm", json!(false))] {
        let mut request = json!({"type": "send", "recipient": OWN, "message": ""});
        request[field] = value;
        let (message, extended) = sent(&request.to_string());
        assert!(extended, "{field}");
        assert_eq!(message.id, (field == "id").then_some(bytes));
        assert_eq!(message.reply_blocks, if field == "withReply" { 64 } else { 0 });
    }
    let reply = json!({"type": "reply", "replyTo": id, "message": "x", "confirm": true});
    match Request::from_text(&reply.to_string()) {
        Ok(Request::Reply { message }) => {
            assert_eq!(message.to, Recipient::SenderOf(bytes));
            assert!(message.confirm);
        }
        other => panic!("{other:?}"),
    }
    let envelope = r#"{"type":"envelope","on":true}"#;
    assert!(matches!(Request::from_text(envelope), Ok(Request::Envelope { on: true })));
}

#[test]
fn every_mistake_has_a_sentence_of_its_own() {
    let send = |more: &str| format!(r#"{{"type":"send","message":"x",{more}}}"#);
    let to = |recipient: &str| send(&format!(r#""recipient":"{recipient}""#));
    let id = |id: &str| send(&format!(r#""recipient":"{OWN}","id":"{id}""#));
    let invalid = "received invalid request. err: ";
    for (text, expected) in [
        ("", "EOF while parsing"),
        ("no JSON", "expected ident"),
        ("[]", "invalid length 0"),
        ("{}", "missing field `type`"),
        (r#"{"type":7}"#, "expected"),
        (
            r#"{"type":"dance"}"#,
            "unknown variant `dance`, expected one of `send`, `fetch`, `getClients`, \
             `ownDetails`, `selfAddress`, `reply`, `envelope`",
        ),
        (r#"{"type":"send","message":"x"}"#, "missing field `recipient`"),
        (&format!(r#"{{"type":"send","recipient":"{OWN}"}}"#), "missing field `message`"),
        (r#"{"type":"reply","message":"x"}"#, "missing field `replyTo`"),
        (r#"{"type":"envelope"}"#, "missing field `on`"),
        (&send(r#""recipient":7"#), "invalid type: integer `7`, expected a string"),
        (
            &send(&format!(r#""recipient":"{OWN}","recipient_address":"{PROVIDER}""#)),
            "`recipient` and `recipient_address` are not the same",
        ),
        (
            &send(&format!(r#""recipient":"{OWN}","withReply":65"#)),
            "`withReply` is 65, at most 64 fit",
        ),
        (&send(&format!(r#""recipient":"{OWN}","withReply":-1"#)), "invalid value: integer `-1`"),
        (&id("abc"), "id `abc` is not 32 hexadecimal digits"),
        (&id("+0112233445566778899aabbccddeeff"), "is not 32 hexadecimal digits"),
        (
            &format!(r#"{{"type":"send","recipient":"{OWN}","message":"\ud800"}}"#),
            "unexpected end of hex escape",
        ),
    ] {
        let error = error(text);
        assert!(error.starts_with(invalid) && error.contains(expected), "{text}: {error}");
    }
    let long = "z".repeat(100);
    for (recipient, expected) in [
        ("nobody", "`nobody` is not a base58 key of 32 bytes: it has 5"),
        ("", "`` is not a base58 key of 32 bytes: it has 0"),
        ("a@b", "`a` is not a base58 key of 32 bytes: it has 1"),
        ("O0Il", "`O0Il` is not base58: it has the character 'O'"),
        (&format!("{OWN}@{OWN}@{OWN}"), "it goes on for 87 characters"),
        (&long, "it goes on for 100 characters"),
    ] {
        let error = error(&to(recipient));
        let begins = error.starts_with("malformed recipient address: ");
        assert!(begins && error.contains(expected), "{recipient}: {error}");
    }
    let too_long = "x".repeat(contract::MAX_MESSAGE_BYTES + 1);
    let text = json!({"type": "send", "recipient": OWN, "message": too_long}).to_string();
    assert_eq!(error(&text), "message too long. Sent 16777217 bytes, but the maximum is 16777216");
}

#[test]
fn a_binary_send_begins_with_both_keys() {
    let head = [&[1; 32][..], &[2; 32]].concat();
    for data in [&b""[..], b"hi", &[0xff, 0]] {
        let frame = Bytes::from([&head[..], data].concat());
        match Request::from_binary(&frame) {
            Ok(Request::Send { message, extended: false }) => {
                assert_eq!(message.to, Recipient::Address(address(OWN)));
                assert_eq!(message.data, data);
            }
            other => panic!("{other:?}"),
        }
    }
    for length in [0, 2, 32, 63] {
        let error = Request::from_binary(&head[..length].to_vec().into()).expect_err("refused");
        let expected = format!("invalid binary request: it has {length} bytes; the first 64 are");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    let too_long = vec![0; 64 + contract::MAX_MESSAGE_BYTES + 1];
    let error = Request::from_binary(&too_long.into()).expect_err("refused");
    assert!(error.to_string().starts_with("message too long. Sent 16777217 bytes"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_a_request_or_an_error(text in ".*") {
        drop(Request::from_text(&text));
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>) {
        drop(Request::from_binary(&bytes.into()));
    }

    #[test]
    fn any_recipient_is_one_or_an_error(text in "[ -~]{0,100}|.{0,80}") {
        let request = json!({"type": "send", "message": "", "recipient": text}).to_string();
        match Request::from_text(&request) {
            Ok(Request::Send { message, .. }) => match message.to {
                Recipient::Key(key) => prop_assert_eq!(text.parse::<PublicKey>(), Ok(key)),
                to => panic!("{to:?}"),
            },
            Ok(other) => panic!("{other:?}"),
            Err(error) => prop_assert!(error.to_string().len() < 500, "{}", error),
        }
    }

    #[test]
    fn any_string_survives_and_its_json_is_no_longer_than_was_reckoned(text in ".*") {
        let request = json!({"type": "send", "recipient": OWN, "message": text}).to_string();
        let (message, _) = sent(&request);
        prop_assert_eq!(&message.data[..], text.as_bytes());
        let json = serde_json::to_string(&text).expect("a string");
        prop_assert!(json.len() <= json_bytes(text.as_bytes()) + 2);
    }
}
